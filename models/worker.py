"""The device process: `python -m models.worker PROFILE`. JSON lines in, JSON lines out, one batch at a time.

    → {"lane": "output_message", "requests": [{…}, …]}      ← {"results": [{…}, …]} or {"error": "…"}

The first line out is {"ready": true} or {"error": "…"}. The process ends when its input does, so it never outlives a
service that was killed.
"""

import base64
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

Json = Mapping[str, Any]


class Worker:
    """All models of a profile, in one process."""

    def __init__(self, profile_root: Path, threads: int, seed: int | None) -> None:
        os.environ["HF_HUB_OFFLINE"] = "1"
        import torch
        from transformers.utils import logging

        from models.causal_lm import CausalLM
        from models.encoder import SentenceEncoder
        from models.registry import Profile

        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        if threads:
            torch.set_num_threads(threads)
        profile = Profile(profile_root)
        self._encoders = {
            "memory_encoder": SentenceEncoder(profile.memory_encoder),
            "ethics_encoder": SentenceEncoder(profile.ethics_encoder),
        }
        self._language = CausalLM(profile.base, profile.adapters, seed)

    def run(self, lane: str, requests: Sequence[Json]) -> list[Json]:
        """One result for each request of a lane."""
        return self._encode(lane, requests) if lane in self._encoders else self._complete(lane, requests)

    def _encode(self, lane: str, requests: Sequence[Json]) -> list[Json]:
        vectors = self._encoders[lane].encode([text for request in requests for text in request["texts"]])
        results: list[Json] = []
        start = 0
        for request in requests:
            end = start + len(request["texts"])
            results.append({"vectors": base64.b64encode(vectors[start:end].astype("<f4").tobytes()).decode()})
            start = end
        return results

    def _complete(self, lane: str, requests: Sequence[Json]) -> list[Json]:
        from models.causal_lm import Sampling

        completions = self._language.complete(lane, [Sampling(**request) for request in requests])
        return [{"text": c.text, "ended": c.ended, "tokens": c.tokens} for c in completions]


def serve(worker: Worker, lines: TextIO, out: TextIO) -> None:
    """Answer batches until the input ends."""
    for line in lines:
        batch = json.loads(line)
        try:
            answer: Json = {"results": worker.run(batch["lane"], batch["requests"])}
        except Exception as error:  # the batch fails, the process lives on; the cause goes back to the engine's log
            answer = {"error": _sentence(error)}
        print(json.dumps(answer), file=out, flush=True)


def _sentence(error: Exception) -> str:
    """One line, whatever a library wrote."""
    return " ".join(f"{type(error).__name__}: {error}".split())


def main() -> None:
    """Arguments: profile folder, torch threads (0: torch's default), seed (empty: none)."""
    # Ctrl-C in a terminal reaches this process too; its end comes from the service
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # what libraries print must not end up between the answers
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    root, threads, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]) if sys.argv[3] else None
    try:
        worker = Worker(root, threads, seed)
    except Exception as error:  # whatever it is, the service says it in one sentence and stops
        print(json.dumps({"error": _sentence(error)}), file=out, flush=True)
        raise SystemExit(1) from error
    print(json.dumps({"ready": True}), file=out, flush=True)
    serve(worker, sys.stdin, out)


if __name__ == "__main__":
    main()

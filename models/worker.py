"""The device process: `python -m models.worker WEIGHTS`. JSON lines in, JSON lines out, one batch at a time.

    → {"batch": 7, "lane": "output_message", "requests": [{…}, …]}
    → {"batch": 7, "cancel": 0}                  nobody waits for that row any more; read between two tokens
    ← {"beat": 7}                                still computing; at most once in BEAT_S
    ← {"results": [{…}, …]}  or  {"error": "…"}, with "memory": true where the batch was too large

The first line out is {"ready": true} or {"error": "…"}. The process ends when its input does, in the middle of a batch
too, so it never outlives a service that was killed.
"""

import base64
import ctypes
import gc
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any, Protocol, TextIO

from core.errors import ConfigurationError
from models.weights import Weights

Json = Mapping[str, Any]
# to be called now and then while a batch is computed: gives a sign of life, returns the rows that nobody waits for
Between = Callable[[], Container[int]]

BEAT_S = 1.0
# how many texts are encoded between two signs of life
_TEXTS = 256


class Runner(Protocol):
    """What the process computes with."""

    def run(self, lane: str, requests: Sequence[Json], between: Between) -> list[Json]:
        """One result for each request of a lane."""
        ...


class Worker:
    """Weights in one process."""

    def __init__(self, weights: Weights, threads: int, seed: int | None) -> None:
        os.environ["HF_HUB_OFFLINE"] = "1"
        import torch
        from transformers.utils import logging

        from models.causal_lm import CausalLM
        from models.encoder import SentenceEncoder

        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        if threads:
            torch.set_num_threads(threads)
        self._encoders: dict[str, SentenceEncoder] = {}
        for name, path in weights.encoders.items():
            with _naming(path):
                self._encoders[name] = SentenceEncoder(path)
        self._tasks: dict[str, CausalLM] = {}
        for base, adapters in weights.by_base().items():
            with _naming(base):
                self._tasks |= dict.fromkeys(adapters, CausalLM(base, adapters, seed))
        _give_back()

    def run(self, lane: str, requests: Sequence[Json], between: Between) -> list[Json]:
        """One result for each request of a lane."""
        compute = self._encode if lane in self._encoders else self._complete
        return compute(lane, requests, between)

    def _encode(self, lane: str, requests: Sequence[Json], between: Between) -> list[Json]:
        texts = [text for request in requests for text in request["texts"]]
        packed: list[bytes] = []
        for start in range(0, len(texts), _TEXTS):
            packed += [vector.astype("<f4").tobytes() for vector in self._encoders[lane].encode(texts[start:][:_TEXTS])]
            between()
        vectors = iter(packed)
        return [
            {"vectors": base64.b64encode(b"".join(next(vectors) for _ in request["texts"])).decode()}
            for request in requests
        ]

    def _complete(self, lane: str, requests: Sequence[Json], between: Between) -> list[Json]:
        from models.causal_lm import Sampling

        rows = [Sampling(**{"task": lane, **request}) for request in requests]
        results: list[Json] = [{}] * len(rows)
        for model in {id(model): model for model in (self._tasks[row.task] for row in rows)}.values():
            mine = [at for at, row in enumerate(rows) if self._tasks[row.task] is model]
            written = model.complete(lane, [rows[at] for at in mine], partial(_among, mine, between))
            for at, completion in zip(mine, written, strict=True):
                results[at] = asdict(completion)
        return results


@dataclass(frozen=True)
class _Batch:
    number: int
    lane: str
    requests: list[Json]
    cancelled: set[int] = field(default_factory=set)


def serve(runner: Runner, lines: TextIO, out: TextIO) -> None:
    """Answer batches until the input ends."""

    def say(answer: Json) -> None:
        print(json.dumps(answer), file=out, flush=True)

    batches: SimpleQueue[_Batch] = SimpleQueue()
    Thread(target=_listen, args=(lines, batches), daemon=True).start()
    say({"ready": True})
    while True:
        batch = batches.get()
        try:
            say({"results": runner.run(batch.lane, batch.requests, _between(batch, say))})
        except Exception as error:  # the batch fails, the process lives on; the cause goes back to the engine's log
            say({"error": _sentence(error), "memory": _out_of_memory(error)})


def _listen(lines: TextIO, batches: SimpleQueue[_Batch]) -> None:
    """Beside the computing thread, so that a row can be cancelled while it is written."""
    latest = _Batch(0, "", [])
    code = 1  # of a line that is none of the service's
    try:
        for line in lines:
            said = json.loads(line)
            if "requests" in said:
                latest = _Batch(said["batch"], said["lane"], said["requests"])
                batches.put(latest)
            elif said["batch"] == latest.number:
                latest.cancelled.add(said["cancel"])
        code = 0
    finally:
        os._exit(code)


def _among(mine: Sequence[int], between: Between) -> Container[int]:
    """The places in `mine` of the rows that nobody waits for any more."""
    gone = between()
    return [place for place, at in enumerate(mine) if at in gone]


def _between(batch: _Batch, say: Callable[[Json], None]) -> Between:
    last = time.monotonic()

    def between() -> Container[int]:
        nonlocal last
        if (now := time.monotonic()) - last >= BEAT_S:
            say({"beat": batch.number})
            last = now
        return batch.cancelled

    return between


def _give_back() -> None:
    """Loading takes twice the memory of what it leaves, and glibc keeps it unless it is asked.

    What is left stays until the end: the garbage collector need not look through it again.
    """
    gc.collect()
    gc.freeze()
    with suppress(AttributeError, OSError, TypeError):  # another libc, or a system without one
        ctypes.CDLL(None).malloc_trim(0)


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """What a library says about damaged weights rarely says which."""
    try:
        yield
    except Exception as error:
        if str(path) in str(error):
            raise
        raise ConfigurationError(f"{path}: {_sentence(error)}") from error


def _out_of_memory(error: Exception) -> bool:
    """Whether a GPU or the processor (torch has no class for that) had no room."""
    own = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
    return own or "DefaultCPUAllocator: can't allocate memory" in str(error)


def _sentence(error: Exception) -> str:
    """One line, whatever a library wrote."""
    return " ".join(f"{type(error).__name__}: {error}".split())


def main(load: Callable[[Weights, int, int | None], Runner] = Worker) -> None:
    """Arguments: weights as JSON, torch threads (0: torch's default), seed (empty: none)."""
    # Ctrl-C in a terminal reaches this process too; its end comes from the service
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # what libraries print must not end up between the answers
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    weights, threads = Weights.from_json(sys.argv[1]), int(sys.argv[2])
    seed = int(sys.argv[3]) if sys.argv[3] else None
    try:
        runner = load(weights, threads, seed)
    except Exception as error:  # whatever it is, the service says it in one sentence and stops
        missing = isinstance(error, ModuleNotFoundError)
        todo = "; pip install -e '.[local]', or let model servers do everything (models.remote)" if missing else ""
        print(json.dumps({"error": _sentence(error) + todo}), file=out, flush=True)
        raise SystemExit(1) from error
    serve(runner, sys.stdin, out)


if __name__ == "__main__":
    main()

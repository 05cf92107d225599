"""A device process without weights: `python -m tests.models.scripted_worker`, the worker's protocol, instant answers.

A request says what happens to its batch: {"say": …} comes back as its text, after
    "fits": n       a batch of more than n is too large for memory
    "refused": true the model raises
    "fault": "hang" or "die", always, or with "once": PATH only the first time
    "tokens": n     so many tokens are written, with a look at the cancellations between them
"""

import os
import signal
import threading
from collections.abc import Sequence
from pathlib import Path

from models import worker
from models.weights import Weights
from models.worker import Between, Json

CANCELLED = "cancelled"


class Scripted:
    """A models.worker.Runner that does what its requests say."""

    def __init__(self, weights: Weights, threads: int, seed: int | None) -> None:
        root = weights.encoders["folder"]
        if (root / "broken").exists():
            raise ValueError("the folder says so")
        if (root / "stuck").exists():
            threading.Event().wait()

    def run(self, lane: str, requests: Sequence[Json], between: Between) -> list[Json]:
        """One result for each request."""
        for request in requests:
            if len(requests) > request.get("fits", len(requests)):
                raise MemoryError(f"a batch of {len(requests)}")
            if request.get("refused"):
                raise ValueError(f"{request['say']} is poison")
            if "fault" in request:
                _suffer(request)
        return [_write(row, request, between) for row, request in enumerate(requests)]


def _suffer(request: Json) -> None:
    if "once" in request:
        marker = Path(request["once"])
        if marker.exists():
            return
        marker.touch()
    if request["fault"] == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    threading.Event().wait()


def _write(row: int, request: Json, between: Between) -> Json:
    for written in range(request.get("tokens", 1)):
        if row in between():
            return {"text": CANCELLED, "ended": False, "tokens": written}
    return {"text": request["say"], "ended": True, "tokens": request.get("tokens", 1)}


if __name__ == "__main__":
    worker.main(Scripted)

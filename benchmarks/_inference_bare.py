"""The device process with all its libraries and encoders but without the four tasks: what it takes is not theirs."""

from pathlib import Path
from typing import Any

from models import worker


class _NoTasks:
    def __init__(self, *_: Any, **__: Any) -> None:
        """Nothing is loaded."""


def _load(root: Path, threads: int, seed: int | None) -> worker.Worker:
    from models import causal_lm

    causal_lm.CausalLM = _NoTasks  # type: ignore[misc, assignment]
    return worker.Worker(root, threads, seed)


if __name__ == "__main__":
    worker.main(_load)

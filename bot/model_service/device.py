"""The device process of a model service: it writes with the bases themselves, too.

A worker elsewhere compares an adapter with its base before it trusts it (models.openai_lm).
"""

from collections.abc import Mapping, Sequence

from models.weights import Weights
from models.worker import Worker, main


def bases(weights: Weights) -> Mapping[str, Sequence[str]]:
    """A name for each base → the tasks on it."""
    groups = [list(adapters) for adapters in weights.by_base().values()]
    names = ["base"] if len(groups) == 1 else [f"base-{number}" for number in range(1, len(groups) + 1)]
    return dict(zip(names, groups, strict=True))


class WithBases(Worker):
    """A lane for each base beside the adapters on it: no adapter is called so, and none is used."""

    def __init__(self, weights: Weights, threads: int, seed: int | None) -> None:
        super().__init__(weights, threads, seed)
        self._tasks |= {base: self._tasks[tasks[0]] for base, tasks in bases(weights).items()}


if __name__ == "__main__":
    main(WithBases)

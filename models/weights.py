"""What a device process is told to load: which weights serve what on this machine."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True, slots=True)
class Tuned:
    """A LoRA adapter, and the base model it lies on."""

    base: Path
    adapter: Path


@dataclass(frozen=True, slots=True)
class Weights:
    """Language-model tasks and encoders by name. Tasks that name the same base share one copy of it."""

    tasks: Mapping[str, Tuned]
    encoders: Mapping[str, Path]

    def __bool__(self) -> bool:
        return bool(self.tasks or self.encoders)

    def without(self, names: Iterable[str]) -> Self:
        """What is left when somebody else serves `names`."""
        elsewhere = set(names)
        return type(self)(
            {task: tuned for task, tuned in self.tasks.items() if task not in elsewhere},
            {name: path for name, path in self.encoders.items() if name not in elsewhere},
        )

    def by_base(self) -> dict[Path, dict[str, Path]]:
        """Base → task → adapter."""
        grouped: dict[Path, dict[str, Path]] = {}
        for task, tuned in self.tasks.items():
            grouped.setdefault(tuned.base.resolve(), {})[task] = tuned.adapter
        return grouped

    def to_json(self) -> str:
        """One line, for a command line."""
        tasks = {task: [str(tuned.base), str(tuned.adapter)] for task, tuned in self.tasks.items()}
        return json.dumps({"tasks": tasks, "encoders": {name: str(path) for name, path in self.encoders.items()}})

    @classmethod
    def from_json(cls, line: str) -> Self:
        """What `to_json` wrote."""
        told = json.loads(line)
        tasks = {task: Tuned(Path(base), Path(adapter)) for task, (base, adapter) in told["tasks"].items()}
        return cls(tasks, {name: Path(path) for name, path in told["encoders"].items()})

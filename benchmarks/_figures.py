"""The figures of a platform benchmark: gathered, shown to people, printed for scripts."""

import json
import os
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks._marks import Tally, together

_WIDTH = 100
_COMPLAINTS_SHOWN = 20


@dataclass
class Figures:
    """`tallies`: phase or fault → what came of its messages. `faults`: how often each really struck.

    `offences`: broken rules of the platform, late heartbeats and the like, none of which may be.
    """

    console: Console
    numbers: dict[str, float] = field(default_factory=dict)
    tallies: dict[str, Tally] = field(default_factory=dict)
    faults: Counter[str] = field(default_factory=Counter)
    offences: Counter[str] = field(default_factory=Counter)

    def add(self, name: str, tally: Tally, struck: int = 0) -> None:
        """What came of a phase, or of a fault that struck so many times."""
        self.tallies[name] = tally
        if struck:
            self.faults[name] = struck
        for complaint in tally.complaints[:_COMPLAINTS_SHOWN]:
            self.console.print(f"{name}: {complaint}", markup=False)

    def offend(self, kind: str, found: Sequence[Any]) -> None:
        """Something that may not be, if anything was found."""
        self.offences[kind] += len(found)
        for one in found[:_COMPLAINTS_SHOWN]:
            self.console.print(f"{kind}: {one}", markup=False)

    def latencies(self, milliseconds: Sequence[float]) -> None:
        """From messages to their replies, under a steady stream."""
        median, p95, longest = np.percentile(milliseconds, (50, 95, 100))
        self.numbers |= {"p50_ms": round(median, 1), "p95_ms": round(p95, 1), "max_ms": round(longest, 1)}

    def report(self, title: str, folder: Path) -> int:
        """Print everything. Returns the exit status; with 0 the records and logs in `folder` go."""
        total = together(self.tallies.values())
        names = list(total.figures())
        table = Table(title=title)
        for column in ("", "struck", *names):
            table.add_column(column, justify="right" if column else "left")
        for name, tally in self.tallies.items():
            table.add_row(name, str(self.faults.get(name, "")), *map(str, tally.figures().values()))
        Console(width=_WIDTH).print(table)
        cores = len(os.sched_getaffinity(0))
        print(json.dumps({**self.numbers, **total.figures(), **self.offences, "faults": self.faults, "cores": cores}))
        if total.clean and not self.offences.total():
            shutil.rmtree(folder)
            return 0
        self.console.print(f"records and logs are in {folder}")
        return 1

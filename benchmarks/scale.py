"""How many durable turns a second, and what a turn costs when the record is large (README.md)."""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # `python benchmarks/scale.py` works as well as `-m`

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks._scale_crowd import Crowd, hear
from benchmarks._scale_fill import Size, fill, user_id
from storage.record import Record

PEOPLE = 64
TURNS_EACH = 50
# before anything is measured: caches fill, statements are compiled
WARM_UP = 3
FULL = Size(people=100_000, memories=1_000_000, cases=100_000)
QUICK = Size(people=1000, memories=10_000, cases=1000)
# an empty and a full record take turns; the medians are compared
ROUNDS, TURNS_A_ROUND = 7, 10
TURNS_PER_S, RATIO = 300.0, 1.2

Figures = dict[str, float]


def main() -> int:
    """Every part; exit status 1 when a figure misses its mark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small record and few turns, to see that it runs")
    quick = parser.parse_args().quick
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory(prefix="ohlora-scale-") as folder:
        figures = asyncio.run(_one_process(Path(folder), 5 if quick else TURNS_EACH))
        figures |= asyncio.run(_cost_when_full(Path(folder), QUICK if quick else FULL, console.print))
    _report(figures)
    missed = figures["sqlite_turns_per_s"] < TURNS_PER_S or figures["full_record_ratio"] > RATIO
    return 0 if quick else int(missed)


async def _one_process(folder: Path, turns_each: int) -> Figures:
    """Everybody talks at once with one process over SQLite."""
    people = [user_id(number) for number in range(PEOPLE)]
    async with await Record.open(_url(folder / "one.db")) as record:
        await hear(record, Crowd(people, WARM_UP))
        crowd = Crowd(people, turns_each, WARM_UP)
        await hear(record, crowd)
        if await record.turns.unanswered() or await record.turns.undelivered() or await record.turns.unremembered():
            raise SystemExit("benchmarks/scale.py: a turn was left unfinished")
    median, p95 = np.percentile(crowd.reply_s, (50, 95)) * 1000
    return {
        "sqlite_turns": len(crowd.reply_s),
        "sqlite_turns_per_s": round(len(crowd.reply_s) / crowd.took_s, 1),
        "sqlite_reply_p50_ms": round(float(median), 1),
        "sqlite_reply_p95_ms": round(float(p95), 1),
    }


async def _cost_when_full(folder: Path, size: Size, told: Callable[[str], None]) -> Figures:
    """The same new people talk with an empty record and with one that was used for years, in turns."""
    empty, full = folder / "empty.db", folder / "full.db"
    await (await Record.open(_url(full))).close()
    await asyncio.to_thread(fill, full, size, lambda table: told(f"filling {table}"))
    took: dict[Path, list[float]] = {empty: [], full: []}
    people = [user_id(number) for number in range(size.people, size.people + PEOPLE)]
    async with await Record.open(_url(empty)) as small, await Record.open(_url(full)) as large:
        for number in range(ROUNDS + 1):
            for path, record in ((empty, small), (full, large)):
                crowd = Crowd(people, TURNS_A_ROUND, number * TURNS_A_ROUND)
                await hear(record, crowd)
                if number:  # the first round warms up
                    took[path].append(crowd.took_s * 1000 / len(crowd.reply_s))
    in_empty, in_full = (statistics.median(took[path]) for path in (empty, full))
    return {
        "people": size.people,
        "memories": size.memories,
        "cases": size.cases,
        "turn_ms_empty_record": round(in_empty, 3),
        "turn_ms_full_record": round(in_full, 3),
        "full_record_ratio": round(in_full / in_empty, 3),
    }


def _url(path: Path) -> str:
    return f"sqlite+aiosqlite:///{path}"


def _report(figures: Figures) -> None:
    table = Table("figure", "", title="scale")
    for name, value in figures.items():
        table.add_row(name, f"{value:,}")
    Console().print(table)
    print(json.dumps(figures))


if __name__ == "__main__":
    raise SystemExit(main())

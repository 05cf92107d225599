"""How many durable turns a second, and what a turn costs when the record is large (README.md)."""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # `python benchmarks/scale.py` works as well as `-m`

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks._scale_crowd import Crowd, hear
from benchmarks._scale_dispatch import DURABLE_POSTGRES, Load, analyze, dispatched
from benchmarks._scale_fill import Size, fill_postgres, fill_sqlite, user_id
from storage.record import Record
from tests.postgres_server import postgres_server

PEOPLE = 64
TURNS_EACH = 50
# before anything is measured: caches fill, statements are compiled
WARM_UP = 3
FULL = Size(people=100_000, memories=1_000_000, cases=100_000)
QUICK = Size(people=1000, memories=10_000, cases=1000)
# an empty and a full record take turns; the medians are compared
ROUNDS, TURNS_A_ROUND = 7, 10
QUICK_ROUNDS, QUICK_TURNS = 1, 2
TURNS_PER_S, RATIO, ADDED_MS = 300.0, 1.2, 50.0
# half of what is wanted, for so many seconds
PACED_PER_S, PACED_S = TURNS_PER_S / 2, 20

Figures = dict[str, float]
Settle = Callable[[], None]


def _nothing() -> None:
    """What SQLite has to do after a warm-up."""


def main() -> int:
    """The parts that are named, or all; exit status 1 when a figure misses its mark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small record and few turns, to see that it runs")
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="which ones; all of them if none is named")
    asked = parser.parse_args()
    figures: Figures = {}
    for name in asked.parts or PARTS:
        with tempfile.TemporaryDirectory(prefix="ohlora-scale-") as folder:
            figures |= asyncio.run(PARTS[name](Path(folder), asked.quick))
    missed = [name for name, hit in _MARKS.items() if name in figures and not hit(figures[name])]
    _report(figures, missed)
    return 0 if asked.quick else int(bool(missed))


async def _one(folder: Path, quick: bool) -> Figures:
    """Everybody talks at once with one process: over SQLite, then over PostgreSQL."""
    turns_each = QUICK_TURNS if quick else TURNS_EACH
    figures = await _one_process("sqlite", _url(folder / "one.db"), turns_each)
    with postgres_server(*DURABLE_POSTGRES) as server:
        return figures | await _one_process("postgres", server.url(), turns_each, partial(analyze, server))


async def _one_process(name: str, url: str, turns_each: int, settle: Settle = _nothing) -> Figures:
    people = [user_id(number) for number in range(PEOPLE)]
    async with await Record.open(url) as record:
        await hear(record, Crowd(people, WARM_UP))
        settle()
        crowd = Crowd(people, turns_each, WARM_UP)
        await hear(record, crowd)
        if await record.turns.unanswered() or await record.turns.undelivered() or await record.turns.unremembered():
            raise SystemExit("benchmarks/scale.py: a turn was left unfinished")
    median, p95 = np.percentile(crowd.reply_s, (50, 95)) * 1000
    return {
        f"{name}_turns": len(crowd.reply_s),
        f"{name}_turns_per_s": round(len(crowd.reply_s) / crowd.took_s, 1),
        f"{name}_reply_p50_ms": round(float(median), 1),
        f"{name}_reply_p95_ms": round(float(p95), 1),
    }


async def _full(folder: Path, quick: bool) -> Figures:
    """What a turn costs in a record that was used for years: in SQLite, then in PostgreSQL."""
    size = QUICK if quick else FULL
    empty, full = folder / "empty.db", folder / "full.db"
    await (await Record.open(_url(full))).close()
    await asyncio.to_thread(fill_sqlite, full, size, _tell)
    figures = await _compared("sqlite", _url(empty), _url(full), size)
    with postgres_server(*DURABLE_POSTGRES) as server:
        for database in ("empty_record", "full_record"):
            server.sql(f"CREATE DATABASE {database}")
        await (await Record.open(server.url("full_record"))).close()
        await asyncio.to_thread(fill_postgres, server, "full_record", size, _tell)
        urls = server.url("empty_record"), server.url("full_record")
        figures |= await _compared("postgres", *urls, size, partial(analyze, server, "empty_record"))
    return {"people": size.people, "memories": size.memories, "cases": size.cases, **figures}


async def _compared(name: str, empty: str, full: str, size: Size, settle: Settle = _nothing) -> Figures:
    """The same new people talk with both, in turns."""
    took: dict[str, list[float]] = {empty: [], full: []}
    people = [user_id(number) for number in range(size.people, size.people + PEOPLE)]
    rounds, turns = (QUICK_ROUNDS, QUICK_TURNS) if size is QUICK else (ROUNDS, TURNS_A_ROUND)
    async with await Record.open(empty) as small, await Record.open(full) as large:
        for number in range(rounds + 1):
            for url, record in ((empty, small), (full, large)):
                crowd = Crowd(people, turns, number * turns)
                await hear(record, crowd)
                if number:  # the first round warms up
                    took[url].append(crowd.took_s * 1000 / len(crowd.reply_s))
            if not number:
                settle()
    in_empty, in_full = (statistics.median(took[url]) for url in (empty, full))
    return {
        f"{name}_turn_ms_empty_record": round(in_empty, 3),
        f"{name}_turn_ms_full_record": round(in_full, 3),
        f"{name}_full_record_ratio": round(in_full / in_empty, 3),
    }


async def _dispatched(folder: Path, quick: bool) -> Figures:
    """Two gateways and two workers over Redis and PostgreSQL."""
    del folder
    paced_s = 2 if quick else PACED_S
    return await dispatched(Load(QUICK_TURNS if quick else TURNS_EACH, PACED_PER_S, round(PACED_PER_S * paced_s)))


def _tell(table: str) -> None:
    Console(stderr=True).print(f"filling {table}")


def _url(path: Path) -> str:
    return f"sqlite+aiosqlite:///{path}"


def _report(figures: Figures, missed: list[str]) -> None:
    table = Table("figure", "", title="scale")
    for name, value in figures.items():
        table.add_row(name, f"{value:,}", style="red" if name in missed else "")
    Console().print(table)
    print(json.dumps(figures))


PARTS = {"one": _one, "full": _full, "dispatched": _dispatched}
_MARKS: dict[str, Callable[[float], bool]] = {
    "sqlite_turns_per_s": lambda per_s: per_s >= TURNS_PER_S,
    "sqlite_full_record_ratio": lambda ratio: ratio <= RATIO,
    "postgres_full_record_ratio": lambda ratio: ratio <= RATIO,
    "dispatched_turns_per_s": lambda per_s: per_s >= TURNS_PER_S,
    "paced_reply_p95_ms": lambda ms: ms < ADDED_MS,
}


if __name__ == "__main__":
    raise SystemExit(main())

"""Kill, stop, cut off, fill up, lock and overload everything, and look for what was lost or doubled (README.md)."""

import argparse
import asyncio
import json
import random
import statistics
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # `python benchmarks/chaos.py` works as well as `-m`

from rich.console import Console
from rich.table import Table

from benchmarks import _chaos_kills, _chaos_outages, _chaos_overload, _chaos_sqlite
from benchmarks._chaos_check import COUNTED, MARKS
from benchmarks._chaos_world import Outcome

SEED = 20261121
PARTS = ("kills", "resume", "outages", "sqlite", "overload", "stops")
_TIMES = {"kills": 200, "resume": 20, "outages": 1, "sqlite": 1, "overload": 1, "stops": 50}
_QUICK_TIMES = {"kills": 4, "resume": 1, "outages": 1, "sqlite": 1, "overload": 1, "stops": 4}
_OUTAGES_S, _QUICK_OUTAGES_S = (1, 5, 15, 30, 60), (1,)
_LEASE_S, _QUICK_LEASE_S = 10.0, 2.0
_WIDTH = 100


def main() -> int:
    """Every part that was asked for; exit status 1 when something misses its mark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], metavar="PART", help=f"of {', '.join(PARTS)}")
    parser.add_argument("-n", type=int, metavar="TIMES", help="how often things happen in each part")
    parser.add_argument("--seconds", type=float, default=300, help="of overload (default: 300)")
    parser.add_argument("--locked", type=float, default=30, help="seconds that the SQLite file is locked (default: 30)")
    parser.add_argument("--quick", action="store_true", help="a little of each part, to see that it runs")
    parser.add_argument("--seed", type=int, default=SEED, help="decides who is hit, and when")
    given = parser.parse_args()
    outcomes = {part: asyncio.run(_part(part, given)) for part in given.parts or PARTS}
    return _report(outcomes)


def _part(part: str, given: argparse.Namespace) -> Coroutine[Any, Any, Outcome]:
    times = given.n or (_QUICK_TIMES if given.quick else _TIMES)[part]
    rng = random.Random(f"{given.seed} {part}")
    quick: bool = given.quick
    lease_s = _QUICK_LEASE_S if quick else _LEASE_S
    parts: dict[str, Callable[[], Coroutine[Any, Any, Outcome]]] = {
        "kills": lambda: _chaos_kills.kills(times, rng, lease_s),
        "resume": lambda: _chaos_kills.resume(times, rng, lease_s),
        "outages": lambda: _chaos_outages.part(times, lease_s, _QUICK_OUTAGES_S if quick else _OUTAGES_S),
        "sqlite": lambda: _chaos_sqlite.part(times, 1 if quick else 10, 6 if quick else given.locked),
        "overload": lambda: _chaos_overload.part(10 if quick else given.seconds, lease_s),
        "stops": lambda: _chaos_kills.stops(times, rng, lease_s),
    }
    return parts[part]()


def _report(outcomes: dict[str, Outcome]) -> int:
    figures = {part: _figures(outcome) for part, outcome in outcomes.items()}
    table = Table(title="chaos")
    table.add_column("")
    for part in figures:
        table.add_column(part, justify="right")
    for name in (*MARKS, *COUNTED, "median_s", "max_s", "limit_s", "missed"):
        table.add_row(name, *(str(figures[part][name]) for part in figures))
    for part, outcome in outcomes.items():
        for line in outcome.missed:
            print(f"{part}: {line}", file=sys.stderr)
    Console(width=_WIDTH).print(table)
    total = {name: sum(found[name] for found in figures.values()) for name in (*MARKS, "missed")}
    print(json.dumps({**total, "parts": figures}))
    return 1 if total["missed"] else 0


def _figures(outcome: Outcome) -> dict[str, Any]:
    seconds = outcome.seconds or [0.0]
    return {
        "times": outcome.times,
        **{name: outcome.counts[name] for name in (*MARKS, *COUNTED)},
        "median_s": round(statistics.median(seconds), 2),
        "max_s": round(max(seconds), 2),
        "limit_s": outcome.limit_s,
        "exit_statuses": dict(outcome.stopped),
        "ended_unasked": dict(outcome.ended),
        "missed": len(outcome.missed),
        **outcome.figures,
    }


if __name__ == "__main__":
    raise SystemExit(main())

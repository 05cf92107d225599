"""Our way of inference against the original's, in turns on one machine: turns/s, waiting, memory (README.md)."""

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice, product
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # `python benchmarks/inference.py` works as well as `-m`

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from benchmarks._inference_process import Side
from benchmarks.turn import MESSAGES
from models.registry import BUNDLED

SEED = 20260601
# one person alone says so many times as many messages: one turn is short, and chance plays a part in it
ALONE = 4
FLOOD_PEOPLE, FLOOD_MESSAGES = 32, 200
WIDTH = 110

KINDS = ("음식", "가수", "영화", "운동", "게임", "카페", "색깔", "계절", "과목", "동물")
HOLDERS = ("엄마", "아빠", "누나", "동생", "친구")
VALUES = ("딸기 케이크", "에스파", "바닷가 산책", "배드민턴", "보드게임", "고양이 보리", "초록색", "늦가을")


@dataclass(frozen=True)
class Measure:
    """`reached` is to be at least `wanted`, or at most where `at_most`."""

    what: str
    wanted: float
    at_most: bool = False

    def holds(self, reached: float) -> bool:
        """Whether it is good enough."""
        return reached <= self.wanted if self.at_most else reached >= self.wanted


MEASURES = {
    "turns_16": Measure("turns/s, {people} people at once", 10),
    "turns_1": Measure("turns/s, 1 person", 2),
    "reply_time_1": Measure("s until the reply is ready, 1 person", 3),
    "memory": Measure("MiB, what the four tasks take", 0.45, at_most=True),
    "memory_whole": Measure("MiB, with libraries, encoders and our service", 1, at_most=True),
    "flood_p99": Measure("s, p99 of the others' wait: calm, flood", 1.5, at_most=True),
}


@dataclass
class Pairs:
    """Measure → (original, ours) of each pair; for the flood (without, with)."""

    values: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    counts: dict[str, Counter[str]] = field(default_factory=lambda: {"original": Counter(), "ours": Counter()})
    written: list[float] = field(default_factory=list)

    def add(self, measure: str, first: float, second: float) -> None:
        """One more pair."""
        self.values.setdefault(measure, []).append((first, second))

    def count(self, side: str, talked: Mapping[str, Any]) -> None:
        """Whether both sides did the same."""
        self.counts[side].update({name: talked[name] for name in ("turns", "replied", "no_reply", "tokens")})

    def reached(self, measure: str) -> float:
        """The median of the pairs' ratios: how much faster or shorter, or how much is left."""
        upside_down = measure == "reply_time_1"
        return median(a / b if upside_down else b / a for a, b in self.values[measure])

    def medians(self, measure: str) -> tuple[float, float]:
        """(original, ours), each by itself."""
        return median(a for a, _ in self.values[measure]), median(b for _, b in self.values[measure])


def main() -> None:
    """Measure and print."""
    given = _parsed()
    pairs = Pairs()
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        console=Console(stderr=True),
    )  # fmt: skip
    with bar, ExitStack() as stack:
        doing = bar.add_task("loading", total=2 + 5 * given.pairs)

        def next_is(what: str) -> None:
            bar.update(doing, description=what, advance=1)

        sides = {
            kind: stack.enter_context(Side(kind, given.profile, given.threads, SEED)) for kind in ("original", "ours")
        }
        next_is("memory")
        _memory(given, sides, pairs)
        for number in range(given.pairs):
            _one_pair(given, sides, number, pairs, next_is)
        next_is("done")
    _print_table(given, pairs)
    print(json.dumps(_figures(given, pairs)))


def _parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=5, help="measurements of both sides (default: 5)")
    parser.add_argument("--people", type=int, default=16, help="who talk at once (default: 16)")
    parser.add_argument("--memories", type=int, default=200, help="of each person (default: 200)")
    parser.add_argument(
        "--turns", type=int, default=4, help=f"of each; one alone has {ALONE} times as many (default: 4)"
    )
    parser.add_argument("--profile", type=Path, default=BUNDLED, help="folder with the models (default: bundled)")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="of torch, on either side")
    parser.add_argument("--quick", action="store_true", help="one small pair, to see that it runs")
    given = parser.parse_args()
    given.flood_people, given.flood_messages = FLOOD_PEOPLE, FLOOD_MESSAGES
    if given.quick:
        given.pairs, given.turns = 1, 1
        given.people, given.memories = min(given.people, 4), min(given.memories, 40)
        given.flood_people, given.flood_messages = 8, 40
    return given


def _memory(given: argparse.Namespace, sides: Mapping[str, Side], pairs: Pairs) -> None:
    """After loading and one turn; once, for it does not depend on chance."""
    for side in sides.values():
        side.ask("talk", memories=_memories(given.memories), said=[[MESSAGES[0]]])
    with ExitStack() as stack:
        bare = {kind: stack.enter_context(Side(f"{kind}-bare", given.profile, given.threads, SEED)) for kind in sides}
        for side in bare.values():
            side.ask("learn", memories=_memories(given.memories))
        # all four at once, so that what libraries share is shared in each
        taken = {kind: side.memory() for kind, side in sides.items()}
        without = {kind: side.memory() for kind, side in bare.items()}
    pairs.add("memory", *(taken[kind] - without[kind] for kind in ("original", "ours")))
    pairs.add("memory_whole", taken["original"], taken["ours"])


def _one_pair(
    given: argparse.Namespace, sides: Mapping[str, Side], number: int, pairs: Pairs, next_is: Callable[[str], None]
) -> None:
    order = ("original", "ours") if number % 2 == 0 else ("ours", "original")
    memories = _memories(given.memories)
    together, alone = {}, {}
    for kind in order:
        next_is(f"pair {number + 1}, {given.people} people, {kind}")
        together[kind] = sides[kind].ask("talk", memories=memories, said=_said(given.people, given.turns, number))
        next_is(f"pair {number + 1}, 1 person, {kind}")
        alone[kind] = sides[kind].ask("talk", memories=memories, said=_said(1, ALONE * given.turns, number))
        pairs.count(kind, together[kind])
        pairs.count(kind, alone[kind])
    pairs.add("turns_16", together["original"]["turns_per_s"], together["ours"]["turns_per_s"])
    pairs.add("turns_1", alone["original"]["turns_per_s"], alone["ours"]["turns_per_s"])
    pairs.add("reply_time_1", alone["original"]["ready_s"], alone["ours"]["ready_s"])
    pairs.written.append(alone["original"]["written_s"])
    next_is(f"pair {number + 1}, flood")
    pairs.add("flood_p99", *_flooded(given, sides["ours"], number))


def _flooded(given: argparse.Namespace, ours: Side, number: int) -> tuple[float, float]:
    """p99 of the others' wait in seconds, without the flood and with it; the original takes one after another."""
    said = _said(given.flood_people, given.turns, number)
    flood = [MESSAGES[place % len(MESSAGES)] for place in range(given.flood_messages)]
    order = ([], flood) if number % 2 == 0 else (flood, [])
    first, second = (float(ours.ask("flood", said=said, extra=extra)["p99_s"]) for extra in order)
    return (first, second) if number % 2 == 0 else (second, first)


def _memories(count: int) -> list[tuple[str, str]]:
    """(key, value) of different things that a person may have told; none of them ages."""
    told = ((f"{holder}가 좋아하는 {kind}", value) for value, holder, kind in product(VALUES, HOLDERS, KINDS))
    known = list(islice(told, count))
    return known + [(f"{place}번째 비밀", VALUES[place % len(VALUES)]) for place in range(len(known), count)]


def _said(people: int, turns: int, number: int) -> list[list[str]]:
    """Person → what they say; the same on both sides, something else in every pair."""
    return [
        [MESSAGES[(person + turn + number * turns) % len(MESSAGES)] for turn in range(turns)]
        for person in range(people)
    ]


def _print_table(given: argparse.Namespace, pairs: Pairs) -> None:
    note = (
        f"Medians of {given.pairs} pairs, {given.memories} memories each; memory once. The original's reply also waits "
        f"for memory and summary; answer, face and verdict were there after {median(pairs.written):.2f} s."
    )
    table = Table(title="The original way and ours", caption=note)
    for column in ("", "measured", "original", "ours", "ratio", "wanted", ""):
        table.add_column(column, justify="right" if column in ("original", "ours", "ratio", "wanted") else "left")
    for name, measure in MEASURES.items():
        reached = pairs.reached(name)
        table.add_row(
            name,
            measure.what.format(people=given.people),
            *(f"{value:.3g}" for value in pairs.medians(name)),
            f"{reached:.2f}",
            f"{'≤' if measure.at_most else '≥'} {measure.wanted:g}",
            "reached" if measure.holds(reached) else "not reached",
        )
    Console(width=WIDTH).print(table)


def _figures(given: argparse.Namespace, pairs: Pairs) -> dict[str, object]:
    measures = {}
    for name, measure in MEASURES.items():
        first, second = (round(value, 4) for value in pairs.medians(name))
        names = ("calm", "flood") if name == "flood_p99" else ("original", "ours")
        wanted = {"wanted": measure.wanted, "reached": round(pairs.reached(name), 3)}
        measures[name] = {**wanted, "holds": measure.holds(pairs.reached(name)), names[0]: first, names[1]: second}
    return {
        **measures,
        "original_written_s": round(median(pairs.written), 4),
        "sides": pairs.counts,
        "pairs": given.pairs,
        "people": given.people,
        "memories": given.memories,
        "turns": given.turns,
        "threads": given.threads,
        "cores": len(os.sched_getaffinity(0)),
    }


if __name__ == "__main__":
    try:
        main()
    except RuntimeError as error:
        raise SystemExit(f"benchmarks/inference.py: {error}") from error

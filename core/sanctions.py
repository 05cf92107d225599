"""The append-only log of sanctions, and what follows from it (behaviour.md §7). Pure: log in, standing out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

LONGEST = timedelta(days=1461)
WARNING = timedelta(0)

# category → periods of the 1st, 2nd, … sanction; past the end the last repeats; zero is a warning
LADDERS: Mapping[str, tuple[timedelta, ...]] = {
    "love": (WARNING, timedelta(hours=1), timedelta(hours=24), timedelta(days=14), LONGEST),
    "politics": (WARNING, timedelta(days=3), timedelta(days=7), timedelta(days=30), timedelta(days=365)),
    "insult": (timedelta(days=7), timedelta(days=30), LONGEST),
    "hate": (timedelta(hours=24), timedelta(days=7), timedelta(days=90), LONGEST),
}


@dataclass(frozen=True, slots=True)
class Sanction:
    """One category's step, issued at `at`. Those of one turn share `at`, and their periods add up.

    `evidence` is what moderators see: scores, thresholds, model version, prompt and answer.
    """

    category: str
    step: int
    at: datetime
    period: timedelta
    evidence: Mapping[str, object] = field(default_factory=dict)
    overturned: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """What a person's log says now. `counts`: sanctions per category that count for the next step."""

    blocked_until: datetime | None = None
    reasons: tuple[str, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)


def standing(log: Iterable[Sanction], now: datetime) -> Standing:
    """The standing that follows from `log` at `now`; overturned sanctions count for nothing."""
    counts: dict[str, int] = {}
    turns: dict[datetime, list[Sanction]] = {}
    for sanction in log:
        if not sanction.overturned:
            counts[sanction.category] = counts.get(sanction.category, 0) + 1
            turns.setdefault(sanction.at, []).append(sanction)
    until: datetime | None = None
    reasons: tuple[str, ...] = ()
    for at, issued in turns.items():
        end = at + block_period(issued)
        if end > now and (until is None or end > until):
            until, reasons = end, tuple(s.category for s in issued if s.period)
    return Standing(until, reasons, counts)


def next_sanctions(
    categories: Sequence[str],
    current: Standing,
    now: datetime,
    evidence: Mapping[str, object],
    ladders: Mapping[str, tuple[timedelta, ...]] = LADDERS,
) -> tuple[Sanction, ...]:
    """One sanction per category that acted, each on its own next step."""
    issued = []
    for category in categories:
        step = current.counts.get(category, 0) + 1
        ladder = ladders[category]
        issued.append(Sanction(category, step, now, ladder[min(step, len(ladder)) - 1], evidence))
    return tuple(issued)


def block_period(issued: Iterable[Sanction]) -> timedelta:
    """How long the sanctions of one turn block together; zero when they only warn."""
    return min(sum((sanction.period for sanction in issued), timedelta(0)), LONGEST)

"""What a turn or a moderator issues, and how long it lasts (behaviour.md §7). Pure; what becomes of it: core.cases."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

LONGEST = timedelta(days=1461)
WARNING = timedelta(0)

# category → periods of the 1st, 2nd, … sanction; past the end the last repeats; zero is a warning
LADDERS: Mapping[str, tuple[timedelta, ...]] = {
    "love": (WARNING, timedelta(hours=1), timedelta(hours=24), timedelta(days=14), LONGEST),
    "politics": (WARNING, timedelta(days=3), timedelta(days=7), timedelta(days=30), timedelta(days=365)),
    "insult": (timedelta(days=7), timedelta(days=30), LONGEST),
    "hate": (timedelta(hours=24), timedelta(days=7), timedelta(days=90), LONGEST),
}


class Mode(StrEnum):
    """What a category does in a place. SHADOW: cases are recorded, and the person notices nothing."""

    ENFORCE = "enforce"
    SHADOW = "shadow"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What moderators see: prompt and answer, the cosine with every category, from where each acts, and who judged.

    `encoder`: name and revision. A manual sanction has none of it, and prompt and answer go after a while.
    """

    prompt: str = ""
    answer: str = ""
    scores: Mapping[str, float] = field(default_factory=dict)
    thresholds: Mapping[str, float] = field(default_factory=dict)
    encoder: str = ""


@dataclass(frozen=True, slots=True)
class Sanction:
    """One category's step, issued at `at`. The periods of those of one turn add up."""

    category: str
    step: int
    at: datetime
    period: timedelta
    mode: Mode = Mode.ENFORCE
    evidence: Evidence = field(default_factory=Evidence)

    @property
    def felt(self) -> bool:
        """Whether the person notices it."""
        return self.mode is Mode.ENFORCE


def step_period(ladder: Sequence[timedelta], step: int) -> timedelta:
    """How long the `step`-th sanction lasts; past the end of its ladder the last one repeats."""
    return ladder[min(step, len(ladder)) - 1]


def next_sanctions(
    categories: Iterable[str],
    counts: Mapping[str, int],
    now: datetime,
    evidence: Evidence,
    ladders: Mapping[str, Sequence[timedelta]] = LADDERS,
    modes: Mapping[str, Mode] | None = None,
) -> tuple[Sanction, ...]:
    """One sanction per category that acted, each on its own next step; `counts`: those that count already."""
    issued = []
    for category in categories:
        step = counts.get(category, 0) + 1
        mode = (modes or {}).get(category, Mode.ENFORCE)
        issued.append(Sanction(category, step, now, step_period(ladders[category], step), mode, evidence))
    return tuple(issued)


def block_period(periods: Iterable[timedelta]) -> timedelta:
    """How long sanctions of one turn block together; zero when they only warn."""
    return min(sum(periods, timedelta(0)), LONGEST)


def issue_time(now: datetime, sent_at: datetime) -> datetime:
    """When a sanction begins: never before its message was sent, as the platform's clock says.

    So a clock of ours that fell back does not take its lag off the end. Stamps that are days ahead are no witness.
    """
    return sent_at if now < sent_at < now + timedelta(days=2) else now

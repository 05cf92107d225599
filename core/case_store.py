"""Where cases are kept: what core asks of the record, and what moderators may ask it for."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

from core.cases import Case, Event, State
from core.messages import ChatKey, PersonKey, PlaceKey
from core.sanctions import Mode, Sanction

# a case as it is → what happens to it; raises Refused
CaseRule = Callable[[Case], Event]


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """Which cases; None: all of them. `since`: issued then or later."""

    place: PlaceKey | None = None
    state: State | None = None
    person: PersonKey | None = None
    category: str | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """A message of the review queue, on the case's platform. `appeal`: 0 shows the case itself, n its nth appeal."""

    appeal: int
    chat_id: str
    message_id: str


@dataclass(frozen=True, slots=True)
class WeekCount:
    """How many cases of a kind arose in a week; `week` is its Monday, in UTC."""

    week: date
    category: str
    mode: Mode
    state: State
    cases: int


@dataclass(frozen=True, slots=True)
class Stats:
    """`answered`, `mean_wait`, `longest_wait`: the cases' appeals, from appeal to decision; `waiting`: still open."""

    weeks: tuple[WeekCount, ...] = ()
    answered: int = 0
    mean_wait: timedelta | None = None
    longest_wait: timedelta | None = None
    waiting: int = 0

    def share_overturned(self) -> dict[str, float]:
        """category → share of its enforced cases that were overturned, 0 to 1."""
        shares: dict[str, float] = {}
        for category in {count.category for count in self.weeks}:
            felt = [count for count in self.weeks if count.category == category and count.mode is Mode.ENFORCE]
            if total := sum(count.cases for count in felt):
                overturned = sum(count.cases for count in felt if count.state is State.OVERTURNED)
                shares[category] = overturned / total
        return shares


class CaseStore(Protocol):
    """The append-only log of cases; those of a turn enter it with their turn (TurnStore.commit).

    All raise RecordError; every method but `export` is one transaction.
    """

    async def of(self, person: PersonKey) -> list[Case]:
        """A person's enforced cases, oldest first, without evidence: all that their standing follows from."""
        ...

    async def of_turn(self, turn_id: int) -> list[Case]:
        """The cases of a turn, in its order."""
        ...

    async def get(self, number: int) -> Case | None:
        """One case; None where there is none of that number."""
        ...

    async def page(self, wanted: CaseFilter, before: int | None = None, limit: int = 10) -> list[Case]:
        """The newest cases with a number below `before`, newest first; the next page begins before the last of them."""
        ...

    async def append(self, number: int, rule: CaseRule) -> Case:
        """Append what `rule` makes of the case as it is now, and give the case as it is then.

        Nobody comes between the two, so of two decisions the second is refused. Whatever `rule` raises comes through,
        and nothing is written; Refused (NO_CASE) where there is none of that number.
        """
        ...

    async def open(
        self, person: PersonKey, chat: ChatKey, sanction: Sanction, issued: Event, *, everywhere: bool, language: str
    ) -> Case:
        """A new case issued by hand."""
        ...

    async def stats(self, place: PlaceKey | None, since: datetime) -> Stats:
        """Figures about the cases issued since then, in a place or (None) anywhere."""
        ...

    def export(self, since: datetime, place: PlaceKey | None = None) -> AsyncIterator[Case]:
        """The cases issued since then, oldest first, a few at a time."""
        ...

    async def blank(self, ended_before: datetime) -> int:
        """Take prompt and answer out of cases that ended before then, a few at a time, and say how many there were.

        A case with an open appeal keeps them until it is decided. Call it until it gives 0.
        """
        ...

    async def show(self, number: int, shown: Shown) -> None:
        """A message of the review queue shows the case, or one appeal of it, in its chat; the last one counts."""
        ...

    async def shown(self, number: int) -> list[Shown]:
        """The messages that show a case, oldest first."""
        ...

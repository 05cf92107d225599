"""Cases: a sanction with everything that happened to it since, and what follows from a person's cases. Pure.

The law: a case is its append-only events; state, standing and the next step follow from them and from nothing else.
An end is a moment, fixed when a case is issued, that only a `shortened`, `lifted` or `overturned` event moves, and only
to an earlier one. Nothing is counted down and nothing is written when a block is over: a clock that jumps, back or
forth, moves no end, and at every moment that it shows before the end the person is blocked, whatever it showed before.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from core.messages import ChatKey, PersonKey, PlaceKey
from core.sanctions import Sanction, block_period

# prompt and answer of a case are kept this long after its end
RETENTION = timedelta(days=180)


class Kind(StrEnum):
    """What happens to a case. LIFTED ends a block without judging it: the case goes on counting."""

    ISSUED = "issued"
    NOTICED = "noticed"
    APPEALED = "appealed"
    UPHELD = "upheld"
    OVERTURNED = "overturned"
    SHORTENED = "shortened"
    LIFTED = "lifted"
    COMMENTED = "commented"


class State(StrEnum):
    """OPEN: nobody has judged it yet. APPEALED: an appeal waits. Otherwise the last decision."""

    OPEN = "open"
    APPEALED = "appealed"
    UPHELD = "upheld"
    OVERTURNED = "overturned"
    SHORTENED = "shortened"


DECISIONS = frozenset({Kind.UPHELD, Kind.OVERTURNED, Kind.SHORTENED})
_LEADS_TO = {
    Kind.APPEALED: State.APPEALED,
    Kind.UPHELD: State.UPHELD,
    Kind.OVERTURNED: State.OVERTURNED,
    Kind.SHORTENED: State.SHORTENED,
}


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. `by`: None is 오로라 herself.

    `text`: a reason, an appeal, a comment; of NOTICED what became of the notice (core.ports.Delivery).
    `period`: of SHORTENED, how long the case lasts from now on, counted from when it was issued.
    """

    kind: Kind
    at: datetime
    by: PersonKey | None = None
    text: str = ""
    period: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """A sanction of a person, where it arose, and its events, oldest first; the first one is ISSUED.

    `turn`: of which turn it is, None when it was issued by hand. `everywhere`: holds in all of 오로라, not only in its
    place. `language`: the person's. `blanked`: prompt and answer are gone.
    """

    number: int
    person: PersonKey
    chat: ChatKey
    sanction: Sanction
    events: tuple[Event, ...]
    turn: int | None = None
    everywhere: bool = True
    language: str = "ko"
    blanked: bool = False

    @property
    def place(self) -> PlaceKey:
        """The server, group or private chat where it arose; its moderators judge it."""
        return self.chat.place

    @property
    def manual(self) -> bool:
        """Whether a moderator issued it."""
        return self.turn is None

    @property
    def state(self) -> State:
        """Where it stands."""
        state = State.OPEN
        for event in self.events:
            state = _LEADS_TO.get(event.kind, state)
        return state

    @property
    def counts(self) -> bool:
        """Whether it counts for blocks and next steps: enforced and not overturned."""
        return self.sanction.felt and all(event.kind is not Kind.OVERTURNED for event in self.events)

    @property
    def appeals(self) -> int:
        """How often it was appealed."""
        return sum(event.kind is Kind.APPEALED for event in self.events)

    @property
    def waits(self) -> tuple[timedelta, ...]:
        """How long each appeal that was answered waited for its decision."""
        waits: list[timedelta] = []
        asked: datetime | None = None
        for event in self.events:
            if event.kind is Kind.APPEALED:
                asked = event.at
            elif event.kind in DECISIONS and asked is not None:
                # a clock may have been set back in between
                waits.append(max(event.at - asked, timedelta(0)))
                asked = None
        return tuple(waits)

    @property
    def decision(self) -> Event | None:
        """The last decision."""
        return next((event for event in reversed(self.events) if event.kind in DECISIONS), None)

    @property
    def period(self) -> timedelta:
        """What it adds to the block of its turn now; nothing when it was lifted."""
        length = self.sanction.period
        for event in self.events:
            if event.kind is Kind.LIFTED:
                return timedelta(0)
            if event.kind is Kind.SHORTENED and event.period is not None:
                length = min(length, event.period)
        return length

    @property
    def end(self) -> datetime:
        """When it ends or ended by itself, the other cases of its turn aside."""
        begin, end = self.sanction.at, self.sanction.at + self.sanction.period
        for event in self.events:
            if event.kind in (Kind.LIFTED, Kind.OVERTURNED):
                end = min(end, max(event.at, begin))
            elif event.kind is Kind.SHORTENED and event.period is not None:
                end = min(end, begin + event.period)
        return end


@dataclass(frozen=True, slots=True)
class Standing:
    """What a person's cases say now. `counts`: cases per category that count for the next step."""

    blocked_until: datetime | None = None
    reasons: tuple[str, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)


def standing(cases: Iterable[Case], now: datetime, place: PlaceKey | None = None) -> Standing:
    """The standing that follows from a person's cases at `now` in `place`; None: as far as it holds everywhere."""
    holding = _holding(cases, place)
    counts: dict[str, int] = {}
    for case in holding:
        counts[case.sanction.category] = counts.get(case.sanction.category, 0) + 1
    until: datetime | None = None
    reasons: tuple[str, ...] = ()
    for end, block in _blocks(holding):
        if end > now and (until is None or end > until):
            until, reasons = end, tuple(case.sanction.category for case in block)
    return Standing(until, reasons, counts)


def blocking(cases: Iterable[Case], now: datetime, place: PlaceKey | None = None) -> tuple[Case, ...]:
    """The cases that block now, in `place`: what lifting has to end."""
    blocks = _blocks(_holding(cases, place))
    return tuple(case for end, block in blocks if end > now for case in block)


def _holding(cases: Iterable[Case], place: PlaceKey | None) -> list[Case]:
    return [case for case in cases if case.counts and (case.everywhere or case.place == place)]


def _blocks(holding: Iterable[Case]) -> list[tuple[datetime, list[Case]]]:
    """(end, cases) of each turn, and of each case issued by hand, that blocks.

    A warning has no part in it: for a clock that fell back it would lie ahead, and seem not to be over.
    """
    turns: dict[int, list[Case]] = {}
    for case in holding:
        if case.period:
            turns.setdefault(-case.number if case.turn is None else case.turn, []).append(case)
    return [(cases[0].sanction.at + block_period(case.period for case in cases), cases) for cases in turns.values()]

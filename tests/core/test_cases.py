"""From the log of cases to states, standings and ends."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.cases import Case, Event, Kind, Standing, State, blocking, standing
from core.messages import PlaceKey
from core.moderation import Refused, appealed, commented, decided, lifted
from core.sanctions import LADDERS, LONGEST, WARNING, Mode, Sanction
from tests.core.casework import (
    APPEALED,
    BORA,
    DAY,
    ELSEWHERE,
    HOUR,
    LIFTED,
    LOUNGE,
    MINA,
    MOMENT,
    NOW,
    OPERATOR,
    OVERTURNED,
    UPHELD,
    a_case,
    happened,
    shortened,
)

COMMENTED, NOTICED = happened(Kind.COMMENTED), happened(Kind.NOTICED)


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ([], State.OPEN),
        ([NOTICED, COMMENTED], State.OPEN),
        ([LIFTED], State.OPEN),
        ([UPHELD], State.UPHELD),
        ([OVERTURNED, COMMENTED], State.OVERTURNED),
        ([shortened(HOUR), NOTICED], State.SHORTENED),
        ([APPEALED], State.APPEALED),
        ([APPEALED, LIFTED, COMMENTED], State.APPEALED),
        ([UPHELD, APPEALED], State.APPEALED),
        ([UPHELD, APPEALED, OVERTURNED], State.OVERTURNED),
        ([shortened(HOUR), APPEALED, UPHELD], State.UPHELD),
    ],
)
def test_the_state_is_where_the_events_lead(events: list[Event], state: State) -> None:
    assert a_case(1, "hate", DAY, NOW, *events).state is state


LATER = NOW + 2 * HOUR


@pytest.mark.parametrize(
    ("events", "period", "end"),
    [
        ([], DAY, DAY),
        ([UPHELD, APPEALED, COMMENTED], DAY, DAY),
        ([shortened(HOUR)], HOUR, HOUR),
        # what was shortened does not grow again
        ([shortened(HOUR), APPEALED, shortened(3 * HOUR)], HOUR, HOUR),
        ([shortened(WARNING)], WARNING, WARNING),
        ([happened(Kind.LIFTED, LATER)], WARNING, 2 * HOUR),
        ([happened(Kind.LIFTED, NOW + 3 * DAY)], WARNING, DAY),
        # lifted by a clock that had fallen back
        ([happened(Kind.LIFTED, NOW - DAY)], WARNING, WARNING),
        ([happened(Kind.OVERTURNED, LATER)], DAY, 2 * HOUR),
    ],
)
def test_what_a_case_adds_to_a_block_and_its_end_follow_from_the_events(
    events: list[Event], period: timedelta, end: timedelta
) -> None:
    case = a_case(1, "hate", DAY, NOW, *events)
    assert (case.period, case.end) == (period, NOW + end)


@pytest.mark.parametrize(
    ("events", "hours"),
    [
        ([], []),
        ([happened(Kind.UPHELD, LATER)], []),
        ([APPEALED], []),
        ([APPEALED, LIFTED, happened(Kind.UPHELD, LATER), happened(Kind.APPEALED, LATER)], [2]),
        ([UPHELD, APPEALED, happened(Kind.UPHELD, LATER), APPEALED, happened(Kind.OVERTURNED, NOW + DAY)], [2, 24]),
        ([happened(Kind.APPEALED, LATER), OVERTURNED], [0]),
    ],
)
def test_an_appeal_waits_until_it_is_answered(events: list[Event], hours: list[int]) -> None:
    assert a_case(1, "hate", DAY, NOW, *events).waits == tuple(timedelta(hours=wait) for wait in hours)


@pytest.mark.parametrize(
    ("cases", "until", "reasons", "counts"),
    [
        ([], None, (), {}),
        ([a_case(1, "love", WARNING)], None, (), {"love": 1}),
        ([a_case(1, "hate", DAY, NOW, OVERTURNED)], None, (), {}),
        ([a_case(1, "hate", DAY, NOW, OVERTURNED), a_case(2, "hate", HOUR)], NOW + HOUR, ("hate",), {"hate": 1}),
        ([a_case(1, "hate", DAY, mode=Mode.SHADOW)], None, (), {}),
        ([a_case(1, "hate", DAY, NOW, LIFTED)], None, (), {"hate": 1}),
        ([a_case(1, "hate", DAY, NOW, shortened(HOUR))], NOW + HOUR, ("hate",), {"hate": 1}),
        # of two categories in one turn, one is overturned: its period goes
        ([a_case(1, "hate", DAY, turn=9), a_case(2, "insult", 7 * DAY, NOW, OVERTURNED, turn=9)],
         NOW + DAY, ("hate",), {"hate": 1}),
        # the person notices one category of the turn, the other is only recorded
        ([a_case(1, "hate", DAY, turn=9), a_case(2, "love", 7 * DAY, turn=9, mode=Mode.SHADOW)],
         NOW + DAY, ("hate",), {"hate": 1}),
        # a warning beside a block is no reason for it
        ([a_case(1, "love", WARNING, turn=9), a_case(2, "hate", DAY, turn=9)],
         NOW + DAY, ("hate",), {"love": 1, "hate": 1}),
        # blocks of different turns do not add up, at the same moment either; the one that ends last counts
        ([a_case(1, "insult", 7 * DAY), a_case(2, "hate", DAY)], NOW + 7 * DAY, ("insult",), {"insult": 1, "hate": 1}),
        # nor do two that were issued by hand
        ([a_case(1, "insult", 7 * DAY, turn=None), a_case(2, "hate", DAY, turn=None)],
         NOW + 7 * DAY, ("insult",), {"insult": 1, "hate": 1}),
        # a warning issued by a clock that was ahead
        ([a_case(1, "love", WARNING, NOW + DAY)], None, (), {"love": 1}),
        ([a_case(1, "hate", DAY, NOW - DAY)], None, (), {"hate": 1}),
        ([a_case(1, "hate", DAY, NOW - DAY + MOMENT)], NOW + MOMENT, ("hate",), {"hate": 1}),
    ],
)  # fmt: skip
def test_the_standing_follows_from_the_cases(
    cases: list[Case], until: datetime | None, reasons: tuple[str, ...], counts: dict[str, int]
) -> None:
    assert standing(cases, NOW) == Standing(until, reasons, counts)
    assert bool(blocking(cases, NOW)) == (until is not None)


def test_what_a_servers_moderator_issued_holds_in_that_server_only() -> None:
    theirs = a_case(1, "hate", DAY, turn=None, everywhere=False)
    assert standing([theirs], NOW, LOUNGE.place) == Standing(NOW + DAY, ("hate",), {"hate": 1})
    for elsewhere in (ELSEWHERE.place, PlaceKey("discord", "guild"), None):
        assert standing([theirs], NOW, elsewhere) == Standing()
    everywhere = replace(theirs, everywhere=True)
    assert standing([everywhere], NOW, ELSEWHERE.place).blocked_until == NOW + DAY


def test_what_blocks_now_is_every_case_of_the_block_also_one_whose_own_period_is_over() -> None:
    cases = [
        a_case(1, "hate", DAY, turn=9), a_case(2, "insult", 7 * DAY, turn=9), a_case(3, "love", WARNING, turn=9),
        a_case(4, "hate", DAY), a_case(5, "politics", 30 * DAY, turn=None, everywhere=False, chat=ELSEWHERE),
    ]  # fmt: skip
    almost = NOW + 8 * DAY - MOMENT
    assert [case.number for case in blocking(cases, almost)] == [1, 2]
    assert [case.number for case in blocking(cases, almost, ELSEWHERE.place)] == [1, 2, 5]
    ended = [replace(case, events=(*case.events, lifted(case, OPERATOR, almost))) for case in cases[:2]]
    assert standing([*ended, *cases[2:]], almost) == Standing(None, (), {"hate": 2, "insult": 1, "love": 1})


# Random histories, told twice: by the rules and the log, and by a ledger that is changed as things happen.

PLACES = (LOUNGE, ELSEWHERE)
CATEGORIES = tuple(LADDERS)
_hours = st.sampled_from([0, 1, 5, 24, 24 * 7, 24 * 1461])
_offence = st.tuples(st.sampled_from(CATEGORIES), _hours, st.sampled_from([Mode.ENFORCE, Mode.ENFORCE, Mode.SHADOW]))
_which = st.integers(0, 7)
_step = st.one_of(
    st.tuples(st.just("offend"), st.lists(_offence, min_size=1, max_size=3, unique_by=lambda given: given[0])),
    st.tuples(st.just("by hand"), st.sampled_from(CATEGORIES), _hours, st.booleans()),
    st.tuples(st.just("decide"), _which, st.sampled_from([Kind.UPHELD, Kind.OVERTURNED, Kind.SHORTENED]), _hours),
    st.tuples(st.just("lift"), _which),
    st.tuples(st.just("appeal"), _which),
    st.tuples(st.just("comment"), _which),
    st.tuples(st.just("wait"), st.sampled_from([timedelta(minutes=7), HOUR, 8 * DAY, 40 * DAY])),
    st.tuples(st.just("jump"), st.sampled_from([-DAY, -HOUR, HOUR, DAY])),
)
MAY_END_EARLIER = {Kind.OVERTURNED, Kind.SHORTENED, Kind.LIFTED}


@dataclass
class Entry:
    """What the ledger knows of a case."""

    turn: object
    category: str
    at: datetime
    hours: float
    felt: bool
    place: PlaceKey | None
    gone: bool = False


@dataclass
class History:
    """The log and the ledger, side by side."""

    now: datetime = NOW
    log: list[Case] = field(default_factory=list)
    ledger: list[Entry] = field(default_factory=list)

    def issue(self, category: str, hours: float, mode: Mode, turn: int | None, place: PlaceKey | None) -> None:
        number, period = len(self.log) + 1, timedelta(hours=hours)
        sanction = Sanction(category, 1, self.now, period, mode)
        began = (Event(Kind.ISSUED, self.now),)
        case = Case(number, MINA, LOUNGE, sanction, began, turn=turn, everywhere=place is None)
        self.log.append(case)
        key = ("by hand", number) if turn is None else turn
        self.ledger.append(Entry(key, category, self.now, hours, mode is Mode.ENFORCE, place))

    def append(self, index: int, event: Event) -> None:
        case, entry = self.log[index], self.ledger[index]
        self.log[index] = replace(case, events=(*case.events, event))
        if event.kind is Kind.OVERTURNED:
            entry.gone = True
        elif event.kind is Kind.LIFTED:
            entry.hours = 0
        elif event.kind is Kind.SHORTENED:
            assert event.period is not None
            entry.hours = event.period / HOUR

    def expected(self, now: datetime, place: PlaceKey | None) -> tuple[datetime | None, dict[str, int]]:
        """Until when, and counts, by adding up the ledger."""
        held = [entry for entry in self.ledger if entry.felt and not entry.gone and entry.place in (None, place)]
        counts = {name: n for name in CATEGORIES if (n := sum(entry.category == name for entry in held))}
        ends = []
        for turn in {entry.turn for entry in held}:
            hours = sum(entry.hours for entry in held if entry.turn == turn)
            begin = next(entry.at for entry in held if entry.turn == turn)
            if hours:
                ends.append(begin + min(timedelta(hours=hours), LONGEST))
        until = max((end for end in ends if end > now), default=None)
        return until, counts


def play(history: History, step: tuple[Any, ...]) -> Kind | None:
    """One step; the kind of event that it appended, None for none."""
    match step:
        case ("offend", offences):
            for category, hours, mode in offences:
                history.issue(category, hours, mode, len(history.log) + 100 * len(offences), None)
        case ("by hand", category, hours, everywhere):
            history.issue(category, hours, Mode.ENFORCE, None, None if everywhere else LOUNGE.place)
        case ("wait" | "jump", by):
            history.now += by
        case (what, which, *how) if history.log:
            index = which % len(history.log)
            try:
                event = _asked(what, history.log[index], history.now, *how)
            except Refused:
                return None
            history.append(index, event)
            return event.kind
    return None


def _asked(what: str, case: Case, now: datetime, kind: Kind = Kind.UPHELD, hours: float = 0) -> Event:
    match what:
        case "decide":
            return decided(case, BORA, kind, now, period=timedelta(hours=hours))
        case "lift":
            return lifted(case, OPERATOR, now)
        case "appeal":
            return appealed(case, MINA, now, "억울해")
    return commented(case, BORA, now, "음")


@settings(max_examples=500, deadline=None)
@given(st.lists(_step, max_size=40))
def test_the_standing_of_any_history_is_what_a_ledger_says(steps: list[tuple[Any, ...]]) -> None:
    history = History()
    for step in steps:
        play(history, step)
        for place in (None, LOUNGE.place, ELSEWHERE.place):
            for now in (history.now, history.now + 9 * HOUR):
                found = standing(history.log, now, place)
                assert (found.blocked_until, found.counts) == history.expected(now, place)


LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@settings(max_examples=500, deadline=None)
@given(st.lists(_step, max_size=40))
def test_no_end_ever_moves_earlier_but_by_an_event_that_says_so(steps: list[tuple[Any, ...]]) -> None:
    history = History()
    for step in steps:
        before = [case.end for case in history.log]
        until = standing(history.log, LONG_AGO, LOUNGE.place).blocked_until
        kind = play(history, step)
        after = standing(history.log, LONG_AGO, LOUNGE.place).blocked_until
        if kind not in MAY_END_EARLIER:
            assert [case.end for case in history.log][: len(before)] == before
            assert until is None or (after is not None and after >= until)
        else:
            assert all(new <= old for new, old in zip([case.end for case in history.log], before, strict=True))


@settings(max_examples=500, deadline=None)
@given(
    st.lists(_offence, min_size=1, max_size=3, unique_by=lambda given: given[0]),
    st.lists(st.tuples(st.integers(0, 3000), st.sampled_from([-DAY, -HOUR, timedelta(0), HOUR, DAY])), max_size=30),
)
def test_a_clock_that_jumps_never_ends_a_block_early(
    offences: list[tuple[str, int, Mode]], glances: list[tuple[int, timedelta]]
) -> None:
    """Whoever looks at a right clock finds the block until its end, whatever the clock showed meanwhile."""
    history = History()
    play(history, ("offend", offences))
    end = standing(history.log, NOW).blocked_until
    for hours, off in glances:
        passed = NOW + timedelta(hours=hours)
        wrong, right = standing(history.log, passed + off), standing(history.log, passed)
        assert right.blocked_until == (end if end is not None and passed < end else None)
        assert wrong.blocked_until == (end if end is not None and passed + off < end else None)
        if off <= timedelta(0) and right.blocked_until is not None:
            assert wrong.blocked_until == end

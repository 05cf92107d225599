"""Who may do what to a case."""

from datetime import datetime, timedelta

import pytest

from core.cases import Case, Event, Kind
from core.messages import PersonKey, PlaceKey
from core.moderation import (
    TEXT_LENGTH,
    Moderator,
    Refusal,
    Refused,
    appealed,
    commented,
    decided,
    issued,
    lifted,
    may_see,
)
from core.sanctions import WARNING, Mode
from tests.core.casework import (
    APPEALED,
    BORA,
    DAY,
    ELSEWHERE,
    HOME,
    HOUR,
    JUN,
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

WEEK = timedelta(days=7)
OF_ELSEWHERE = Moderator(PersonKey("console", "nari"), ELSEWHERE.place)
NOBODY = Moderator(PersonKey("console", "nari"))
NAMESAKE = Moderator(PersonKey("console", "bora"), PlaceKey("discord", "guild"))
HERSELF, HERSELF_OPERATOR = Moderator(MINA, LOUNGE.place), Moderator(MINA, operator=True)


def case_with(*events: Event, period: timedelta = DAY, mode: Mode = Mode.ENFORCE) -> Case:
    return a_case(1, "hate", period, NOW, *events, mode=mode)


@pytest.mark.parametrize(
    ("by", "refusal"),
    [
        (BORA, None), (OPERATOR, None),
        (OF_ELSEWHERE, Refusal.NOT_YOURS), (NOBODY, Refusal.NOT_YOURS), (NAMESAKE, Refusal.NOT_YOURS),
        (HERSELF, Refusal.ABOUT_YOURSELF), (HERSELF_OPERATOR, Refusal.ABOUT_YOURSELF),
    ],
)  # fmt: skip
def test_who_may_act_on_a_case_of_a_server(by: Moderator, refusal: Refusal | None) -> None:
    case = case_with()
    acts = (
        lambda: decided(case, by, Kind.OVERTURNED, NOW, text=" 아니야 "),
        lambda: lifted(case, by, NOW, " 아니야 "),
        lambda: commented(case, by, NOW, " 아니야 "),
    )
    for act, kind in zip(acts, (Kind.OVERTURNED, Kind.LIFTED, Kind.COMMENTED), strict=True):
        if refusal is None:
            assert act() == Event(kind, NOW, by.person, "아니야")
        else:
            with pytest.raises(Refused) as refused:
                act()
            assert refused.value.reason is refusal
    assert may_see(case, by) == (refusal is not Refusal.NOT_YOURS)


def test_a_private_chat_is_nobodys_place_but_the_operators() -> None:
    case = a_case(chat=HOME)
    assert may_see(case, OPERATOR)
    assert not may_see(case, Moderator(JUN, HOME.place))


@pytest.mark.parametrize(
    ("events", "former"),
    [
        ([], None), ([LIFTED], None), ([APPEALED], None), ([UPHELD, APPEALED], None),
        ([UPHELD], UPHELD), ([OVERTURNED], OVERTURNED), ([shortened(HOUR)], shortened(HOUR)),
        ([UPHELD, APPEALED, OVERTURNED, happened(Kind.COMMENTED)], OVERTURNED),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", [Kind.UPHELD, Kind.OVERTURNED, Kind.SHORTENED])
def test_there_is_one_decision_for_a_case_and_one_for_each_appeal(
    events: list[Event], former: Event | None, kind: Kind
) -> None:
    case = case_with(*events)
    if former is None:
        period = None if kind is not Kind.SHORTENED else WARNING
        if Kind.LIFTED in [event.kind for event in events] and kind is Kind.SHORTENED:
            return  # nothing is left to be shortened
        assert decided(case, BORA, kind, NOW, period=period) == Event(kind, NOW, BORA.person, "", period)
        return
    with pytest.raises(Refused) as refused:
        decided(case, OPERATOR, kind, NOW, period=WARNING)
    assert (refused.value.reason, refused.value.event) == (Refusal.DECIDED, former)


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind not in (Kind.UPHELD, Kind.OVERTURNED, Kind.SHORTENED)])
def test_nothing_else_is_a_decision(kind: Kind) -> None:
    with pytest.raises(ValueError, match="decides nothing"):
        decided(case_with(), BORA, kind, NOW)


@pytest.mark.parametrize(
    ("seen", "events", "refused"),
    [
        (0, [], False), (1, [APPEALED], False), (1, [UPHELD, APPEALED], False), (None, [UPHELD, APPEALED], False),
        (0, [APPEALED], True), (1, [APPEALED, UPHELD, APPEALED], True), (1, [], True),
    ],
)  # fmt: skip
def test_nobody_answers_an_appeal_that_they_did_not_see(seen: int | None, events: list[Event], refused: bool) -> None:
    case = case_with(*events)
    if not refused:
        assert decided(case, BORA, Kind.UPHELD, NOW, appeal=seen).kind is Kind.UPHELD
        return
    with pytest.raises(Refused) as found:
        decided(case, BORA, Kind.UPHELD, NOW, appeal=seen)
    assert found.value.reason is Refusal.OUTDATED


@pytest.mark.parametrize("period", [None, -MOMENT, DAY, 2 * DAY])
def test_a_block_is_shortened_to_less_than_it_is(period: timedelta | None) -> None:
    with pytest.raises(Refused) as refused:
        decided(case_with(), BORA, Kind.SHORTENED, NOW, period=period)
    assert refused.value.reason is Refusal.NOT_SHORTER
    assert decided(case_with(), BORA, Kind.SHORTENED, NOW, period=DAY - MOMENT).period == DAY - MOMENT


@pytest.mark.parametrize(
    ("case", "former"),
    [
        (case_with(period=WARNING), None),
        (case_with(mode=Mode.SHADOW), None),
        (case_with(LIFTED), LIFTED),
        (case_with(OVERTURNED, happened(Kind.COMMENTED)), OVERTURNED),
        (case_with(shortened()), shortened()),
    ],
)
def test_what_does_not_block_cannot_be_lifted(case: Case, former: Event | None) -> None:
    with pytest.raises(Refused) as refused:
        lifted(case, BORA, NOW)
    assert (refused.value.reason, refused.value.event) == (Refusal.NOT_BLOCKING, former)


def test_a_decided_case_may_be_lifted_all_the_same() -> None:
    assert lifted(case_with(APPEALED, UPHELD), BORA, NOW).kind is Kind.LIFTED


def answered(days: float) -> Event:
    return happened(Kind.UPHELD, NOW + timedelta(days=days))


@pytest.mark.parametrize(
    ("case", "person", "now", "refusal"),
    [
        (case_with(), MINA, NOW, None),
        (case_with(period=WARNING), MINA, NOW + 400 * DAY, None),
        (case_with(UPHELD), MINA, NOW, None),
        (case_with(LIFTED), MINA, NOW, None),
        (case_with(), JUN, NOW, Refusal.NO_CASE),
        (case_with(), PersonKey("discord", "mina"), NOW, Refusal.NO_CASE),
        (case_with(mode=Mode.SHADOW), MINA, NOW, Refusal.NO_CASE),
        (case_with(APPEALED), MINA, NOW + 400 * DAY, Refusal.APPEAL_OPEN),
        (case_with(OVERTURNED), MINA, NOW, Refusal.DECIDED),
        (case_with(APPEALED, answered(3)), MINA, NOW + 3 * DAY + WEEK - MOMENT, Refusal.TOO_SOON),
        (case_with(APPEALED, answered(3)), MINA, NOW + 3 * DAY + WEEK, None),
        # the wait begins with the answer to an appeal, not with a decision that nobody asked for
        (case_with(answered(3), happened(Kind.COMMENTED)), MINA, NOW + 3 * DAY, None),
        (case_with(*[APPEALED, answered(3)] * 2), MINA, NOW + 30 * DAY, None),
        (case_with(*[APPEALED, answered(3)] * 3), MINA, NOW + 400 * DAY, Refusal.TOO_MANY),
    ],
)
def test_who_may_appeal_and_when(case: Case, person: PersonKey, now: datetime, refusal: Refusal | None) -> None:
    if refusal is None:
        assert appealed(case, person, now, " 억울해 ") == Event(Kind.APPEALED, now, person, "억울해")
        return
    with pytest.raises(Refused) as refused:
        appealed(case, person, now, "억울해")
    assert refused.value.reason is refusal
    assert refused.value.until == (NOW + 3 * DAY + WEEK if refusal is Refusal.TOO_SOON else None)


@pytest.mark.parametrize(
    ("text", "refusal"),
    [("", Refusal.NO_TEXT), (" \n", Refusal.NO_TEXT), ("가" * TEXT_LENGTH, None), ("가" * 1001, Refusal.TOO_LONG)],
)
def test_words_are_needed_and_not_too_many(text: str, refusal: Refusal | None) -> None:
    acts = (
        lambda: appealed(case_with(), MINA, NOW, text),
        lambda: commented(case_with(), BORA, NOW, text),
        lambda: issued(MINA, LOUNGE.place, BORA, NOW, text),
    )
    for act in acts:
        if refusal is None:
            assert act().text == text
        else:
            with pytest.raises(Refused) as refused:
                act()
            assert refused.value.reason is refusal


@pytest.mark.parametrize(
    ("by", "everywhere", "refusal"),
    [
        (BORA, False, None), (OPERATOR, False, None), (OPERATOR, True, None),
        (BORA, True, Refusal.NOT_YOURS), (OF_ELSEWHERE, False, Refusal.NOT_YOURS), (NOBODY, False, Refusal.NOT_YOURS),
        (HERSELF, False, Refusal.ABOUT_YOURSELF), (HERSELF_OPERATOR, True, Refusal.ABOUT_YOURSELF),
    ],
)  # fmt: skip
def test_who_may_block_by_hand_and_how_far(by: Moderator, everywhere: bool, refusal: Refusal | None) -> None:
    if refusal is None:
        told = issued(MINA, LOUNGE.place, by, NOW, "도배", everywhere=everywhere)
        assert told == Event(Kind.ISSUED, NOW, by.person, "도배")
        return
    with pytest.raises(Refused) as refused:
        issued(MINA, LOUNGE.place, by, NOW, "도배", everywhere=everywhere)
    assert refused.value.reason is refusal

"""Reminders and the sentences of notices."""

from datetime import UTC, datetime, timedelta

import pytest

from core.messages import ChatKey, IncomingMessage, Notice, NoticeKind, PersonKey, PlaceKey, Reply
from core.notices import Reminder, notice, numbered, sanction_notices
from core.sanctions import Mode, Sanction

NOON = datetime(2025, 11, 21, 3, tzinfo=UTC)
EVERY = timedelta(minutes=10)
MOMENT = timedelta(microseconds=1)


def person(number: int) -> PersonKey:
    return PersonKey("console", str(number))


def test_somebody_is_due_once_in_a_while() -> None:
    reminder = Reminder(EVERY)
    moments = [NOON, NOON, NOON + EVERY - MOMENT, NOON + EVERY, NOON + EVERY + MOMENT, NOON + 3 * EVERY]
    assert [reminder.due(person(1), moment) for moment in moments] == [True, False, False, True, False, True]


def test_nobody_waits_for_a_clock_that_was_set_back() -> None:
    reminder = Reminder(EVERY)
    assert [reminder.due(person(1), moment) for moment in (NOON, NOON - timedelta(days=1))] == [True, True]


def test_everybody_is_due_for_themselves() -> None:
    reminder = Reminder(EVERY)
    for number in range(3):
        assert reminder.due(person(number), NOON + number * timedelta(minutes=1))
    # the first may be told again, the others may not yet
    assert [reminder.due(person(number), NOON + EVERY) for number in range(3)] == [True, False, False]


def test_whoever_may_be_told_again_is_forgotten() -> None:
    reminder = Reminder(EVERY)
    for number in range(1000):
        reminder.due(person(number), NOON + number * timedelta(seconds=6))
    assert len(reminder._told) == 100


@pytest.mark.parametrize(
    ("periods", "kind", "said"),
    [
        ([], None, ""),
        ([timedelta(0)], NoticeKind.WARNING, "경고"),
        ([timedelta(0), timedelta(hours=2)], NoticeKind.BLOCK, "2시간"),
        ([timedelta(days=7), timedelta(days=1)], NoticeKind.BLOCK, "8일"),
    ],
)
def test_the_sanctions_of_a_turn_are_one_notice(periods: list[timedelta], kind: NoticeKind | None, said: str) -> None:
    issued = tuple(Sanction("love", 1, NOON, period) for period in periods)
    told = sanction_notices("ko", issued)
    assert [one.kind for one in told] == ([] if kind is None else [kind])
    assert all(said in one.text for one in told)


def test_sanctions_that_nobody_notices_are_told_to_nobody() -> None:
    silent = Sanction("love", 1, NOON, timedelta(days=1), Mode.SHADOW)
    assert sanction_notices("ko", [silent]) == ()
    assert sanction_notices("ko", [silent, Sanction("hate", 1, NOON, timedelta(hours=2))]) == sanction_notices(
        "ko", [Sanction("hate", 1, NOON, timedelta(hours=2))]
    )


def test_a_warning_names_its_cases_and_other_notices_do_not() -> None:
    asked = IncomingMessage(person(1), ChatKey("console", "home", True), "m1", "사귀자", NOON)
    warned, other = Notice(NoticeKind.WARNING, "경고야."), Notice(NoticeKind.INTRODUCTION, "나는 AI야.")
    reply = Reply(asked, "미안", notices=(warned, other))
    named = numbered(reply, [12, 13])
    assert named.notices[0].text.startswith("경고야. 사건 번호는 12, 13번")
    assert "/appeal" in named.notices[0].text
    assert named.notices[1] == other
    assert (named.text, numbered(reply, [])) == ("미안", reply)


def test_a_notice_fills_its_gaps() -> None:
    said = notice("en", NoticeKind.SLOW, position=3, seconds=20)
    assert said.text.startswith("Many people are calling me: you are number 3 in line. About 20 seconds")


@pytest.mark.parametrize("kind", NoticeKind)
def test_only_sanctions_concern_nobody_but_the_person(kind: NoticeKind) -> None:
    values = {"category": "", "period": "", "until": "", "position": 1, "seconds": 1}
    sanction = kind in (NoticeKind.WARNING, NoticeKind.BLOCK, NoticeKind.BLOCKED)
    assert notice("ko", kind, **values).private == sanction


@pytest.mark.parametrize(
    ("chat", "place", "scope"),
    [
        (ChatKey("discord", "dm", True), "dm", ""),
        (ChatKey("telegram", "-100", False), "-100", "-100"),
        (ChatKey("discord", "lounge", False, "guild"), "guild", "guild"),
        (ChatKey("telegram", "-100/7", False, "-100"), "-100", "-100"),
    ],
)
def test_a_chat_belongs_to_a_place_and_what_is_learned_in_it_to_a_scope(chat: ChatKey, place: str, scope: str) -> None:
    assert (chat.place, chat.scope) == (PlaceKey(chat.platform, place), scope)

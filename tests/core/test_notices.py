"""The sentences of notices."""

from datetime import UTC, datetime, timedelta

import pytest

from core.messages import ChatKey, IncomingMessage, Notice, NoticeKind, PersonKey, PlaceKey, Reply
from core.notices import notice, numbered, sanction_notices
from core.sanctions import Mode, Sanction

NOON = datetime(2025, 11, 21, 3, tzinfo=UTC)


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
    asked = IncomingMessage(PersonKey("console", "1"), ChatKey("console", "home", True), "m1", "사귀자", NOON)
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

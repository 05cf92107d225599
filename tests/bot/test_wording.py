"""A reply as text: in private everything, in public what everybody may read."""

import pytest

from bot.adapters.wording import for_all, for_one
from core.messages import ChatKey, Notice, NoticeKind, Reply
from tests.bot.conftest import HOME, LOUNGE, say

WARNING = Notice(NoticeKind.WARNING, "경고야")
BLOCK = Notice(NoticeKind.BLOCK, "차단이야")
BLOCKED = Notice(NoticeKind.BLOCKED, "아직 차단이야")
INTRODUCTION = Notice(NoticeKind.INTRODUCTION, "나는 AI야")
FAULT = Notice(NoticeKind.FAULT, "미안")


@pytest.mark.parametrize(
    ("chat", "text", "notices", "all_read", "one_reads"),
    [
        (HOME, "안녕", (), "안녕", ""),
        (HOME, "안녕", (WARNING, INTRODUCTION), "안녕\n\n※ 경고야\n\n※ 나는 AI야", ""),
        (HOME, "", (BLOCKED,), "※ 아직 차단이야", ""),
        (LOUNGE, "안녕", (), "안녕", ""),
        (LOUNGE, "안녕", (WARNING, INTRODUCTION), "안녕\n\n※ 나는 AI야", "※ 경고야"),
        (LOUNGE, "안녕", (BLOCK,), "안녕", "※ 차단이야"),
        (LOUNGE, "", (BLOCKED,), "", "※ 아직 차단이야"),
        (LOUNGE, "", (FAULT,), "※ 미안", ""),
        (LOUNGE, "", (), "", ""),
    ],
)
def test_sanctions_are_read_by_nobody_but_the_person(
    chat: ChatKey, text: str, notices: tuple[Notice, ...], all_read: str, one_reads: str
) -> None:
    reply = Reply(say("안녕", chat=chat), text, notices=notices)
    assert (for_all(reply), for_one(reply)) == (all_read, one_reads)
    assert reply.empty == (not all_read and not one_reads)

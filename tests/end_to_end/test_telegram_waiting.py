"""While somebody waits for a reply in Telegram."""

import asyncio
from typing import Any

import pytest

from core import texts
from core.expression import Expression
from core.messages import Notice, NoticeKind, Reply
from tests.end_to_end.telegram_house import ANSWER, FACE, Begun, HesitantModel, House, joined, opened, packed, said
from tests.end_to_end.telegram_house import house as house


async def test_she_is_seen_writing_in_the_topic_until_she_answers(house: House) -> None:
    forum = house.server.group("광장", forum=True, members=[house.person])
    topic = forum.topic("음악")
    model = HesitantModel()
    async with house.served(model):
        await house.server.say(house.person, forum, "/chat 안녕", topic=topic)
        await house.server.until(lambda: house.server.actions)
        action = house.server.actions[0]
        assert (action.chat, action.topic, action.action) == (forum, topic, "typing")
        model.let.set()
        await house.spoken(topic)


HELD = Notice(NoticeKind.SLOW, "조금만 기다려 줘")
LONG = "말 " * 3000


@pytest.mark.parametrize("face", [FACE, None], ids=["face", "no-face"])
@pytest.mark.parametrize("text", [ANSWER, LONG], ids=["short", "long"])
async def test_what_is_shown_meanwhile_becomes_the_reply(house: House, text: str, face: Expression | None) -> None:
    async with opened(house) as (adapter, _):
        message = await said(house, house.group)
        await adapter.hold(message, HELD)
        (held,) = house.group.replies
        assert (held.text, str(held.reply_to.id if held.reply_to else 0)) == (HELD.text, message.message_id)
        await adapter.post(Reply(message, text, face), begun := Begun(house))
        assert begun.seen == [1]
        assert house.group.replies[0] is held
        assert bool(held.photo) == (face is not None)
        assert joined(house.group.replies) == packed(text)
        assert HELD.text not in [one.words for one in house.group.replies]


@pytest.mark.parametrize(
    "fault", [{"status": 400}, {"status": 500}, {"cut": "before"}, {"cut": "after"}, {"status": 502}]
)
@pytest.mark.parametrize("face", [FACE, None], ids=["face", "no-face"])
async def test_an_edit_that_fails_costs_nobody_the_reply(
    house: House, fault: dict[str, Any], face: Expression | None
) -> None:
    async with opened(house) as (adapter, _):
        message = await said(house, house.group)
        await adapter.hold(message, HELD)
        house.server.fault("editMessage.*", **fault)
        await adapter.post(Reply(message, ANSWER, face), Begun(house))
        assert [one.words for one in house.group.replies] == [ANSWER]
        assert bool(house.group.replies[0].photo) == (face is not None)


async def test_what_was_held_goes_when_there_is_nothing_to_say_in_its_place(house: House) -> None:
    async with opened(house) as (adapter, _):
        dropped, blocked = await said(house, house.group), await said(house, house.group)
        await adapter.hold(dropped, HELD)
        await adapter.post(Reply(dropped), Begun(house))
        await adapter.hold(blocked, HELD)
        await adapter.post(Reply(blocked, notices=(Notice(NoticeKind.BLOCKED, "차단"),)), Begun(house))
        assert house.group.replies == []
        assert [one.text for one in house.private.replies] == ["※ 차단"]


async def test_a_hold_that_is_cancelled_on_its_way_is_not_forgotten(house: House) -> None:
    async with opened(house) as (adapter, _):
        message = await said(house, house.group)
        house.server.fault("sendMessage", delay=0.3)
        holding = asyncio.create_task(adapter.hold(message, HELD))
        (held,) = await house.spoken(house.group)
        holding.cancel()
        await adapter.post(Reply(message, ANSWER), Begun(house))
        assert [(one, one.text) for one in house.group.replies] == [(held, ANSWER)]


async def test_nobody_is_told_to_wait_at_the_cost_of_those_who_wait(house: House) -> None:
    async with opened(house) as (adapter, _):
        for _ in range(10):  # half of what a group hears in a minute
            await adapter.post(Reply(await said(house, house.group), ANSWER), Begun(house))
        waiting = await said(house, house.group)
        await adapter.hold(waiting, HELD)
        await adapter.post(Reply(waiting, ANSWER), Begun(house))
        assert [one.text for one in house.group.replies] == [ANSWER] * 11


async def test_who_has_the_reply_is_not_told_to_wait_for_it(house: House) -> None:
    async with opened(house) as (adapter, _):
        message = await said(house, house.group)
        await adapter.post(Reply(message), Begun(house))
        await adapter.hold(message, HELD)
        assert house.group.replies == []


async def test_a_long_wait_is_announced_and_then_answered_in_the_same_message(house: House) -> None:
    model = HesitantModel()
    async with house.served(model):
        await house.server.say(house.person, house.private, "안녕")
        (held,) = await house.server.until(lambda: house.private.replies)
        assert held.text == texts.text("ko", "notice", "slow", position=1, seconds=5)
        model.let.set()
        await house.server.until(lambda: held.caption == ANSWER)
        assert house.private.replies == [held]

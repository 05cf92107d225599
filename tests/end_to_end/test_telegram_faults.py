"""Replies while things go wrong: each sent once, or known to be unknown."""

import asyncio
import logging
from typing import Any

import pytest

from core.errors import DeliveryError, DeliveryRefused
from core.messages import Notice, NoticeKind, Reply
from tests.end_to_end.telegram_house import ANSWER, FACE, Begun, House, opened, post, said
from tests.end_to_end.telegram_house import house as house


async def test_the_whole_retry_after_is_waited_and_the_answer_still_sent_once(house: House) -> None:
    async with house.served():
        house.server.fault("sendPhoto", retry_after=1)
        assert (await house.shown("안녕")).caption == ANSWER
        await house.settled()
        assert (house.server.counts["sendPhoto 429"], house.server.counts["sent"]) == (1, 1)


@pytest.mark.parametrize("times", [1, 3])
async def test_an_answer_that_telegram_failed_to_take_is_sent_again(house: House, times: int) -> None:
    async with opened(house) as (adapter, _):
        house.server.fault("sendMessage", status=500, times=times)
        assert len(await post(house, adapter, await said(house, house.private), ANSWER)) == 1


async def test_an_answer_that_never_left_is_sent_when_telegram_is_there_again(house: House) -> None:
    async with opened(house) as (adapter, _):
        message = await said(house, house.private)
        await house.server.stop()
        posting = asyncio.create_task(adapter.post(Reply(message, ANSWER), Begun(house)))
        await asyncio.wait([posting], timeout=0.2)
        assert not posting.done()
        await house.server.start()
        await posting
        assert [one.text for one in house.private.replies] == [ANSWER]


UNKNOWN = [{"cut": "before"}, {"cut": "after"}, {"broken": True}, {"status": 502}, {"status": 504}]


@pytest.mark.parametrize("fault", UNKNOWN, ids=str)
async def test_an_answer_nobody_knows_the_fate_of_is_never_sent_again(
    house: House, fault: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    shown = 1 if fault.get("cut") == "after" or "broken" in fault else 0
    async with house.served():
        house.server.fault("sendPhoto", **fault)
        await house.server.say(house.person, house.private, "안녕")
        await house.server.until(lambda: house.server.faults[0].hits)
        await house.server.say(house.person, house.private, "거기 있어?")
        await house.spoken(house.private, shown + 1)
    assert "may not have arrived" in caplog.text
    async with house.served():
        await house.server.say(house.person, house.private, "또 왔어")
        await house.spoken(house.private, shown + 2)
    assert "nobody can know whether its reply arrived" in caplog.text


async def test_a_closed_door_is_refused_for_good(house: House) -> None:
    async with opened(house) as (adapter, _):
        message = await said(house, house.private)
        await house.server.block(house.person)
        with pytest.raises(DeliveryRefused, match="blocked by the user"):
            await adapter.post(Reply(message, ANSWER, FACE), Begun(house))
        in_group = await said(house, house.group)
        house.group.may_send = set()
        with pytest.raises(DeliveryRefused, match="Not enough rights"):
            await adapter.post(Reply(in_group, ANSWER, FACE), Begun(house))


async def test_a_notice_reaches_the_person_also_when_the_group_is_closed(house: House) -> None:
    async with opened(house) as (adapter, _):
        message = await said(house, house.group)
        house.group.may_send = set()
        with pytest.raises(DeliveryRefused):
            await adapter.post(Reply(message, ANSWER, notices=(Notice(NoticeKind.WARNING, "경고"),)), Begun(house))
        assert [one.text for one in house.private.replies] == ["※ 경고"]


async def test_a_cut_private_notice_is_not_taken_for_a_closed_door(house: House) -> None:
    async with opened(house) as (adapter, _):
        house.server.fault("sendMessage", chat=house.private.id, cut="after")
        with pytest.raises(DeliveryError):
            await adapter.post(
                Reply(await said(house, house.group), notices=(Notice(NoticeKind.BLOCKED, "차단"),)), Begun(house)
            )
        assert house.group.replies == []


async def test_a_group_that_waits_delays_nobody_else(house: House) -> None:
    async with house.served():
        for number in range(30):
            await house.server.say(house.person, house.group, f"/chat {number}")
        other = house.server.user("다른 사람")
        mine = house.server.private(other)
        await house.server.until(lambda: house.group.replies)
        await house.server.say(other, mine, "나는?")
        await house.spoken(mine)
        assert len(house.group.replies) < 25
        await house.spoken(house.group, 30)


async def test_the_token_is_in_no_log_and_no_error(house: House, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    house.server.fault("sendPhoto", cut="before")
    house.server.fault("getUpdates", status=502)
    async with house.served():
        await house.server.say(house.person, house.private, "안녕")
        await house.server.until(lambda: house.server.faults[0].hits)
        await house.server.say(house.person, house.private, "안녕")
        await house.server.until(lambda: house.private.replies)
    await house.server.stop()
    with pytest.raises(Exception, match="cannot be reached") as failed:
        async with house.served():
            pass
    await house.server.start()
    token = house.server.token.split(":")[1]
    assert "may not have arrived" in caplog.text
    assert token not in caplog.text
    assert token not in repr(failed.getrepr(chain=True))

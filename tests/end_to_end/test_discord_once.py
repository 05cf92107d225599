"""Exactly one reply to every message in Discord, whatever breaks."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from models.fakes import FakeLanguageModel
from tests.end_to_end.discord_house import ANSWER, WAIT_S, House, asked, key, present
from tests.end_to_end.discord_house import house as house
from tests.end_to_end.discord_server import Fault, Message, Permission
from tests.end_to_end.serving import HesitantModel

SENDS = r"/messages$"


def told(model: FakeLanguageModel) -> list[str]:
    """The last word of everything she was asked, in order."""
    return [text.split()[-1] for text in asked(model)]


async def answered_once(house: House, *messages: Message) -> None:
    """Each message has one reply, which is her answer with her face; nothing else was said in those channels."""
    channels = list(dict.fromkeys(message.channel for message in messages))
    expected = {channel: sum(message.channel is channel for message in messages) for channel in channels}
    await house.server.until(lambda: all(len(house.hers(one)) >= expected[one] for one in channels), WAIT_S)
    for channel in channels:
        replies = house.hers(channel)
        assert [(one.content, len(one.attachments)) for one in replies] == [(ANSWER, 1)] * expected[channel]
        if channel.guild is not None:
            assert [one.reference for one in replies if one.reference] == [
                one.reference for one in replies if one.reference in messages
            ]
    assert all(len(message.replies) == 1 for message in messages if message.channel.guild is not None)


@pytest.mark.parametrize("answered", [False, True], ids=["while it waits", "after the reply"])
async def test_a_message_that_is_told_twice_is_answered_once(house: House, answered: bool) -> None:
    model = HesitantModel()
    async with house.served(model):
        message = await house.server.say(house.person, house.channel, "로라야 하나")
        house.server.repeat(message)
        await model.asked.wait()
        if answered:
            model.let.set()
            await house.reply(message)
        house.server.repeat(message)
        following = await house.server.say(house.person, house.channel, "로라야 둘")
        model.let.set()
        await answered_once(house, message, following)
        assert told(model) == ["하나", "둘"]


LOSSES: dict[str, Callable[[House], None]] = {
    "drop": lambda house: house.server.gateway.drop(),
    "reconnect": lambda house: house.server.gateway.reconnect(),
    "invalid but resumable": lambda house: house.server.gateway.invalidate(resumable=True),
    "close code": lambda house: house.server.gateway.close(4000),
}


@pytest.mark.parametrize("how", LOSSES)
async def test_what_is_said_while_the_gateway_is_away_is_answered_after_a_resume(house: House, how: str) -> None:
    server, direct = house.server, house.server.dm(house.person)
    async with house.served() as service:
        before = await server.say(house.person, house.channel, "로라야 하나")
        LOSSES[how](house)
        meanwhile = [await server.say(house.person, place, "로라야 둘") for place in (house.channel, direct)]
        other = await server.say(house.guild.owner, house.channel, "로라야 나도")
        await answered_once(house, before, *meanwhile, other)
        assert (server.gateway.resumed, len(server.gateway.identified)) == (1, 1)
        assert [one.reference for one in house.hers(house.channel) if one.reference is not other] == [
            before,
            meanwhile[0],
        ]
        assert sorted(told(service.language)) == ["나도", "둘", "둘", "하나"]


FORGETTING: dict[str, Callable[[House], None]] = {
    "invalid": lambda house: house.server.gateway.invalidate(resumable=False),
    "expired": lambda house: house.server.gateway.drop(forget=True),
    "close code": lambda house: house.server.gateway.close(4009),
}


@pytest.mark.parametrize("how", FORGETTING)
async def test_what_nobody_told_is_read_back_from_her_channels_and_direct_chats(house: House, how: str) -> None:
    server, direct = house.server, house.server.dm(house.person)
    async with house.served() as service:
        await house.choose(channel=house.channel)
        thread = house.channel.thread("옆방")
        before = [await server.say(house.person, place, "하나") for place in (house.channel, thread, direct)]
        await answered_once(house, *before)
        FORGETTING[how](house)
        meanwhile = [
            await server.say(house.person, place, word)
            for word in ("둘", "셋")
            for place in (house.channel, thread, direct)
        ]
        theirs = await server.say(house.guild.owner, house.channel, "나도")
        elsewhere = await server.say(house.person, house.guild.channel("마당"), "거기")
        await server.say(server.user("다른 봇", bot=True), house.channel, "나는 봇")
        await server.until(lambda: len(server.gateway.identified) == 2)
        later = await server.say(house.person, house.channel, "넷")
        await answered_once(house, *before, *meanwhile, theirs, later)
        assert elsewhere.replies == []
        assert told(service.language).count("나도") == 1
        here = [one.reference.content for one in house.hers(house.channel) if one.reference is not None]
        assert [text for text in here if text != "나도"] == ["하나", "둘", "셋", "넷"]


async def test_what_was_said_while_the_service_was_down_is_read_back_but_nothing_before_its_first_start(
    house: House,
) -> None:
    server, direct = house.server, house.server.dm(house.person)
    with house.earlier(minutes=3):
        early = [await server.say(house.person, place, "로라야 먼저") for place in (house.channel, direct)]
    async with house.served():
        await house.choose(channel=house.channel)
        before = [await server.say(house.person, place, "하나") for place in (house.channel, direct)]
        await answered_once(house, *before)
    down = [await server.say(house.person, place, word) for word in ("둘", "셋") for place in (house.channel, direct)]
    async with house.served() as service:
        later = await server.say(house.person, house.channel, "넷")
        await answered_once(house, *before, *down, later)
        assert sorted(told(service.language)) == ["넷", "둘", "둘", "셋", "셋"]
    assert early[0].replies == []


async def test_what_is_older_than_an_hour_is_not_read_back(house: House) -> None:
    server = house.server
    async with house.served():
        await house.choose(channel=house.channel)
        with house.earlier(minutes=70):
            before = await server.say(house.person, house.channel, "하나")
        await answered_once(house, before)
    with house.earlier(minutes=61):
        too_old = await server.say(house.person, house.channel, "둘")
    with house.earlier(minutes=59):
        recent = await server.say(house.person, house.channel, "셋")
    async with house.served():
        await answered_once(house, before, recent)
    assert too_old.replies == []


async def test_what_was_missed_before_the_loss_was_noticed_is_read_back_too(house: House) -> None:
    clock, server = present(), house.server
    async with house.served(None, clock):
        await house.choose(channel=house.channel)
        before = await server.say(house.person, house.channel, "하나")
        await answered_once(house, before)
        session, server.gateway.session = server.gateway.session, None  # the line is dead, and nobody knows
        unheard = await server.say(house.person, house.channel, "둘")
        server.gateway.session = session
        clock.move(timedelta(seconds=100))
        server.gateway.drop(forget=True)
        await answered_once(house, before, unheard)


@pytest.mark.parametrize(
    "fault",
    [
        lambda channel: channel.refuse(Permission.READ_MESSAGE_HISTORY),
        lambda channel: channel.keeper.faults.add(Fault("cut_before", rf"/channels/{channel.id}/messages$", "GET", 5)),
    ],
    ids=["refused", "cut"],
)
async def test_a_chat_that_cannot_be_read_back_keeps_no_other_from_it(house: House, fault: Any) -> None:
    server, direct = house.server, house.server.dm(house.person)
    async with house.served():
        await house.choose(channel=house.channel)
        before = [await server.say(house.person, place, "하나") for place in (house.channel, direct)]
        await answered_once(house, *before)
        fault(house.channel)
        server.gateway.drop(forget=True)
        unread = await server.say(house.person, house.channel, "둘")
        read = await server.say(house.person, direct, "둘")
        await answered_once(house, before[1], read)
        await server.say(house.person, house.channel, "셋")
        assert [one.content for one in await house.spoken(house.channel, 2)] == [ANSWER, ANSWER]
        assert unread.replies == []


async def test_an_outage_of_the_gateway_is_outlived(house: House) -> None:
    server = house.server
    async with house.served():
        server.gateway.refusing = True
        server.gateway.drop()
        message = await server.say(house.person, house.channel, "로라야 안녕")
        await server.until(lambda: server.gateway.refused)
        server.gateway.refusing = False
        await answered_once(house, message)


FAULTS: dict[str, dict[str, Any]] = {
    "429": {"kind": "rate_limited", "retry_after": 0.5, "times": 2},
    "429 everywhere": {"kind": "rate_limited", "retry_after": 0.5, "everywhere": True},
    "500": {"kind": "status", "status": 500},
    "503": {"kind": "status", "status": 503},
    "accepted, then silence": {"kind": "hang"},
    "accepted, then cut": {"kind": "cut"},
    "cut": {"kind": "cut_before"},
}


@pytest.mark.parametrize("what", FAULTS)
async def test_every_answer_arrives_once_past_a_fault(house: House, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.adapters.discord.delivery.REQUEST_S", 0.3)
    server, direct, other = house.server, house.server.dm(house.person), house.guild.channel("마당")
    routes = [("POST", rf"/channels/{place.id}/messages$") for place in (house.channel, direct)]
    faults = [server.faults.add(Fault(path=path, method=method, **FAULTS[what])) for method, path in routes]
    async with house.served():
        messages = [await server.say(house.person, place, "로라야 안녕") for place in (house.channel, direct)]
        faults.append(server.faults.add(Fault(path="/webhooks/", method="PATCH", **FAULTS[what])))
        used = await server.slash(house.guild.owner, other, "chat", options={"text": "안녕"})
        await answered_once(house, *messages)
        shown = await house.shown(used)
        assert (shown.content, len(shown.attachments), house.hers(other)) == (ANSWER, 1, [shown])
        assert [fault.hits for fault in faults] == [FAULTS[what].get("times", 1)] * 3
        repeated = 2 if what.startswith("accepted") else 0
        await server.until(lambda: len(server.repeated) >= repeated)
    await answered_once(house, *messages)
    assert len(server.repeated) == repeated


async def test_a_reply_that_discord_does_not_take_is_sent_at_the_next_start(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.adapters.discord.delivery._SAFE_S", 0.1)
    fault = house.server.faults.add(Fault("status", SENDS, "POST", times=None, status=503))
    async with house.served() as service:
        message = await house.server.say(house.person, house.channel, "로라야 안녕")
        await house.server.until(lambda: fault.hits >= 2)
    assert len(asked(service.language)) == 1
    house.server.faults.clear()
    async with house.served() as service:
        await answered_once(house, message)
        assert asked(service.language) == []


@pytest.mark.parametrize("kind", ["hang", "status"], ids=["accepted", "not accepted"])
async def test_a_reply_that_a_crash_interrupted_is_sent_again_under_the_same_nonce(
    house: House, monkeypatch: pytest.MonkeyPatch, kind: Any
) -> None:
    message = await interrupted(house, monkeypatch, Fault(kind, SENDS, "POST", times=None, status=503))
    async with house.served() as service:
        later = await house.server.say(house.person, house.channel, "로라야 다음")
        await answered_once(house, message, later)
        assert told(service.language) == ["다음"]
    nonces = {one.nonce for one in house.server.requests if one.nonce and one.nonce.startswith(str(message.id))}
    assert nonces == {f"{message.id}.0"}
    assert len(house.server.repeated) == (kind == "hang")


async def interrupted(house: House, monkeypatch: pytest.MonkeyPatch, fault: Fault, clock: Any = None) -> Message:
    """A message whose reply was on its way when the service was killed."""
    monkeypatch.setattr("bot.service.DRAIN_S", 0.0)
    async with house.served(None, clock):
        house.server.faults.add(fault)
        message = await house.server.say(house.person, house.channel, "로라야 안녕")
        await house.server.until(lambda: any(one.path.endswith("/messages") for one in house.server.requests))
    house.server.faults.clear()
    return message


@pytest.mark.parametrize(("seconds", "state"), [(60, "delivered"), (120, "unknown")])
async def test_a_reply_is_sent_again_only_while_discord_would_recognise_it(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, seconds: int, state: str
) -> None:
    clock = present()
    message = await interrupted(house, monkeypatch, Fault("hang", SENDS, "POST"), clock)
    clock.move(timedelta(seconds=seconds))
    with caplog.at_level(logging.WARNING):
        async with house.served(None, clock) as service:
            await house.chat("로라야 다음")
            first, _ = (await service.record.people.export(key(house.person)))["replies"]
    assert first["state"] == state
    assert ("nobody can know" in caplog.text) == (state == "unknown")
    assert (len(message.replies), len(house.server.repeated)) == (1, int(state == "delivered"))


@pytest.mark.parametrize("where", ["channel", "direct chat", "slash command"])
async def test_a_note_that_stood_for_the_reply_before_a_crash_becomes_it_after(
    house: House, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    monkeypatch.setattr("bot.service.DRAIN_S", 0.0)
    place = house.server.dm(house.person) if where == "direct chat" else house.channel
    async with house.served(HesitantModel(), turn={"patience_s": 0.05}):
        if where == "slash command":
            used = await house.server.slash(house.person, place, "chat", options={"text": "안녕"})
            await house.shown(used)
        else:
            await house.server.say(house.person, place, "로라야 안녕")
        [note] = await house.spoken(place)
    async with house.served():
        await house.server.until(lambda: note.content == ANSWER)
        assert house.hers(place) == [note]
        assert len(note.attachments) == 1


async def test_what_many_say_at_once_is_answered_in_everybodys_order(house: House) -> None:
    people = [house.server.user(f"사람 {number}") for number in range(20)]
    async with house.served(turn={"patience_s": 60}):
        messages = [
            await house.server.say(person, house.channel, f"로라야 {number}")
            for number in range(5)
            for person in people
        ]
        await answered_once(house, *messages)
        answered = [one.reference for one in house.hers(house.channel) if one.reference is not None]
        for person in people:
            theirs = [message.content for message in answered if message.author is person]
            assert theirs == [f"로라야 {number}" for number in range(5)]

"""Waiting in Discord is visible, and what changes meanwhile counts."""

import asyncio

import pytest

from bot.adapters.discord import adapter
from core import texts
from tests.end_to_end.discord_house import ANSWER, House, asked, key
from tests.end_to_end.discord_house import house as house
from tests.end_to_end.discord_server import Channel, Fault
from tests.end_to_end.serving import HesitantModel

TYPING_LASTS_S = 10
SOON = {"turn": {"patience_s": 0.05}}


def slow(position: int = 1, language: str = "ko") -> str:
    return texts.text(language, "notice", "slow", position=position, seconds=1)


def place_of(house: House, where: str) -> Channel:
    if where == "direct chat":
        return house.server.dm(house.person)
    return house.channel.thread("옆방") if where == "thread" else house.channel


async def answered(house: House, channel: Channel) -> None:
    """There is one message of hers in the channel, and it is her answer with her face."""
    await house.server.until(lambda: any(one.content == ANSWER for one in house.hers(channel)))
    [reply] = house.hers(channel)
    assert len(reply.attachments) == 1


@pytest.mark.parametrize("where", ["channel", "thread", "direct chat"])
@pytest.mark.parametrize("language", ["ko", "en"])
async def test_who_waits_long_is_told_so_in_a_message_that_becomes_the_reply(
    house: House, where: str, language: str
) -> None:
    model, place = HesitantModel(), place_of(house, where)
    async with house.served(model, language=language, **SOON):
        message = await house.server.say(house.person, place, "로라야 안녕")
        [note] = await house.spoken(place)
        assert note.content == slow(language=language)
        assert note.reference is (None if where == "direct chat" else message)
        model.let.set()
        await answered(house, place)
        assert house.hers(place) == [note]


async def test_a_slash_command_that_waits_long_says_so_where_its_reply_will_be(house: House) -> None:
    model = HesitantModel()
    async with house.served(model, **SOON):
        used = await house.server.slash(house.person, house.channel, "chat", options={"text": "안녕"}, locale="en-US")
        assert (await house.shown(used)).content == slow(language="en")
        model.let.set()
        await answered(house, house.channel)
        assert used.texts == [ANSWER]


async def test_everybody_in_the_line_is_told_their_own_place(house: House) -> None:
    model = HesitantModel()
    people = [house.server.user(name) for name in ("하나", "두리", "세나")]
    async with house.served(model, **SOON):
        messages = [await house.server.say(person, house.channel, "로라야 안녕") for person in people]
        notes = [(await house.reply(message)).content for message in messages]
        assert notes == [slow(1), slow(2), slow(3)]
        model.let.set()
        await house.server.until(lambda: all(one.replies[0].content == ANSWER for one in messages))


async def test_a_note_that_a_moderator_deleted_does_not_take_the_reply_with_it(house: House) -> None:
    model = HesitantModel()
    async with house.served(model, **SOON):
        await house.server.say(house.person, house.channel, "로라야 안녕")
        await house.server.delete(*await house.spoken(house.channel))
        model.let.set()
        await answered(house, house.channel)


async def test_a_note_that_hangs_does_not_hold_the_reply_back(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.adapters.discord.posting.REQUEST_S", 0.2)
    model = HesitantModel()
    house.server.faults.add(Fault("hang", r"/messages$", "POST"))
    async with house.served(model, **SOON):
        await house.server.say(house.person, house.channel, "로라야 안녕")
        await house.spoken(house.channel)
        model.let.set()
        await answered(house, house.channel)


@pytest.mark.parametrize("language", ["ko", "en"])
async def test_a_full_line_is_a_polite_sentence(house: House, language: str) -> None:
    model = HesitantModel()
    async with house.served(model, language=language, turn={"line": 1}):
        first = await house.server.say(house.person, house.channel, "로라야 안녕")
        await model.asked.wait()
        second = await house.chat("로라야 나도", house.guild.owner)
        assert second.content == f"※ {texts.text(language, 'notice', 'busy', position=2, seconds=5)}"
        model.let.set()
        assert (await house.reply(first)).content == ANSWER


async def test_she_is_seen_typing_until_the_reply_is_there_and_no_longer(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert adapter._TYPING_EVERY_S < TYPING_LASTS_S
    monkeypatch.setattr(adapter, "_TYPING_EVERY_S", 0.1)
    model, server = HesitantModel(), house.server

    def seen(channel: Channel) -> int:
        return sum(where is channel for where, _ in server.typing)

    async with house.served(model):
        message = await server.say(house.person, house.channel, "로라야 안녕")
        await server.until(lambda: seen(house.channel) >= 3)
        model.let.set()
        await house.reply(message)
        model.let.clear()
        # the reply can overtake a last sign that is on its way
        until_now, direct = seen(house.channel) + 1, server.dm(house.person)
        await server.say(house.person, direct, "안녕")
        await server.until(lambda: seen(direct) >= 4)
        assert seen(house.channel) <= until_now
        model.let.set()


@pytest.mark.parametrize("where", ["channel", "direct chat"])
async def test_the_newest_text_counts_while_a_message_waits(house: House, where: str) -> None:
    model, place = HesitantModel(), place_of(house, where)
    async with house.served(model) as service:
        message = await house.server.say(house.person, place, "로라야 하나")
        await model.asked.wait()
        model.asked.clear()
        await house.server.edit(message, "로라야 둘")
        await model.asked.wait()
        model.let.set()
        await house.spoken(place)
        assert asked(model) == ["로라야 둘"]
        [kept] = (await service.record.people.export(key(house.person)))["messages"]
        assert kept["text"] == "로라야 둘"


async def test_a_message_that_waits_behind_another_may_change_too(house: House) -> None:
    model = HesitantModel()
    async with house.served(model):
        first, second, third = [
            await house.server.say(house.person, house.channel, f"로라야 {text}") for text in ("하나", "둘", "셋")
        ]
        await model.asked.wait()
        model.asked.clear()
        await house.server.edit(second, f"{house.server.bot.mention} 넷")
        await house.server.delete(third)
        other = await house.server.say(house.guild.owner, house.channel, "로라야 나도")
        await model.asked.wait()
        model.let.set()
        for message in (first, second, other):
            await house.reply(message)
        assert sorted(text.split()[-1] for text in asked(model)) == ["나도", "넷", "하나"]


@pytest.mark.parametrize(("where", "count"), [("channel", 1), ("direct chat", 1), ("channel", 2)])
@pytest.mark.parametrize("noted", [False, True], ids=["soon", "after a note"])
async def test_a_deleted_message_is_dropped_and_many_at_once_are_too(
    house: House, where: str, count: int, noted: bool
) -> None:
    model, place, server = HesitantModel(), place_of(house, where), house.server
    async with house.served(model, turn={"patience_s": 0.05 if noted else 60}) as service:
        messages = [await server.say(house.person, place, f"로라야 {number}") for number in range(count)]
        await model.asked.wait()
        if noted:
            await house.spoken(place, count)
        model.asked.clear()
        await server.delete(*messages)
        if noted:
            await server.until(lambda: not house.hers(place))
        following = await server.say(house.person, house.channel, "로라야 다음")
        await model.asked.wait()
        model.let.set()
        await house.server.until(lambda: following.replies and following.replies[0].content == ANSWER)
        assert asked(model) == ["로라야 다음"]
        assert await service.record.turns.unanswered() == []
        assert house.hers(place) == (following.replies if where == "channel" else [])


async def test_what_changes_before_a_message_is_even_heard_counts_too(house: House) -> None:
    server, other = house.server, house.guild.channel("마당")
    async with house.served() as service:
        await house.choose(channel=house.channel)
        await house.chat("안녕")
        fault = server.faults.add(Fault("delay", r"/messages$", "GET", delay_s=0.5))
        server.gateway.drop(forget=True)
        await server.until(lambda: len(server.gateway.identified) == 2)
        changed, deleted, *many = [await server.say(house.person, other, f"로라야 {number}") for number in range(4)]
        await server.edit(changed, "로라야 새 말")
        await server.delete(deleted)
        await server.delete(*many)
        last = await server.say(house.person, other, "로라야 끝")
        await house.reply(last)
        assert fault.hits == 1
        assert [one.reference for one in house.hers(other)] == [changed, last]
        assert [text.split()[-1] for text in asked(service.language)] == ["안녕", "말", "끝"]


async def test_an_edit_or_deletion_after_the_reply_changes_nothing(house: House) -> None:
    async with house.served() as service:
        message = await house.server.say(house.person, house.channel, "로라야 안녕")
        reply = await house.reply(message)
        await house.server.edit(message, "로라야 아니야")
        await house.server.delete(message)
        await house.chat("로라야 다음")
        assert (len(message.replies), reply.content, reply.deleted) == (1, ANSWER, False)
        assert asked(service.language)[0] == "로라야 안녕"
        assert len(asked(service.language)) == 2


async def test_a_preview_that_discord_adds_changes_nothing(house: House) -> None:
    model = HesitantModel()
    async with house.served(model):
        message = await house.server.say(house.person, house.channel, "로라야 https://example.org/ 봤어?")
        await model.asked.wait()
        model.asked.clear()
        await house.server.unfurl(message)
        other = await house.server.say(house.guild.owner, house.channel, "로라야 나도")
        await model.asked.wait()
        assert model.times == 2
        model.let.set()
        await asyncio.gather(house.reply(message), house.reply(other))

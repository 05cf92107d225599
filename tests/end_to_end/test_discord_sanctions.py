"""Warnings and blocks in Discord reach the person concerned, and nobody else reads them."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from core import texts
from models.fakes import FakeLanguageModel
from tests.end_to_end.discord_house import House, present
from tests.end_to_end.discord_house import house as house
from tests.end_to_end.discord_server import Fault, Interaction
from tests.end_to_end.serving import answering

DECLINES = "미안, 그건 좀 어려워"
# a sanction begins when its message was sent: a little after the clock that stands at the beginning of the test
A_MOMENT = timedelta(minutes=1)
LANGUAGES = pytest.mark.parametrize("language", ["ko", "en"])


def declining() -> FakeLanguageModel:
    return FakeLanguageModel(answering(DECLINES))


def notice(language: str, kind: str, category: str, **values: object) -> str:
    """A notice about sanctions as it is shown."""
    return f"※ {texts.text(language, 'notice', kind, category=texts.categories(language, [category]), **values)}"


def warning(language: str, category: str, number: int = 1) -> str:
    return f"{notice(language, 'warning', category, period='')} {case(language, number)}"


def block(language: str, category: str, length: timedelta, number: int = 1) -> str:
    return f"{notice(language, 'block', category, period=texts.period(language, length))} {case(language, number)}"


def case(language: str, number: int) -> str:
    """How a case is named."""
    return texts.text(language, "case", "numbers", numbers=number)


def blocked(language: str, category: str, until: datetime) -> str:
    return notice(language, "blocked", category, until=texts.moment(language, until, ZoneInfo("Asia/Seoul")))


async def told(house: House, count: int = 1) -> str:
    """The last of `count` private messages to the person."""
    return (await house.spoken(house.server.dm(house.person), count))[-1].content


@LANGUAGES
async def test_a_warning_reaches_the_person_and_the_answer_everybody(house: House, language: str) -> None:
    async with house.served(declining(), language=language):
        reply = await house.chat("로라야 사랑해")
        assert (reply.content, len(reply.attachments)) == (DECLINES, 1)
        assert await told(house) == warning(language, "love")
        assert len(house.hers(house.channel)) == 1


@LANGUAGES
async def test_a_block_names_category_and_period(house: House, language: str) -> None:
    async with house.served(declining(), language=language):
        assert (await house.chat("로라야 꺼져")).content == DECLINES
        assert await told(house) == block(language, "hate", timedelta(hours=24))


@LANGUAGES
async def test_in_a_direct_chat_answer_and_notice_are_one_message(house: House, language: str) -> None:
    async with house.served(declining(), language=language):
        await house.server.say(house.person, house.server.dm(house.person), "사랑해")
        assert await told(house) == f"{DECLINES}\n\n{warning(language, 'love')}"


@LANGUAGES
async def test_what_chat_asked_is_warned_about_in_private_too(house: House, language: str) -> None:
    async with house.served(declining(), language=language):
        used = await house.server.slash(
            house.person,
            house.channel,
            "chat",
            options={"text": "사랑해"},
            locale={"ko": "ko", "en": "en-US"}[language],
        )
        assert (await house.shown(used)).content == DECLINES
        assert await told(house) == warning(language, "love")


@LANGUAGES
async def test_who_takes_no_private_messages_reads_in_public_only_that_there_is_something(
    house: House, language: str
) -> None:
    house.person.dms_closed = True
    async with house.served(declining(), language=language):
        message = await house.server.say(house.person, house.channel, "로라야 꺼져")
        hint = await house.reply(message, 2)
        assert [one.content for one in message.replies] == [DECLINES, texts.text(language, "platform", "elsewhere")]
        again = await house.server.say(house.person, house.channel, "로라야 왜?")
        assert (await house.reply(again)).content == hint.content
        assert house.hers(house.server.dm(house.person)) == []
        locale = {"ko": "ko", "en": "en-US"}[language]
        standing = await house.command("standing", locale=locale)
        category = texts.categories(language, ["hate"])
        assert standing.startswith(texts.text(language, "standing", "row", category=category, n=1))
        assert category in standing.split("\n")[1]


@LANGUAGES
async def test_who_is_blocked_is_told_until_when_at_most_every_ten_minutes_and_costs_nothing(
    house: House, language: str
) -> None:
    clock = present()
    async with house.served(declining(), clock, language=language) as service:
        await house.chat("로라야 꺼져")
        until, asked = clock.now() + timedelta(hours=24), len(service.language.prompts)
        await told(house)
        message = await house.server.say(house.person, house.channel, "로라야 왜 대답 안 해?")
        assert await told(house, 2) == blocked(language, "hate", until)
        for minutes in (1, 8):
            clock.move(timedelta(minutes=minutes))
            used = await house.server.slash(house.person, house.channel, "chat", options={"text": "왜?"})
            await gone(house, used)
        clock.move(timedelta(minutes=1))
        again = await house.server.say(house.person, house.channel, "로라야 왜?")
        assert await told(house, 3) == blocked(language, "hate", until)
        assert (message.replies, again.replies, len(service.language.prompts)) == ([], [], asked)


async def gone(house: House, used: Interaction) -> None:
    """Nothing is left of a command."""
    await house.server.until(lambda: used.original is not None and used.original.deleted)


async def test_a_block_holds_everywhere_and_ends(house: House) -> None:
    clock, elsewhere = present(), house.server.guild("남의 집").channel("방")
    async with house.served(declining(), clock):
        await house.chat("로라야 꺼져")
        await told(house)
        silent = await house.server.say(house.person, elsewhere, "로라야 여기는?")
        assert "기다려 줘" in await told(house, 2)
        clock.move(timedelta(hours=24) + A_MOMENT)
        again = await house.server.say(house.person, elsewhere, "로라야 이제는?")
        assert (await house.reply(again)).content == DECLINES
        assert silent.replies == []


@pytest.mark.parametrize("where", ["channel", "direct chat"])
async def test_a_blocked_persons_chat_leaves_nothing_that_seems_to_think(house: House, where: str) -> None:
    clock, direct = present(), house.server.dm(house.person)
    place = direct if where == "direct chat" else house.channel
    async with house.served(declining(), clock):
        await house.chat("로라야 꺼져")
        until = clock.now() + timedelta(hours=24)
        await told(house)
        first = await house.server.slash(house.person, place, "chat", options={"text": "왜?"})
        if where == "direct chat":
            assert (await house.shown(first)).content == blocked("ko", "hate", until)
        else:
            await gone(house, first)
        assert await told(house, 2) == blocked("ko", "hate", until)
        await gone(house, await house.server.slash(house.person, place, "chat", options={"text": "왜?"}))
        assert len(house.hers(direct)) == 2


async def test_love_is_warned_about_first_and_then_blocked_for_longer_each_time(house: House) -> None:
    clock = present()
    async with house.served(declining(), clock):
        assert await said(house, 1) == warning("ko", "love")
        for count, length in ((2, timedelta(hours=1)), (3, timedelta(hours=24)), (4, timedelta(days=14))):
            assert await said(house, count) == block("ko", "love", length, count)
            clock.move(length + A_MOMENT)


async def said(house: House, count: int) -> str:
    """A confession, and the notice for it."""
    await house.chat("로라야 사랑해")
    return await told(house, count)


async def test_a_notice_that_failed_for_a_while_still_arrives_once(house: House) -> None:
    direct = house.server.dm(house.person)
    async with house.served(declining()):
        house.server.faults.add(Fault("cut", rf"/channels/{direct.id}/messages$", "POST"))
        await house.chat("로라야 사랑해")
        assert await told(house) == warning("ko", "love")
        assert house.server.repeated == house.hers(direct)

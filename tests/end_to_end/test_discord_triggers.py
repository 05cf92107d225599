"""Who is heard in Discord, and what she is told."""

import pytest

from core import texts
from tests.end_to_end.discord_house import ANSWER, House, asked
from tests.end_to_end.discord_house import house as house
from tests.end_to_end.discord_server import Intent

AFTER = "(오로라 답변 요약) 듣고 있다고 했다 (사용자 질문) "
PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


def filled(house: House, text: str) -> str:
    """`text` with what only Discord's ids say."""
    return text.format(
        bot=house.server.bot.id, owner=house.guild.owner.id, role=house.guild.bot_role_id,
        managers=house.guild.manager_role_id, channel=house.channel.id, no=1,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("<@{bot}> 안녕", "안녕"),
        ("<@!{bot}> 안녕", "안녕"),
        ("있잖아 <@{bot}>", "있잖아"),
        ("<@&{role}> 안녕", "안녕"),
        ("<@{bot}> <@{owner}> 알아? <#{channel}> 봤어? <@&{managers}>", "@우리 집-owner 알아? #수다 봤어? @manager"),
        ("<@{bot}> 안녕 <:웃음:{no}> <a:춤:{no}>", "안녕 :웃음: :춤:"),
        ("로라야 안녕", "로라야 안녕"),
        ("오로라야, 뭐해?", "오로라야, 뭐해?"),
    ],
)
async def test_a_message_that_calls_her_is_answered(house: House, said: str, told: str) -> None:
    async with house.served() as service:
        message = await house.server.say(house.person, house.channel, filled(house, said))
        reply = await house.reply(message)
        assert (reply.content, reply.channel) == (ANSWER, house.channel)
        assert asked(service.language) == [told]


@pytest.mark.parametrize(
    "said",
    ["안녕", "로라는 뭐해?", "있잖아 로라야", "@everyone 로라 왔어", "<@{owner}> 안녕", "<@&{managers}> 안녕", ""],
)
async def test_a_message_that_calls_nobody_or_somebody_else_is_not(house: House, said: str) -> None:
    async with house.served() as service:
        other = await house.server.say(house.person, house.channel, filled(house, said))
        await house.chat("로라야 이건?")
        assert other.replies == []
        assert asked(service.language) == ["로라야 이건?"]


@pytest.mark.parametrize("ping", [True, False])
async def test_a_reply_to_her_is_heard_and_one_to_somebody_else_is_not(house: House, ping: bool) -> None:
    async with house.served() as service:
        reply = await house.chat("로라야 안녕")
        theirs = await house.server.say(house.guild.owner, house.channel, "나도 안녕")
        to_them = await house.server.say(house.person, house.channel, "너 말고", reply_to=theirs, ping=ping)
        to_her = await house.server.say(house.person, house.channel, "너 말이야", reply_to=reply, ping=ping)
        assert (await house.reply(to_her)).content == ANSWER
        assert to_them.replies == []
        assert asked(service.language) == ["로라야 안녕", AFTER + "너 말이야"]


async def test_a_direct_message_needs_no_name(house: House) -> None:
    direct = house.server.dm(house.person)
    async with house.served() as service:
        await house.server.say(house.person, direct, "안녕")
        [reply] = await house.spoken(direct)
        assert reply.content == ANSWER
        assert reply.reference is None
        await house.server.say(house.person, direct, files=[("a.png", PNG)])
        shown = await house.spoken(direct, 2)
        assert shown[1].content == f"※ {texts.text('ko', 'notice', 'empty')}"
        assert asked(service.language) == ["안녕"]


async def test_in_her_channel_and_its_threads_everything_is_heard_until_the_channel_is_taken_back(house: House) -> None:
    async with house.served() as service:
        await house.choose(channel=house.channel)
        assert (await house.chat("안녕")).content == ANSWER
        thread = house.channel.thread("옆방")
        message = await house.server.say(house.person, thread, "여기도?")
        assert (await house.reply(message)).channel is thread
        elsewhere = await house.server.say(house.person, house.guild.channel("마당"), "거기는?")
        picture = await house.server.say(house.person, house.channel, files=[("a.png", PNG)])
        await house.choose(channel=house.channel)
        later = await house.server.say(house.person, house.channel, "이제는?")
        await house.chat("로라야 들려?")
        assert [one.replies for one in (elsewhere, picture, later)] == [[], [], []]
        assert asked(service.language) == ["안녕", "여기도?", AFTER + "로라야 들려?"]


async def test_a_thread_is_a_chat_of_its_own(house: House) -> None:
    async with house.served() as service:
        thread = house.channel.thread("옆방")
        for place in (house.channel, thread, thread, house.channel):
            await house.reply(await house.server.say(house.person, place, "로라야 안녕"))
        new, following = "로라야 안녕", AFTER + "로라야 안녕"
        assert asked(service.language) == [new, new, following, following]


@pytest.mark.parametrize("where", ["channel", "direct chat"])
async def test_whoever_is_no_person_is_not_heard(house: House, where: str) -> None:
    server = house.server
    place = house.channel if where == "channel" else server.dm(house.person)
    async with house.served() as service:
        await house.choose(channel=house.channel)
        await server.say(server.user("다른 봇", bot=True), place, "로라야 나는 봇")
        await server.say(server.user("훅"), place, "로라야 나는 훅", webhook=True)
        original = await server.say(house.guild.owner, house.guild.channel("마당"), "로라야 원래 말")
        await server.say(house.person, place, forward_of=original)
        await server.say(house.person, place, "로라야 새 이름", system=4)
        await server.say(house.person, place, "로라야 나는 사람")
        said = await house.spoken(place)
        assert [one.content for one in said] == [ANSWER]
        assert sorted(asked(service.language)) == ["로라야 나는 사람", "로라야 원래 말"]


async def test_her_name_does_not_call_her_where_that_is_switched_off(house: House) -> None:
    async with house.served() as service:
        await house.choose(name_call=False)
        by_name = await house.server.say(house.person, house.channel, "로라야 안녕")
        await house.chat(f"{house.server.bot.mention} 들려?")
        assert by_name.replies == []
        await house.choose(name_call=True)
        await house.chat("로라야 이제는?")
        assert asked(service.language) == ["들려?", AFTER + "로라야 이제는?"]


async def test_without_the_message_content_intent_she_hears_what_is_addressed_to_her(house: House) -> None:
    server, direct = house.server, house.server.dm(house.person)
    server.settings.portal = Intent.NONE
    async with house.served(message_content=False) as service:
        await house.choose(channel=house.channel)
        plain = await server.say(house.person, house.channel, "로라야 비밀이야")
        reply = await house.chat(f"{server.bot.mention} 들려?")
        await house.reply(await server.say(house.person, house.channel, "답이야", reply_to=reply, ping=False))
        await server.say(house.person, direct, "둘이서")
        await house.spoken(direct)
        used = await server.slash(house.person, house.channel, "chat", options={"text": "명령이야"})
        assert (await house.shown(used)).content == ANSWER
        assert plain.replies == []
        assert [text.removeprefix(AFTER) for text in asked(service.language)] == [
            "들려?",
            "답이야",
            "둘이서",
            "명령이야",
        ]


@pytest.mark.parametrize("where", ["channel", "thread", "direct chat"])
async def test_chat_is_a_message_too(house: House, where: str) -> None:
    place = {
        "channel": house.channel,
        "thread": house.channel.thread("옆방"),
        "direct chat": house.server.dm(house.person),
    }[where]
    async with house.served() as service:
        used = await house.server.slash(house.person, place, "chat", options={"text": "안녕"})
        shown = await house.shown(used)
        assert (shown.content, shown.ephemeral, len(shown.attachments)) == (ANSWER, False, 1)
        assert asked(service.language) == ["안녕"]

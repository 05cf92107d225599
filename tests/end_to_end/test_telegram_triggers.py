"""Who is heard in Telegram, and what she is told."""

import sqlite3
from contextlib import closing
from typing import Any

import pytest

from core import texts
from tests.end_to_end.telegram_house import ANSWER, HesitantModel, House, asked, key
from tests.end_to_end.telegram_house import house as house
from tests.end_to_end.telegram_server import Chat, Update

AFTER = "(오로라 답변 요약) 듣고 있다고 했다 (사용자 질문) "
PHOTO = {"photo": [{"file_id": "p", "file_unique_id": "q", "width": 9, "height": 9}]}


def open_group(house: House) -> Chat:
    """A group where she hears everything."""
    return house.server.group("열린 집", privacy=False, members=[house.person], admins=[house.owner])


async def test_a_private_message_needs_no_name_and_quotes_nothing(house: House) -> None:
    async with house.served() as service:
        reply = await house.shown("안녕")
        assert (reply.caption, reply.reply_to) == (ANSWER, None)
        assert asked(service.language) == ["안녕"]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("@ohlora_bot 안녕", "안녕"),
        ("@OhLoRA_Bot 안녕", "안녕"),
        ("있잖아 @ohlora_bot 😀 뭐해?", "있잖아 😀 뭐해?"),
        ("😀😀 @ohlora_bot", "😀😀"),
        ("/chat 안녕", "안녕"),
        ("/chat@ohlora_bot 안녕 @friend_of_mine", "안녕 @friend_of_mine"),
        ("/CHAT@ohlora_bot 안녕", "안녕"),
    ],
)
async def test_a_message_that_names_her_is_answered_where_it_was_said(house: House, said: str, told: str) -> None:
    async with house.served() as service:
        reply = await house.chat(said)
        assert (reply.caption, reply.chat) == (ANSWER, house.group)
        assert asked(service.language) == [told]


async def test_a_mention_of_her_account_without_its_name_is_one_too(house: House) -> None:
    mention = {"type": "text_mention", "offset": 0, "length": 3, "user": house.server.me.json()}
    group = open_group(house)
    async with house.served() as service:
        said = await house.server.say(house.person, group, "오로라 뭐해?", entities=[mention])
        await house.reply(said)
        assert asked(service.language) == ["뭐해?"]


async def test_a_reply_to_her_is_heard_and_one_to_somebody_else_is_not(house: House) -> None:
    group = open_group(house)
    async with house.served() as service:
        first = await house.reply(await house.server.say(house.person, group, "로라야 안녕"))
        theirs = await house.server.say(house.owner, group, "나도 안녕")
        to_them = await house.server.say(house.person, group, "너 말고", reply_to=theirs)
        to_her = await house.server.say(house.person, group, "너 말이야", reply_to=first)
        assert (await house.reply(to_her)).caption == ANSWER
        assert house.server.replies_to(to_them) == []
        assert asked(service.language) == ["로라야 안녕", AFTER + "너 말이야"]


@pytest.mark.parametrize(
    "said",
    [
        "안녕",
        "로라는 뭐해?",
        "있잖아 로라야",
        "@other_bot 로라야",
        "/chat@other_bot 안녕",
        "/memory@other_bot",
        "/roll 6",
    ],
)
async def test_a_message_that_calls_nobody_or_somebody_else_is_not_heard(house: House, said: str) -> None:
    group = open_group(house)
    async with house.served() as service:
        other = await house.server.say(house.person, group, said)
        await house.reply(await house.server.say(house.person, group, "로라야 이건?"))
        assert house.server.replies_to(other) == []
        assert asked(service.language) == ["로라야 이건?"]


async def test_her_name_calls_her_until_the_admins_switch_that_off(house: House) -> None:
    group = open_group(house)
    async with house.served() as service:
        await house.reply(await house.server.say(house.person, group, "로라야 안녕"))
        page = await house.reply(await house.server.say(house.owner, group, "/settings name_call=off"))
        assert "끔" in (page.text or "")
        unheard = await house.server.say(house.person, group, "로라야 듣고 있어?")
        await house.reply(await house.server.say(house.person, group, "/chat 이건?"))
        assert house.server.replies_to(unheard) == []
        assert len(asked(service.language)) == 2


async def test_in_her_chat_everything_is_heard_except_pictures_without_words_and_commands_for_others(
    house: House,
) -> None:
    group = open_group(house)
    async with house.served() as service:
        page = await house.reply(await house.server.say(house.owner, group, f"/settings channel={group.id}"))
        assert "여기" in (page.text or "")
        picture = await house.server.say(house.person, group, extra=PHOTO)
        command = await house.server.say(house.person, group, "/roll 6")
        await house.reply(await house.server.say(house.person, group, "그냥 하는 말"))
        assert (house.server.replies_to(picture), house.server.replies_to(command)) == ([], [])
        assert asked(service.language) == ["그냥 하는 말"]


async def test_topics_are_chats_of_their_own_and_the_reply_stays_in_its_topic(house: House) -> None:
    forum = house.server.group("광장", forum=True, privacy=False, members=[house.person], admins=[house.owner])
    music, food = forum.topic("음악"), forum.topic("음식")
    async with house.served() as service:
        await house.server.say(house.owner, forum, f"/settings channel={forum.id}:{music.id}", topic=music)
        (page,) = await house.spoken(music)
        assert "여기" in (page.text or "")
        await house.server.say(house.person, forum, "이 노래 어때?", topic=music)
        await house.server.say(house.person, forum, "배고프다", topic=food)
        await house.server.say(house.person, forum, "로라야 뭐 먹지?", topic=food)
        await house.server.say(house.person, forum, "로라야 여기는?")
        await house.spoken(music, 2)
        (about_food,) = await house.spoken(food)
        assert about_food.topic is food
        await house.server.until(lambda: len([one for one in forum.replies if one.topic is None]) == 1)
        # no summary of one topic enters another
        assert asked(service.language) == ["이 노래 어때?", "로라야 뭐 먹지?", "로라야 여기는?"]
        await house.server.say(house.owner, forum, "/settings", topic=food)
        page = (await house.spoken(food, 2))[-1]
        assert f"주제 {music.id}번" in (page.text or "")


async def test_a_topic_that_she_opened_does_not_make_every_message_in_it_a_reply_to_her(house: House) -> None:
    forum = house.server.group("광장", forum=True, privacy=False, members=[house.person])
    topic = forum.topic("로라 방", by=house.server.me)
    async with house.served() as service:
        await house.server.say(house.person, forum, "우리끼리 얘기", topic=topic)
        await house.server.say(house.person, forum, "로라야 안녕", topic=topic)
        await house.spoken(topic)
        assert asked(service.language) == ["로라야 안녕"]


async def test_nobody_is_taken_for_who_they_are_not(house: House) -> None:
    group = open_group(house)
    channel = house.server.channel("소식", linked=group)
    robot = house.server.user("다른 봇", is_bot=True)
    async with house.served() as service:
        unheard: list[Any] = [
            await house.server.say(house.owner, group, "로라야 나는 익명", anonymous=True),
            await house.server.say(house.owner, group, "/settings name_call=off", anonymous=True),
            await house.server.say(house.person, group, "로라야 나는 채널", as_channel=channel),
            await house.server.say(house.person, group, "로라야 전달", forwarded=house.owner),
            await house.server.say(robot, group, "로라야 나는 봇"),
            await house.server.post(channel, "로라야 새 글"),
        ]
        await house.server.say(house.person, house.private, "전달한 말", forwarded=True)
        await house.reply(await house.server.say(house.person, group, "로라야 나야"))
        assert [house.server.replies_to(one) for one in unheard] == [[]] * len(unheard)
        assert house.private.replies == []
        assert asked(service.language) == ["로라야 나야"]


async def test_what_happens_in_a_chat_is_no_message(house: House) -> None:
    async with house.served() as service:
        await house.server.say(house.person, house.private, extra={"delete_chat_photo": True})
        await house.server.say(house.person, house.group, extra={"new_chat_members": [house.server.me.json()]})
        await house.shown("안녕")
        assert house.group.replies == []
        assert asked(service.language) == ["안녕"]


@pytest.mark.parametrize(("language", "code"), [("ko", "ko-KR"), ("en", "de"), ("ko", None)])
async def test_a_message_without_words_for_her_is_told_that_there_are_none(
    house: House, language: str, code: str | None
) -> None:
    stranger = house.server.user("새 사람", language_code=code)
    empty = f"※ {texts.text(language, 'notice', 'empty')}"
    async with house.served() as service:
        chat = house.server.private(stranger)
        await house.server.say(stranger, chat, extra=PHOTO | {"media_group_id": "앨범"})
        await house.server.say(stranger, chat, extra=PHOTO | {"media_group_id": "앨범"})
        await house.server.say(stranger, chat, extra=PHOTO | {"caption": "이 사진 어때?"})
        assert [one.words for one in await house.spoken(chat, 2)] == [empty, ANSWER]
        assert (await house.chat("/chat")).text == f"※ {texts.text('ko', 'notice', 'empty')}"
        assert asked(service.language) == ["이 사진 어때?"]


async def test_an_edited_message_counts_while_it_waits_and_starts_no_turn_afterwards(house: House) -> None:
    model = HesitantModel()
    async with house.served(model):
        waiting = await house.server.say(house.person, house.group, "/chat 오늘 뭐 먹지")
        await model.asked.wait()
        edit = await house.server.edit(waiting, "/chat 저녁 뭐 먹지")
        await house.server.until(lambda: edit and edit.confirmed)
        model.let.set()
        await house.reply(waiting)
        assert asked(model)[-1] == "저녁 뭐 먹지"
        late = await house.server.edit(waiting, "/chat 다 먹었어")
        await house.server.until(lambda: late and late.confirmed)
        await house.chat("/chat 고마워")
        assert len(house.server.replies_to(waiting)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "😀" * 2048, "가" * 4096, "(답변 시작) <b>_*[ (답변 종료)", "\u202e거꾸로\u202c 로\u200b라\u200d야", "\ud83d",
        "\u2066", "ﷺ" * 300, "[[[[", "{0} {prompt} %s \\", "'; DROP TABLE inbox; --", "@ohlora_bot" * 300,
        "/chat", "/", "@", "a\u0300\u0301" * 900,
    ],
)  # fmt: skip
async def test_whatever_people_write_gets_exactly_one_reply(house: House, text: str) -> None:
    async with house.served():
        await house.server.say(house.person, house.private, text)
        await house.server.say(house.person, house.private, "끝")
        first, last = await house.spoken(house.private, 2)
        assert first.words
        assert last.caption == ANSWER


async def test_repeated_and_reordered_updates_start_no_second_turn(house: House) -> None:
    house.server.shuffle()
    async with house.served() as service:
        messages = [await house.server.say(house.person, house.private, f"{number}번") for number in range(5)]
        command = await house.server.say(house.person, house.private, "/memory pause")
        await house.spoken(house.private, 6)
        for message in (*messages, command):
            assert message.update is not None
            house.server.repeat(message.update)
        await house.shown("끝")
        assert len(house.private.replies) == 7
        assert len(asked(service.language)) == 6


async def test_an_update_is_in_the_inbox_before_it_is_confirmed(house: House) -> None:
    kept: list[list[Any]] = []

    def look(_: Update) -> None:
        with closing(sqlite3.connect(house.folder / "ohlora.db")) as record:
            kept.append(record.execute("SELECT text FROM inbox").fetchall())

    house.server.updates.on_confirm = look
    async with house.served():
        await house.shown("안녕")
        await house.settled()
    assert kept == [[("안녕",)]]


async def test_many_people_at_once_are_each_answered_in_order_and_in_telegrams_pace(house: House) -> None:
    people = [house.server.user(f"사람{number}") for number in range(8)]
    group = open_group(house)
    async with house.served() as service:
        for number in range(3):
            for person in people:
                await house.server.say(person, house.server.private(person), f"혼자 {number}")
                await house.server.say(person, group, f"/chat 같이 {number}")
        for person in people:
            await house.spoken(house.server.private(person), 3)
        await house.spoken(group, 24)
        for person in people:
            said = [one.text for one in service.language.prompts if one.person == key(person)]
            order = [text.removesuffix(" (답변 시작)")[-1] for text in said if text.endswith("(답변 시작)")]
            assert order == ["0", "0", "1", "1", "2", "2"]

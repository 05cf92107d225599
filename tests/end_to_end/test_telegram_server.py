"""The stand-in for Telegram, driven by the library that the adapter uses."""

import asyncio
import json
import os
import struct
import sys
import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from telegram import (
    Bot,
    BotCommand,
    BotCommandScopeAllPrivateChats,
    ForceReply,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaPhoto,
    ReplyParameters,
    Update,
)
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)
from telegram.ext import Application, ApplicationBuilder, MessageHandler, filters

from tests.end_to_end.telegram_server import Chat, Member, Message, TelegramServer, User
from tests.end_to_end.telegram_server import schema as schemas

ROOT = Path(__file__).resolve().parents[2]
needs_description = pytest.mark.skipif(
    not schemas.DESCRIPTION.exists() and os.environ.get("CI") != "true", reason="the description is not here"
)


def png(width: int = 640, height: int = 640, *, filling: int = 0) -> bytes:
    """A photo, or enough of one."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", bytes(filling)) + chunk(b"IEND", b"")


def bot_of(server: TelegramServer, token: str | None = None) -> Bot:
    return Bot(token or server.token, base_url=f"{server.url}/bot", base_file_url=f"{server.url}/file/bot")


def keyboard(data: str) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup([[InlineKeyboardButton("잊기", callback_data=data)]])


@pytest.fixture(autouse=True)
def timedeltas(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library warns whoever reads a retry_after as a number."""
    monkeypatch.setenv("PTB_TIMEDELTA", "true")


@pytest.fixture
async def server() -> AsyncIterator[TelegramServer]:
    async with TelegramServer() as running:
        yield running


@pytest.fixture
async def bot(server: TelegramServer) -> AsyncIterator[Bot]:
    async with bot_of(server) as connected:
        yield connected


@pytest.fixture
def mina(server: TelegramServer) -> User:
    user = server.user("미나", language_code="ko")
    server.private(user)
    return user


@pytest.fixture
def plaza(server: TelegramServer, mina: User) -> Chat:
    return server.group("광장", members=[mina], admins=[server.user("주인")])


# Being asked


async def test_it_says_who_the_bot_is(server: TelegramServer, bot: Bot) -> None:
    me = await bot.get_me()
    assert (me.id, me.username, me.can_read_all_group_messages) == (server.me.id, "ohlora_bot", False)


async def test_a_wrong_token_is_unauthorized(server: TelegramServer) -> None:
    stranger = bot_of(server, "123:wrong")
    with pytest.raises(InvalidToken, match="rejected by the server"):
        await stranger.initialize()
    await stranger.shutdown()
    assert server.calls[-1].status == 401


async def test_a_polled_message_is_answered_in_its_chat(server: TelegramServer, mina: User) -> None:
    async def answer(update: Update, _: Any) -> None:
        assert update.effective_message is not None
        await update.effective_message.reply_text("안녕!", do_quote=True)

    application: Application[Any, Any, Any, Any, Any, Any] = (
        ApplicationBuilder().token(server.token).base_url(f"{server.url}/bot").build()
    )
    application.add_handler(MessageHandler(filters.TEXT, answer))
    async with application:
        assert application.updater is not None
        await application.updater.start_polling(timeout=5)
        await application.start()
        said = await server.say(mina, server.private(mina), "안녕")
        (reply,) = await server.until(lambda: server.replies_to(said))
        assert reply.text == "안녕!"
        confirmed = await server.until(lambda: said.update and said.update.confirmed)
        assert said.update is not None
        assert said.update.delivered is not None
        assert confirmed >= said.update.delivered
        await application.updater.stop()
        await application.stop()
    assert server.violations == []


async def test_a_second_poller_ends_the_first_with_conflict(server: TelegramServer, bot: Bot, mina: User) -> None:
    first = asyncio.create_task(bot.get_updates(timeout=20))
    await server.polling.wait()
    async with bot_of(server) as other:
        second = asyncio.create_task(other.get_updates(timeout=20))
        with pytest.raises(Conflict, match="terminated by other getUpdates request"):
            await first
        await server.say(mina, server.private(mina), "안녕")
        assert len(await second) == 1


async def test_an_offset_confirms_what_is_below_it(server: TelegramServer, bot: Bot, mina: User) -> None:
    confirmed: list[int] = []
    server.updates.on_confirm = lambda update: confirmed.append(update.id)
    said = [await server.say(mina, server.private(mina), f"{number}") for number in range(5)]
    ids = [message.update.id for message in said if message.update]
    assert [update.update_id for update in await bot.get_updates(limit=3)] == ids[:3]
    assert [update.update_id for update in await bot.get_updates(offset=ids[2])] == ids[2:]
    assert [message.update.confirmed is not None for message in said if message.update] == [True] * 2 + [False] * 3
    async with bot_of(server) as after_a_crash:
        assert [update.update_id for update in await after_a_crash.get_updates()] == ids[2:]
    assert await bot.get_updates(offset=ids[-1] + 1) == ()
    assert server.updates.pending == []
    assert confirmed == ids


async def test_updates_can_come_twice_and_out_of_order(server: TelegramServer, bot: Bot, mina: User) -> None:
    said = [await server.say(mina, server.private(mina), f"{number}") for number in range(20)]
    ids = [message.update.id for message in said if message.update]
    server.shuffle()
    shuffled = [update.update_id for update in await bot.get_updates()]
    assert shuffled != ids
    assert sorted(shuffled) == ids
    await bot.get_updates(offset=ids[-1] + 1)
    assert said[7].update is not None
    server.repeat(said[7].update)
    assert [update.update_id for update in await bot.get_updates(offset=ids[-1] + 1)] == [ids[7]]


async def test_only_kinds_that_were_asked_for_are_queued(server: TelegramServer, bot: Bot, mina: User) -> None:
    await bot.get_updates(allowed_updates=["message"])
    said = await server.say(mina, server.private(mina), "안녕")
    assert await server.edit(said, "안녕하세요") is None
    await bot.get_updates(allowed_updates=[])
    assert await server.edit(said, "안녕?") is not None


async def test_a_bot_that_hangs_up_is_no_longer_polling(server: TelegramServer, bot: Bot) -> None:
    poll = asyncio.create_task(bot.get_updates(timeout=20))
    await server.polling.wait()
    poll.cancel()
    await asyncio.wait([poll])
    await bot.shutdown()
    await server.until(lambda: not server.polling.is_set())


async def test_it_comes_back_on_the_same_port_with_everything_still_there(
    server: TelegramServer, bot: Bot, mina: User
) -> None:
    await server.say(mina, server.private(mina), "안녕")
    await server.stop()
    with pytest.raises(NetworkError):
        await bot.get_me()
    await server.start()
    assert len(await bot.get_updates()) == 1


# Files


async def test_an_uploaded_photo_is_sent_again_by_its_file_id(server: TelegramServer, bot: Bot, mina: User) -> None:
    first = await bot.send_photo(mina.id, png(), caption="웃는 얼굴")
    sizes = [(size.width, size.height) for size in first.photo]
    assert sizes == [(320, 320), (640, 640)]
    again = await bot.send_photo(mina.id, first.photo[-1].file_id)
    assert again.photo == first.photo
    shown = server.private(mina).replies
    assert (shown[0].caption, shown[0].photo) == ("웃는 얼굴", shown[1].photo)
    assert server.files.uploads == 1
    assert (await bot.get_file(first.photo[-1].file_id)).file_size == len(png())
    with pytest.raises(BadRequest, match="Wrong file identifier"):
        await bot.send_photo(mina.id, "unknown")
    assert server.violations == []


async def test_a_document_keeps_its_name_and_content(server: TelegramServer, bot: Bot, mina: User) -> None:
    sent = await bot.send_document(mina.id, b"{}", filename="memory.json")
    assert sent.document is not None
    assert sent.document.file_name == "memory.json"
    kept = server.private(mina).replies[0].document
    assert kept is not None
    assert (kept.content, kept.size) == (b"{}", 2)


@pytest.mark.parametrize("photo", [png(9_000, 1_001), png(2_100, 100), png(filling=10 * 1024 * 1024)])
async def test_a_photo_over_a_limit_is_a_violation(server: TelegramServer, bot: Bot, mina: User, photo: bytes) -> None:
    with pytest.raises(BadRequest):
        await bot.send_photo(mina.id, photo)
    assert [violation.method for violation in server.violations] == ["sendPhoto"]


async def test_photos_and_documents_can_be_refused(server: TelegramServer, bot: Bot, mina: User) -> None:
    server.refuse_photos = server.refuse_documents = True
    with pytest.raises(BadRequest, match="Photo_invalid_dimensions"):
        await bot.send_photo(mina.id, png())
    with pytest.raises(BadRequest):
        await bot.send_document(mina.id, png(), filename="face.png")
    await bot.send_message(mina.id, "글로만")
    assert (server.violations, server.pacing_breaks) == ([], [])


# Limits

Broken = Callable[[Bot, int], Awaitable[Any]]


@pytest.mark.parametrize(("text", "fits"), [("가" * 4096, True), ("😀" * 2048, True), ("😀" * 2048 + "가", False)])
async def test_a_text_is_measured_in_utf_16(
    server: TelegramServer, bot: Bot, mina: User, text: str, fits: bool
) -> None:
    if fits:
        await bot.send_message(mina.id, text)
        assert server.private(mina).replies[0].text == text
    else:
        with pytest.raises(BadRequest, match="Message is too long"):
            await bot.send_message(mina.id, text)
    assert bool(server.violations) is not fits


@pytest.mark.parametrize(
    "broken",
    [
        lambda bot, to: bot.send_message(to, " \u200b\n"),
        lambda bot, to: bot.send_message(to, "<b>굵게</b>", parse_mode="HTML"),
        lambda bot, to: bot.send_photo(to, png(), caption="😀" * 512 + "가"),
        lambda bot, to: bot.send_photo(to, png(), caption="_기울임_", parse_mode="Markdown"),
        lambda bot, to: bot.send_message(to, "단추", reply_markup=keyboard("가" * 22)),
        lambda bot, to: bot.send_chat_action(to, "dancing"),
        lambda bot, to: bot.set_my_commands([BotCommand("Memory", "기억")]),
        lambda bot, to: bot.set_my_commands([BotCommand(f"c{number}", "기억") for number in range(101)]),
        lambda bot, to: bot.set_my_commands([BotCommand("memory", "기" * 257)]),
        lambda bot, to: bot.answer_callback_query("1", "가" * 201),
        lambda bot, to: bot.send_dice(to),
    ],
)
async def test_a_broken_limit_is_a_violation(server: TelegramServer, bot: Bot, mina: User, broken: Broken) -> None:
    with pytest.raises(TelegramError):
        await broken(bot, mina.id)
    assert len(server.violations) == 1
    assert server.private(mina).replies == []


@needs_description
@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"chat_id": 1, "text": "안녕", "colour": "red"}, "unknown parameter colour"),
        ({"chat_id": 1}, "missing text"),
        ({"chat_id": 1, "text": 7}, "text: '7' is not String"),
        ({"chat_id": 1, "text": "안녕", "message_thread_id": "x"}, "message_thread_id: 'x' is not Integer"),
        ({"chat_id": 1, "text": "안녕", "reply_parameters": "{}"}, "ReplyParameters without message_id"),
        (
            {"chat_id": 1, "text": "안녕", "reply_markup": {"inline_keyboard": [[{"text": "가", "data": "1"}]]}},
            "InlineKeyboardButton has no field data",
        ),
    ],
)
async def test_a_call_is_checked_against_the_description(
    server: TelegramServer, body: dict[str, Any], reason: str
) -> None:
    address = f"{server.url}/bot{server.token}/sendMessage"
    async with aiohttp.ClientSession() as session, session.post(address, json=body) as response:
        assert response.status == 400
    ((method, found),) = server.violations
    assert method == "sendMessage"
    assert reason in found


@needs_description
async def test_what_it_says_itself_fits_the_description(server: TelegramServer, mina: User) -> None:
    """Every kind of update, as the stand-in writes it."""
    schema = schemas.load()
    assert schema is not None
    forum = server.group("마당", forum=True, privacy=False, admins=[mina], members=[server.user("준")])
    channel = server.channel("소식", linked=forum)
    said = await server.say(mina, forum, "/chat@ohlora_bot 안녕 @ohlora_bot", topic=forum.topic("잡담"))
    await server.edit(said, "안녕")
    for forwarded in (True, mina, channel):
        await server.say(mina, forum, "전달", forwarded=forwarded, reply_to=said)
    await server.say(mina, forum, "익명", anonymous=True)
    await server.say(mina, forum, "채널로", as_channel=channel)
    await server.post(channel, "소식이야")
    await server.press(mina, said, "m:1", forged=True)
    await server.block(mina)
    await server.move_bot(forum, "administrator", mina)
    await server.upgrade(server.group("작은 방", kind="group"), mina)
    kinds = {update.kind for update in server.updates.history}
    assert kinds == {"message", "edited_message", "channel_post", "callback_query", "my_chat_member"}
    for update in server.updates.history:
        schema.check(update.json(), ["Update"])


@pytest.mark.parametrize("missing_is_fatal", [True, False])
def test_without_the_description_it_starts_unless_in_ci(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, missing_is_fatal: bool
) -> None:
    monkeypatch.setattr(schemas, "DESCRIPTION", tmp_path / "missing.json")
    monkeypatch.setenv("CI", "true" if missing_is_fatal else "")
    schemas.load.cache_clear()
    if missing_is_fatal:
        with pytest.raises(FileNotFoundError):
            TelegramServer()
    else:
        assert TelegramServer().violations == []
    schemas.load.cache_clear()


# Pace


async def test_a_flood_says_how_long_to_wait_and_notes_who_does_not(
    server: TelegramServer, bot: Bot, mina: User
) -> None:
    server.fault("sendMessage", retry_after=1)
    with pytest.raises(RetryAfter) as flood:
        await bot.send_message(mina.id, "안녕")
    assert flood.value.retry_after == timedelta(seconds=1)
    with pytest.raises(RetryAfter):
        await bot.send_photo(mina.id, png())
    ((method, reason),) = server.violations
    assert method == "sendPhoto"
    assert "before retry_after" in reason
    await asyncio.sleep(1)
    await bot.send_message(mina.id, "이제")
    assert [reply.text for reply in server.private(mina).replies] == ["이제"]


async def sends(bot: Bot, chats: list[int], times: int) -> None:
    for _ in range(times):
        for chat in chats:
            await bot.send_message(chat, "안녕")


async def test_two_messages_at_once_in_a_chat_break_the_pace(server: TelegramServer, bot: Bot, mina: User) -> None:
    await sends(bot, [mina.id], 2)
    assert [(one.limit, one.chat_id) for one in server.pacing_breaks] == [("1 per second in a chat", mina.id)]
    assert server.violations == []


async def test_the_twenty_first_message_in_a_group_breaks_the_pace(
    server: TelegramServer, bot: Bot, plaza: Chat
) -> None:
    await sends(bot, [plaza.id], 20)
    assert server.pacing_breaks == []
    await sends(bot, [plaza.id], 1)
    assert [one.limit for one in server.pacing_breaks] == ["20 per minute in a group"]


async def test_the_thirty_first_message_of_a_second_breaks_the_pace(server: TelegramServer, bot: Bot) -> None:
    chats = [server.private(server.user(f"{number}")).id for number in range(31)]
    await asyncio.gather(*(bot.send_message(chat, "안녕") for chat in chats))
    assert [one.limit for one in server.pacing_breaks] == ["30 per second overall"]


async def test_a_break_is_answered_where_that_is_asked_for(server: TelegramServer, bot: Bot, mina: User) -> None:
    server.pace.answers = True
    await sends(bot, [mina.id], 1)
    with pytest.raises(RetryAfter):
        await sends(bot, [mina.id], 1)
    assert len(server.private(mina).replies) == 1


async def test_time_can_run_faster(server: TelegramServer, bot: Bot, mina: User) -> None:
    server.pace.scale = 20
    for _ in range(4):
        await sends(bot, [mina.id], 1)
        await asyncio.sleep(0.05)
    assert server.pacing_breaks == []
    await sends(bot, [mina.id], 4)
    assert server.pacing_breaks != []


# Buttons and edits


async def test_a_pressed_button_gets_its_answer(server: TelegramServer, bot: Bot, mina: User) -> None:
    await bot.send_message(mina.id, "기억", reply_markup=keyboard("m:1"))
    (shown,) = server.private(mina).replies
    callback = await server.press(mina, shown, "잊기")
    (update,) = await bot.get_updates()
    assert update.callback_query is not None
    assert (update.callback_query.data, update.callback_query.from_user.id) == ("m:1", mina.id)
    await update.callback_query.answer("잊었어", show_alert=True)
    assert callback.answers == [{"text": "잊었어", "show_alert": True}]
    await update.callback_query.edit_message_text("없어")
    assert (shown.text, shown.edits[0][1].text, shown.buttons) == ("없어", "기억", [])
    with pytest.raises(BadRequest, match="Query is too old"):
        await bot.answer_callback_query("99")
    with pytest.raises(LookupError):
        await server.press(mina, shown, "잊기")


async def test_words_are_asked_for_with_a_question_that_people_reply_to(
    server: TelegramServer, bot: Bot, mina: User
) -> None:
    chat = server.private(mina)
    asked = await bot.send_message(mina.id, "왜?", reply_markup=ForceReply(input_field_placeholder="이유"))
    assert asked.reply_markup is None
    assert (chat.replies[0].reply_markup or {})["force_reply"] is True
    said = await server.say(mina, chat, "그냥", reply_to=chat.replies[0])
    assert said.update is not None
    assert said.update.payload["reply_to_message"]["message_id"] == asked.message_id
    with pytest.raises(BadRequest, match="placeholder"):
        await bot.send_message(mina.id, "왜?", reply_markup=ForceReply(input_field_placeholder="이" * 65))
    server.violations.clear()


async def test_a_press_can_be_handed_in_again_in_an_update_of_its_own(
    server: TelegramServer, bot: Bot, mina: User
) -> None:
    chat = server.private(mina)
    keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("여기", callback_data="1")]])
    await bot.send_message(mina.id, "고를 수 있어", reply_markup=keyboard)
    pressed = await server.press(mina, chat.replies[0], "여기")
    server.replay(pressed)
    first, second = [one for one in await bot.get_updates() if one.callback_query]
    assert first.update_id != second.update_id
    assert first.callback_query == second.callback_query


async def test_messages_are_edited_as_their_kind_allows(server: TelegramServer, bot: Bot, mina: User) -> None:
    text = await bot.send_message(mina.id, "기다려 봐")
    for refused in (text.edit_caption("글"), text.edit_text("기다려 봐")):
        with pytest.raises(BadRequest):
            await refused
    await text.edit_media(InputMediaPhoto(png(), caption="됐어"))
    (shown,) = server.private(mina).replies
    assert (shown.text, shown.caption, shown.photo is not None) == (None, "됐어", True)
    await bot.edit_message_caption(mina.id, shown.id, caption="정말 됐어")
    await bot.edit_message_reply_markup(mina.id, shown.id, reply_markup=keyboard("m:2"))
    assert (shown.caption, shown.buttons[0]["callback_data"], len(shown.edits)) == ("정말 됐어", "m:2", 3)
    await text.delete()
    assert server.private(mina).replies == []
    with pytest.raises(BadRequest, match="Message to delete not found"):
        await text.delete()
    assert server.violations == []


async def test_commands_are_kept_by_scope_and_language(server: TelegramServer, bot: Bot) -> None:
    scope = BotCommandScopeAllPrivateChats()
    await bot.set_my_commands([BotCommand("memory", "기억 보기")], scope=scope, language_code="ko")
    assert server.commands == {("all_private_chats", "ko"): {"memory": "기억 보기"}}
    assert await bot.get_my_commands() == ()
    assert [command.command for command in await bot.get_my_commands(scope, "ko")] == ["memory"]
    await bot.delete_my_commands(scope, "ko")
    assert server.commands == {}


async def test_a_chat_action_is_noted(server: TelegramServer, bot: Bot, mina: User) -> None:
    await bot.send_chat_action(mina.id, "typing")
    assert [(action.chat, action.action) for action in server.actions] == [(server.private(mina), "typing")]


# Chats


async def test_privacy_mode_hides_what_is_not_meant_for_the_bot(
    server: TelegramServer, bot: Bot, mina: User, plaza: Chat
) -> None:
    await bot.send_message(plaza.id, "안녕")
    heard = [
        ("그냥 하는 말", False), ("/chat 안녕", True), ("/chat@ohlora_bot 안녕", True), ("/chat@other_bot 안녕", False),
        ("@ohlora_bot 안녕", True), ("😀 안녕 @Ohlora_Bot", True), ("메일은 a@ohlora_bot", False),
    ]  # fmt: skip
    for text, expected in heard:
        said = await server.say(mina, plaza, text)
        assert (said.update is not None) is expected, text
    assert (await server.say(mina, plaza, "그래", reply_to=plaza.replies[0])).update is not None
    plaza.privacy = False
    assert (await server.say(mina, plaza, "그냥 하는 말")).update is not None
    assert (await server.say(server.user("봇", is_bot=True), plaza, "/chat")).update is None


async def test_a_topic_is_answered_in_the_topic(server: TelegramServer, bot: Bot, mina: User) -> None:
    forum = server.group("마당", forum=True, members=[mina])
    topic = forum.topic("잡담")
    said = await server.say(mina, forum, "/chat 안녕", topic=topic)
    (update,) = await bot.get_updates()
    message = update.effective_message
    assert message is not None
    assert (message.message_thread_id, message.is_topic_message) == (topic.id, True)
    assert message.reply_to_message is not None
    assert message.reply_to_message.forum_topic_created is not None
    await bot.send_message(
        forum.id, "안녕", message_thread_id=topic.id, reply_parameters=ReplyParameters(message.message_id)
    )
    assert [reply.reply_to for reply in topic.replies] == [said]
    with pytest.raises(BadRequest, match="Message thread not found"):
        await bot.send_message(forum.id, "안녕", message_thread_id=999)
    with pytest.raises(BadRequest, match="Message to be replied not found"):
        await bot.send_message(forum.id, "안녕", reply_parameters=ReplyParameters(999))
    topic.closed = True
    with pytest.raises(BadRequest, match="Topic_closed"):
        await bot.send_message(forum.id, "안녕", message_thread_id=topic.id)


async def test_a_chain_of_replies_in_a_plain_group_has_a_thread_that_is_no_topic(
    server: TelegramServer, bot: Bot, mina: User, plaza: Chat
) -> None:
    first = await server.say(mina, plaza, "그냥 하는 말")
    await server.say(mina, plaza, "/chat", reply_to=first)
    (update,) = await bot.get_updates()
    assert update.effective_message is not None
    assert (update.effective_message.message_thread_id, update.effective_message.is_topic_message) == (first.id, None)
    with pytest.raises(BadRequest, match="Message thread not found"):
        await bot.send_message(plaza.id, "안녕", message_thread_id=first.id)


async def test_people_who_are_not_whom_they_show(server: TelegramServer, bot: Bot, mina: User, plaza: Chat) -> None:
    channel = server.channel("소식", linked=plaza)
    plaza.privacy = False
    await server.say(mina, plaza, "익명", anonymous=True)
    await server.say(mina, plaza, "전달", forwarded=True)
    await server.post(channel, "소식이야")
    hidden, forwarded, post, automatic = [update.effective_message for update in await bot.get_updates()]
    assert hidden is not None
    assert hidden.from_user is not None
    assert hidden.sender_chat is not None
    assert (hidden.from_user.id, hidden.sender_chat.id) == (1087968824, plaza.id)
    assert forwarded is not None
    assert forwarded.forward_origin is not None
    assert post is not None
    assert post.from_user is None
    assert automatic is not None
    assert automatic.is_automatic_forward


async def test_where_the_bot_may_not_write_it_hears_why(
    server: TelegramServer, bot: Bot, mina: User, plaza: Chat
) -> None:
    stranger, joon = server.user("모르는 사람"), server.user("준")
    server.private(joon, started=False)
    for user in (stranger, joon):
        with pytest.raises(Forbidden, match="can't initiate conversation"):
            await bot.send_message(user.id, "안녕")
    await server.say(joon, server.private(joon), "/start")
    await bot.send_message(joon.id, "안녕")
    await server.block(mina)
    with pytest.raises(Forbidden, match="blocked by the user"):
        await bot.send_message(mina.id, "안녕")
    plaza.may_send.clear()
    with pytest.raises(BadRequest, match="Not enough rights to send photos"):
        await bot.send_photo(plaza.id, png())
    await server.move_bot(plaza, "kicked", joon)
    with pytest.raises(Forbidden, match="kicked from the supergroup chat"):
        await bot.send_message(plaza.id, "안녕")
    with pytest.raises(BadRequest, match="Chat not found"):
        await bot.send_message(77, "안녕")
    assert server.violations == []


async def test_an_upgraded_group_names_its_new_id(server: TelegramServer, bot: Bot, mina: User) -> None:
    group = server.group("작은 방", kind="group", admins=[mina])
    new = await server.upgrade(group, mina)
    with pytest.raises(ChatMigrated) as migrated:
        await bot.send_message(group.id, "안녕")
    assert migrated.value.new_chat_id == new.id
    assert new.members[mina.id].status == "creator"


async def test_members_and_their_rights_can_be_asked_for(server: TelegramServer, bot: Bot, mina: User) -> None:
    owner, weak = server.user("주인"), server.user("도우미")
    helper = Member(weak, "administrator", rights=frozenset({"can_manage_chat"}))
    plaza = server.group("광장", admins=[owner, helper], members=[mina])
    assert [one.status for one in await bot.get_chat_administrators(plaza.id)] == ["creator", "administrator"]
    assert (await bot.get_chat_member(plaza.id, mina.id)).status == "member"
    assert (await bot.get_chat_member(plaza.id, server.user("남").id)).status == "left"
    found = await bot.get_chat_member(plaza.id, weak.id)
    assert json.loads(found.to_json())["can_restrict_members"] is False
    assert (await bot.get_chat(plaza.id)).title == "광장"
    assert (await bot.get_chat(mina.id)).first_name == "미나"


# Faults


@pytest.mark.parametrize(
    ("how", "error", "arrives"),
    [
        ({"status": 400}, BadRequest, False),
        ({"status": 403}, Forbidden, False),
        ({"status": 409}, Conflict, False),
        ({"status": 500}, NetworkError, False),
        ({"status": 502}, NetworkError, False),
        ({"status": 504}, NetworkError, False),
        ({"cut": "before"}, NetworkError, False),
        ({"cut": "after"}, NetworkError, True),
        ({"broken": True}, TelegramError, True),
        ({"delay": 5.0}, TimedOut, True),
    ],
)
async def test_a_call_can_fail_in_every_way_and_then_no_more(
    server: TelegramServer, bot: Bot, mina: User, how: dict[str, Any], error: type[TelegramError], arrives: bool
) -> None:
    elsewhere = server.private(server.user("준"))
    fault = server.fault("send.*", chat=mina.id, **how)
    await bot.send_message(elsewhere.id, "여기는 괜찮아")
    with pytest.raises(error):
        await bot.send_message(mina.id, "안녕", read_timeout=0.5)
    assert (fault.hits, len(server.private(mina).replies)) == (1, arrives)
    await bot.send_message(mina.id, "다시")
    assert server.private(mina).replies[-1].text == "다시"


# Webhook


async def test_a_webhook_gets_every_update_with_its_secret_until_it_accepts(
    server: TelegramServer, bot: Bot, mina: User
) -> None:
    got: list[tuple[str | None, int]] = []

    async def receive(request: web.Request) -> web.Response:
        got.append((request.headers.get("X-Telegram-Bot-Api-Secret-Token"), (await request.json())["update_id"]))
        return web.Response(status=500 if len(got) == 1 else 200)

    application = web.Application()
    application.router.add_post("/hook", receive)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    poll = asyncio.create_task(bot.get_updates(timeout=20))
    await server.polling.wait()
    await bot.set_webhook(url, secret_token="geheim", allowed_updates=["message"])
    with pytest.raises(Conflict, match="terminated by setWebhook"):
        await poll
    with pytest.raises(Conflict, match="webhook is active"):
        await bot.get_updates()
    said = [await server.say(mina, server.private(mina), text) for text in ("하나", "둘")]
    ids = [message.update.id for message in said if message.update]
    await server.until(lambda: not server.updates.pending)
    assert got == [("geheim", ids[0]), ("geheim", ids[0]), ("geheim", ids[1])]
    info = await bot.get_webhook_info()
    assert (info.url, info.pending_update_count, info.last_error_message is not None) == (url, 0, True)
    await bot.delete_webhook()
    await server.say(mina, server.private(mina), "셋")
    assert len(await bot.get_updates()) == 1
    await runner.cleanup()


# A process of its own


async def test_as_a_process_it_is_steered_over_http() -> None:
    command = [sys.executable, "-m", "tests.end_to_end.telegram_server", "--time-scale", "100"]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    told = json.loads(await process.stdout.readline())
    async with aiohttp.ClientSession(f"{told['url']}/control/") as control:

        async def post(path: str, **body: Any) -> Any:
            async with control.post(path, json=body.get("rows", body)) as response:
                return await response.json()

        async def get(path: str) -> Any:
            async with control.get(path) as response:
                return await response.json()

        users = (await post("users", count=3))["users"]
        group = await post("groups", title="광장", forum=True, members=users, topics=["잡담"])
        await post("say", rows=[{"user": user, "text": "안녕"} for user in users])
        topic = group["topics"][0]
        await post("say", rows=[{"user": users[0], "chat": group["chat"], "topic": topic, "text": "/chat"}])
        await post("faults", method="sendMessage", status=500, skip=4)
        async with Bot(told["token"], base_url=f"{told['url']}/bot") as bot:
            updates = await bot.get_updates()
            for update in updates:
                assert update.effective_chat is not None
                await bot.send_message(update.effective_chat.id, "응")
            await bot.get_updates(offset=updates[-1].update_id + 1)
            with pytest.raises(NetworkError):
                await bot.send_message(users[0], "한 번 더")
        assert await post("wait", sent=4, confirmed=4, hits=[0, 1]) == {"met": True}
        assert await post("wait", sent=5, timeout=0.01) == {"met": False}
        state = await get("state")
        assert (state["sent"], state["pending"], state["violations"]) == (4, 0, [])
        rows = await get("replies")
        assert [len(row["replies"]) for row in rows] == [1] * 4
        assert all(row["replies"][0]["latency_ms"] > 0 for row in rows)
        assert len(await get("confirmations")) == 4
    process.terminate()
    assert await process.wait() == 0


async def test_a_hundred_photos_a_second_take_less_than_half_a_core(server: TelegramServer, bot: Bot) -> None:
    """In one process with the library, so what is measured is more than the stand-in."""
    chats = [server.private(server.user(f"{number}")) for number in range(100)]
    first = await bot.send_photo(chats[0].id, png())
    began = time.process_time()
    for _ in range(2):
        await asyncio.gather(*(bot.send_photo(chat.id, first.photo[-1].file_id, caption="안녕") for chat in chats))
    assert time.process_time() - began < 2.0
    sent: list[Message] = [reply for chat in chats for reply in chat.replies]
    assert len(sent) == 201

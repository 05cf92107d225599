"""Commands and buttons: who may ask, and how what is answered looks in Telegram."""

import logging
import re

import telegram
from telegram import InlineKeyboardButton, InlineKeyboardMarkup
from telegram.constants import CallbackQueryLimit, ChatMemberStatus
from telegram.error import BadRequest, Forbidden, TelegramError

from bot.adapters.base import Answer, Asked, Command, Host
from bot.adapters.pieces import pieces
from bot.adapters.telegram.chats import Place, chat_key, person_key, place_of, private_key
from bot.adapters.telegram.inbound import Me, language_for
from bot.adapters.telegram.sending import Sender, Showing
from bot.adapters.telegram.writing import CAPTION, TEXT, Writer
from core import texts
from core.messages import ChatKey

log = logging.getLogger(__name__)

# their answers are for nobody but the person
_PRIVATE = ("memory", "standing")
_CHANNEL = re.compile(r"<#(-?\d+)(?::(\d+))?>")


class Desk:
    """Hands commands in and shows the answers."""

    def __init__(self, bot: telegram.Bot, sender: Sender, writer: Writer, host: Host, me: Me) -> None:
        self._bot = bot
        self._sender = sender
        self._write = writer
        self._host = host
        self._me = me

    async def command(self, message: telegram.Message, command: Command) -> None:
        """What somebody asked for with /…"""
        user, chat = message.from_user, chat_key(message)
        assert user is not None
        place = place_of(chat, None if chat.private else message.message_id)
        if chat.private or command.name not in _PRIVATE:
            name = "about" if command.name == "start" and not chat.private else command.name
            asked = await self._asked(user, chat, Command(name, command.argument))
            await self._show(place, await self._host.commands.run(asked), chat, asked.language)
            return
        asked = await self._asked(user, private_key(user), command)
        answer = await self._host.commands.run(asked)
        try:
            await self._show(Place(user.id), answer, asked.chat, asked.language)
        except (BadRequest, Forbidden):  # the person never started her, or blocked her
            language = await self._language(user, chat)
            link = f"https://t.me/{self._me.username}"
            await self._write.text(place, texts.text(language, "platform", "start_first", link=link), Showing())

    async def pressed(self, query: telegram.CallbackQuery) -> None:
        """A button; whoever pressed it sees that something happened, in any case."""
        message, said = query.message, ""
        answer: Answer | None = None
        try:
            if message is not None:
                asked = await self._asked(query.from_user, chat_key(message), Command(""))
                answer = await self._host.commands.pressed(asked, _button_id(query.data or ""))
                if answer.refused:
                    said, answer = answer.text, None  # the message is somebody else's, or a page still of use
        finally:
            await self._acknowledge(query, said)
        if message is not None and answer is not None:
            await self._replace(message, answer, asked.chat, asked.language)

    async def _asked(self, user: telegram.User, chat: ChatKey, command: Command) -> Asked:
        manager = chat.private
        if not chat.private and command.name in ("settings", ""):  # only their pages have buttons in groups
            manager = await self._manages(place_of(chat).chat_id, user.id)
        return Asked(person_key(user), chat, command, await self._language(user, chat), manager)

    async def _language(self, user: telegram.User, chat: ChatKey) -> str:
        return language_for(user, chat.private, await self._host.places.of(chat), self._host.language)

    async def _manages(self, chat_id: int, user_id: int) -> bool:
        """Whether they do now."""
        try:
            member = await self._sender.ask(lambda: self._bot.get_chat_member(chat_id, user_id))
        except TelegramError as error:
            log.warning("chat %d: nobody can say who manages it: %s", chat_id, error)
            return False
        return member.status in (ChatMemberStatus.OWNER, ChatMemberStatus.ADMINISTRATOR)

    async def _acknowledge(self, query: telegram.CallbackQuery, said: str) -> None:
        text = next(iter(pieces(said, CallbackQueryLimit.ANSWER_CALLBACK_QUERY_TEXT_LENGTH)), None)
        try:
            await self._sender.ask(lambda: self._bot.answer_callback_query(query.id, text, show_alert=bool(text)))
        except TelegramError as error:
            log.info("a pressed button is not acknowledged: %s", error)

    async def _show(self, place: Place, answer: Answer, chat: ChatKey, language: str) -> None:
        parts = pieces(_readable(answer.text, chat, language), TEXT)
        if answer.file is not None:
            caption = next(iter(pieces(answer.text, CAPTION)), "")
            await self._write.document(place, answer.file, caption, Showing())
            return
        for number, part in enumerate(parts, 1):
            buttons = _keyboard(answer) if number == len(parts) else None
            await self._write.text(place, part, Showing(), buttons)

    async def _replace(
        self, message: telegram.MaybeInaccessibleMessage, answer: Answer, chat: ChatKey, language: str
    ) -> None:
        """In the message of the button, where that can be changed and the answer fits."""
        place, parts = place_of(chat), pieces(_readable(answer.text, chat, language), TEXT)
        if answer.file is None and len(parts) == 1:
            try:
                await self._write.edit_text(place, message.message_id, parts[0], Showing(), _keyboard(answer))
                return
            except BadRequest as error:
                log.info("chat %d: an old page stays: %s", place.chat_id, error)
        await self._show(place, answer, chat, language)


def _readable(text: str, chat: ChatKey, language: str) -> str:
    """Channels are written as `<#id>`; Telegram shows no names for ids."""

    def name(match: re.Match[str]) -> str:
        group, topic = match[1], match[2]
        if chat.chat_id == (f"{group}:{topic}" if topic else group):
            return texts.text(language, "platform", "here")
        if topic:
            return texts.text(language, "platform", "topic", n=topic)
        return texts.text(language, "platform", "main_chat")

    return _CHANNEL.sub(name, text)


def _keyboard(answer: Answer) -> InlineKeyboardMarkup | None:
    if not answer.buttons:
        return None
    return InlineKeyboardMarkup(
        [
            [InlineKeyboardButton(button.label, callback_data=str(button.button_id)) for button in row]
            for row in answer.buttons
        ]
    )


def _button_id(data: str) -> int:
    """0, which no button has, for what is no number of ours."""
    return int(data) if data.isascii() and data.isdecimal() and len(data) < 20 else 0

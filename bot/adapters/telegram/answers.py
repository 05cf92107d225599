"""How an answer looks in Telegram: text, buttons and files, and ids as something people can read."""

import logging
import re

import telegram
from telegram import InlineKeyboardButton, InlineKeyboardMarkup
from telegram.error import BadRequest

from bot.adapters.desk import Answer, File, Rows
from bot.adapters.pieces import pieces, units
from bot.adapters.telegram.chats import Place, place_of
from bot.adapters.telegram.sending import Showing
from bot.adapters.telegram.writing import CAPTION, TEXT, Writer
from core import texts
from core.messages import ChatKey

log = logging.getLogger(__name__)

_CHANNEL = re.compile(r"<#((-?\d+)(?::(\d+))?)>", re.ASCII)
_ID = re.compile(r"<[#@](-?\d+(?::\d+)?)>", re.ASCII)


class Answers:
    """Shows answers. Errors are the library's."""

    def __init__(self, writer: Writer) -> None:
        self._write = writer

    async def show(self, place: Place, answer: Answer, chat: ChatKey, language: str) -> None:
        """In new messages. `chat`: where they are read."""
        parts, caption, buttons = pieces(readable(answer.text, chat, language), TEXT), "", keyboard(answer.buttons)
        if answer.files and buttons is None and len(parts) == 1 and units(parts[0]) <= CAPTION:
            (caption,), parts = parts, []
        for number, part in enumerate(parts, 1):
            await self._write.text(place, part, Showing(), buttons if number == len(parts) else None)
        for file in answer.files:
            await self._file(place, file, caption)
            caption = ""

    async def replace(
        self, message: telegram.MaybeInaccessibleMessage, answer: Answer, chat: ChatKey, language: str
    ) -> None:
        """In the message of the button, where that can be changed and the answer fits."""
        place, parts = place_of(chat), pieces(readable(answer.text, chat, language), TEXT)
        if not answer.files and len(parts) == 1:
            try:
                buttons = keyboard(answer.buttons)
                await self._write.edit_text(place, message.message_id, parts[0], Showing(), buttons)
                return
            except BadRequest as error:
                log.info("chat %d: an old page stays: %s", place.chat_id, error)
        await self.show(place, answer, chat, language)

    async def _file(self, place: Place, file: File, caption: str) -> None:
        if not file.readable:
            try:
                await self._write.photo(place, file.content, caption, Showing())
                return
            except BadRequest as error:
                log.info("chat %d: a picture goes as a file: %s", place.chat_id, error)
        await self._write.document(place, file, caption, Showing())


def readable(text: str, chat: ChatKey, language: str) -> str:
    """Chats are written as `<#id>` and people as `<@id>`; Telegram shows no names for ids."""

    def name(match: re.Match[str]) -> str:
        chat_id, group, topic = match.groups()
        if chat.place_id != group:
            return str(chat_id)
        if chat.chat_id == chat_id:
            return texts.text(language, "platform", "here")
        if topic:
            return texts.text(language, "platform", "topic", n=topic)
        return texts.text(language, "platform", "main_chat")

    return plain(_CHANNEL.sub(name, text))


def plain(text: str) -> str:
    """Ids as nothing but numbers."""
    return _ID.sub(r"\1", text)


def keyboard(rows: Rows) -> InlineKeyboardMarkup | None:
    """None where there are no buttons."""
    if not rows:
        return None
    return InlineKeyboardMarkup(
        [[InlineKeyboardButton(button.label, callback_data=button.data) for button in row] for row in rows]
    )

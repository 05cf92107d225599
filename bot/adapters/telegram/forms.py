"""Words that a button needs first: asked for in the person's private chat, where they reply to the question."""

from dataclasses import dataclass

import telegram
from cachetools import LRUCache
from telegram import ForceReply

from bot.adapters.desk import Form
from bot.adapters.telegram.chats import Place
from bot.adapters.telegram.sending import Showing
from bot.adapters.telegram.writing import Writer
from core import texts
from core.messages import ChatKey

# questions that may still be answered; after a restart there is the command that each of them names
_OPEN = 10_000
_PLACEHOLDER = 64


@dataclass(frozen=True, slots=True)
class Origin:
    """The button behind a form."""

    data: str
    message_id: str
    chat: ChatKey


class Forms:
    """Who was asked for words, and for which button."""

    def __init__(self, writer: Writer) -> None:
        self._write = writer
        self._asked: LRUCache[tuple[int, int], Origin] = LRUCache(_OPEN)

    async def ask(self, user_id: int, form: Form, origin: Origin, language: str) -> None:
        """Put the question. Errors are the library's: the private chat may be closed."""
        labels = [field.label for field in form.fields]
        how = texts.text(language, "platform", "write_as_reply", instead=form.instead)
        question = "\n".join([form.title, *(f"· {label}" for label in labels), "", how])
        reply = ForceReply(input_field_placeholder=" · ".join(labels)[:_PLACEHOLDER])
        message = await self._write.text(Place(user_id), question, Showing(), reply)
        self._asked[user_id, message.message_id] = origin

    def answered(self, message: telegram.Message) -> Origin | None:
        """What somebody was asked for with the question that their private message answers."""
        question, user = message.reply_to_message, message.from_user
        if question is None or user is None or question.chat.id != user.id:
            return None
        return self._asked.get((user.id, question.message_id))

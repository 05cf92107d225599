"""The methods that write into chats."""

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

from .faults import ApiError, bad
from .files import Files, Media, OverLimit
from .objects import Chat, Content, Message, Topic
from .people import ADMINISTRATORS, units
from .rules import ACTIONS, ANSWER_UNITS, RuleBroken, check_caption, check_markup, check_text
from .schema import Upload
from .world import World

Arguments = Mapping[str, Any]
SENDS = {"sendMessage": "text", "sendPhoto": "photo", "sendDocument": "document"}
RIGHT_NAMES = {"text": "text messages", "photo": "photos", "document": "documents"}
NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same as a current content "
    "and reply markup of the message"
)


class Switches(Protocol):
    """What a test turns on."""

    refuse_photos: bool
    refuse_documents: bool


class Sending:
    """sendMessage, sendPhoto, sendDocument, the edits, deleteMessage, sendChatAction and answerCallbackQuery."""

    def __init__(self, world: World, files: Files, switches: Switches) -> None:
        self._world = world
        self._files = files
        self._switches = switches

    def send(self, kind: str, arguments: Arguments) -> Message:
        """A new message of one kind ("text", "photo" or "document")."""
        chat = self.open_chat(arguments)
        reply_to = self._replied(chat, arguments.get("reply_parameters"))
        topic = self._topic(chat, arguments.get("message_thread_id"), reply_to)
        markup = check_markup(arguments.get("reply_markup"))
        if kind == "text":
            content = Content(text=check_text(arguments.get("text")), reply_markup=markup)
        else:
            caption = check_caption(arguments.get("caption"))
            self._may(chat, kind)
            content = Content(None, caption, self._media(kind, arguments.get(kind)), markup)
        self._may(chat, kind)
        return Message(chat, self._world.me, content, reply_to, topic, from_bot=True)

    def edit_text(self, arguments: Arguments) -> Message:
        """editMessageText."""
        message = self._own(arguments)
        if message.text is None:
            raise bad("there is no text in the message to edit")
        return self._change(message, Content(text=check_text(arguments.get("text"))), arguments)

    def edit_caption(self, arguments: Arguments) -> Message:
        """editMessageCaption."""
        message = self._own(arguments)
        if message.content.media is None:
            raise bad("there is no caption in the message to edit")
        caption = check_caption(arguments.get("caption"))
        return self._change(message, replace(message.content, caption=caption), arguments)

    def edit_media(self, arguments: Arguments) -> Message:
        """editMessageMedia; also puts a file in the place of a text."""
        message = self._own(arguments)
        media = arguments["media"]
        kind = media["type"]
        if kind not in ("photo", "document"):
            raise ApiError(501, f"Not Implemented: {kind} in the stand-in")
        caption = check_caption(media.get("caption"))
        named = str(media["media"])
        source = arguments.get(named.removeprefix("attach://")) if named.startswith("attach://") else named
        self._may(message.chat, kind)
        return self._change(message, Content(None, caption, self._media(kind, source)), arguments)

    def edit_markup(self, arguments: Arguments) -> Message:
        """editMessageReplyMarkup."""
        message = self._own(arguments)
        return self._change(message, message.content, arguments)

    def delete(self, arguments: Arguments) -> bool:
        """deleteMessage."""
        chat = self.open_chat(arguments)
        message = chat.find(arguments["message_id"])
        if message is None:
            raise bad("message to delete not found")
        if not (message.from_bot or chat.private or "can_delete_messages" in self._rights(chat)):
            raise bad("message can't be deleted")
        message.deleted = True
        return True

    def action(self, arguments: Arguments) -> tuple[Chat, Topic | None, str]:
        """sendChatAction: where and what."""
        chat = self.open_chat(arguments)
        if arguments["action"] not in ACTIONS:
            raise RuleBroken("wrong parameter action in request", f"action {arguments['action']!r}")
        return chat, self._topic(chat, arguments.get("message_thread_id"), None), arguments["action"]

    def answer_callback(self, arguments: Arguments) -> bool:
        """answerCallbackQuery."""
        if units(arguments.get("text") or "") > ANSWER_UNITS:
            raise RuleBroken("MESSAGE_TOO_LONG", "answer to a callback query over 200 units")
        callback = self._world.callbacks.get(arguments["callback_query_id"])
        if callback is None:
            raise bad("query is too old and response timeout expired or query ID is invalid")
        callback.answers.append({name: arguments[name] for name in arguments if name != "callback_query_id"})
        return True

    def chat(self, arguments: Arguments) -> Chat:
        """The chat a call names, by id or @username (400 where there is none)."""
        named = arguments.get("chat_id")
        if named is None:
            raise bad("chat_id is empty")
        if isinstance(named, str):
            found = (chat for chat in self._world.chats.values() if chat.username and f"@{chat.username}" == named)
            chat = next(found, None)
        else:
            chat = self._world.chats.get(named)
        if chat is None and named in self._world.users:
            raise ApiError(403, "Forbidden: bot can't initiate conversation with a user")
        if chat is None:
            raise bad("chat not found")
        return chat

    def open_chat(self, arguments: Arguments) -> Chat:
        """A chat in which the bot may do something."""
        chat = self.chat(arguments)
        if chat.migrated_to is not None:
            description = "Bad Request: group chat was upgraded to a supergroup chat"
            raise ApiError(400, description, migrate_to_chat_id=chat.migrated_to)
        if chat.deactivated:
            raise ApiError(403, "Forbidden: user is deactivated")
        if chat.private and chat.bot.status == "kicked":
            raise ApiError(403, "Forbidden: bot was blocked by the user")
        if not chat.started:
            raise ApiError(403, "Forbidden: bot can't initiate conversation with a user")
        if not chat.bot.present:
            how = "was kicked from" if chat.bot.status == "kicked" else "is not a member of"
            raise ApiError(403, f"Forbidden: bot {how} the {chat.kind} chat")
        return chat

    @staticmethod
    def _may(chat: Chat, kind: str) -> None:
        if kind not in chat.may_send and chat.bot.status not in ADMINISTRATORS:
            raise bad(f"not enough rights to send {RIGHT_NAMES[kind]} to the chat")

    @staticmethod
    def _rights(chat: Chat) -> frozenset[str]:
        return chat.bot.rights if chat.bot.status == "administrator" else frozenset()

    @staticmethod
    def _replied(chat: Chat, parameters: Arguments | None) -> Message | None:
        if parameters is None:
            return None
        if parameters.get("chat_id", chat.id) != chat.id:
            raise ApiError(501, "Not Implemented: replies into other chats in the stand-in")
        message = chat.find(parameters["message_id"])
        if message is None and not parameters.get("allow_sending_without_reply"):
            raise bad("message to be replied not found")
        return message

    @staticmethod
    def _topic(chat: Chat, thread_id: int | None, reply_to: Message | None) -> Topic | None:
        if thread_id is None:
            return reply_to.topic if reply_to else None
        topic = chat.topics.get(thread_id)
        if topic is None or topic.deleted:
            raise bad("message thread not found")
        if reply_to is not None and reply_to.topic is not topic:
            raise bad("message to be replied not found")
        if topic.closed and chat.bot.status not in ADMINISTRATORS:
            raise bad("TOPIC_CLOSED")
        return topic

    def _media(self, kind: str, source: Any) -> Media:
        if (self._switches.refuse_photos if kind == "photo" else self._switches.refuse_documents) and source:
            raise bad("PHOTO_INVALID_DIMENSIONS" if kind == "photo" else "DOCUMENT_INVALID")
        if isinstance(source, Upload):
            try:
                return self._files.store(source, kind)
            except OverLimit as error:
                raise RuleBroken(str(error)) from None
        if not source:
            raise RuleBroken(f"there is no {kind} in the request")
        return self._files.find(source, kind)

    def _own(self, arguments: Arguments) -> Message:
        if "message_id" not in arguments:
            raise bad("message identifier is not specified")
        message = self.open_chat(arguments).find(arguments["message_id"])
        if message is None:
            raise bad("message to edit not found")
        if not message.from_bot:
            raise bad("message can't be edited")
        return message

    @staticmethod
    def _change(message: Message, content: Content, arguments: Arguments) -> Message:
        content = replace(content, reply_markup=check_markup(arguments.get("reply_markup")))
        if content == message.content:
            raise bad(NOT_MODIFIED)
        message.change(content, time.monotonic())
        return message

"""Where things are said: Telegram's chats and topics, and our keys for them."""

from dataclasses import dataclass, replace

import telegram
from telegram.constants import ChatType

from core.messages import ChatKey, IncomingMessage, PersonKey

PLATFORM = "telegram"


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is written: a chat, perhaps one of its topics, perhaps as an answer to a message."""

    chat_id: int
    thread: int | None = None
    quoted: int | None = None


def person_key(user: telegram.User) -> PersonKey:
    """Their account's number; names are decoration."""
    return PersonKey(PLATFORM, str(user.id))


def group_key(chat_id: int) -> ChatKey:
    """A group by its number."""
    return ChatKey(PLATFORM, str(chat_id), False, str(chat_id))


def private_key(user: telegram.User) -> ChatKey:
    """The private chat with a person; Telegram gives it the person's number."""
    return ChatKey(PLATFORM, str(user.id), True, str(user.id))


def chat_key(message: telegram.MaybeInaccessibleMessage) -> ChatKey:
    """The chat of a message; a topic is a chat of its own, "group:topic". The general topic has the group's number."""
    chat, chat_id = message.chat, str(message.chat.id)
    thread = None
    if isinstance(message, telegram.Message) and message.is_topic_message:  # plain groups number their threads too
        thread = message.message_thread_id
    return ChatKey(PLATFORM, f"{chat_id}:{thread}" if thread else chat_id, chat.type == ChatType.PRIVATE, chat_id)


def place_of(chat: ChatKey, quoted: int | None = None) -> Place:
    """Where to write for a chat."""
    return replace(place_named(chat.chat_id), quoted=quoted)


def place_named(chat_id: str) -> Place:
    """Where to write for the chat_id of a key."""
    group, _, thread = chat_id.partition(":")
    return Place(int(group), int(thread) if thread else None)


def answer_to(message: IncomingMessage) -> Place:
    """Where the reply to a message goes; in groups it shows what it answers."""
    return place_of(message.chat, None if message.chat.private else int(message.message_id))

"""What the stand-in keeps: chats, topics and messages, each as the Bot API writes it."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .files import Media
from .people import Member, User, entities_of
from .updates import Update

ICON_COLOR = 7322096


@dataclass(eq=False)
class Chat:
    """A private chat, group, supergroup or channel; `messages` stands in the order of arrival."""

    id: int
    kind: str
    bot: Member
    title: str | None = None
    user: User | None = None
    forum: bool = False
    privacy: bool = True
    username: str | None = None
    linked: "Chat | None" = None
    migrated_to: int | None = None
    started: bool = True
    deactivated: bool = False
    may_send: set[str] = field(default_factory=lambda: {"text", "photo", "document"})
    members: dict[int, Member] = field(default_factory=dict)
    topics: dict[int, "Topic"] = field(default_factory=dict)
    messages: list["Message"] = field(default_factory=list)

    @property
    def private(self) -> bool:
        """Whether this is a chat with one person."""
        return self.kind == "private"

    @property
    def replies(self) -> list["Message"]:
        """What the bot wrote and did not delete."""
        return [message for message in self.messages if message.from_bot and not message.deleted]

    def find(self, message_id: Any) -> "Message | None":
        """A message that is still there."""
        if not isinstance(message_id, int) or not 1 <= message_id <= len(self.messages):
            return None
        message = self.messages[message_id - 1]
        return None if message.deleted else message

    def topic(self, name: str, *, by: User | None = None) -> "Topic":
        """Open a forum topic. Telegram shows its first message, a service message, as replied to by every other."""
        if not self.forum:
            raise ValueError("topics stand in forums")
        creator = by or next(member.user for member in self.members.values() if member.present)
        created = {"forum_topic_created": {"name": name, "icon_color": ICON_COLOR}}
        service = Message(self, creator, extra=created, from_bot=creator == self.bot.user)
        topic = Topic(service.id, name, self, service)
        service.topic = topic
        self.topics[topic.id] = topic
        return topic

    def json(self) -> dict[str, Any]:
        """Chat."""
        written: dict[str, Any] = {"id": self.id, "type": self.kind}
        if self.user is not None:
            written |= {"first_name": self.user.first_name}
        if self.title is not None:
            written["title"] = self.title
        username = self.user.username if self.user else self.username
        if username:
            written["username"] = username
        if self.forum:
            written["is_forum"] = True
        return written


@dataclass(eq=False)
class Topic:
    """A forum topic; its id is the `message_thread_id`."""

    id: int
    name: str
    chat: Chat
    service: "Message"
    closed: bool = False
    deleted: bool = False

    @property
    def messages(self) -> list["Message"]:
        """What was written here, without the service message."""
        return [message for message in self.chat.messages if message.topic is self and message is not self.service]

    @property
    def replies(self) -> list["Message"]:
        """What the bot wrote here and did not delete."""
        return [message for message in self.messages if message.from_bot and not message.deleted]


@dataclass(frozen=True)
class Content:
    """What an edit can change."""

    text: str | None = None
    caption: str | None = None
    media: Media | None = None
    reply_markup: Mapping[str, Any] | None = None


@dataclass(eq=False)
class Message:
    """A message; made, it stands in its chat under the next id. `edits` are earlier contents, oldest first."""

    chat: Chat
    sender: User | None
    content: Content = Content()
    reply_to: "Message | None" = None
    topic: Topic | None = None
    extra: dict[str, Any] = field(default_factory=dict)
    entities: list[dict[str, Any]] | None = None
    from_bot: bool = False
    at: float = field(default_factory=time.monotonic)
    date: int = field(default_factory=lambda: int(time.time()))
    edits: list[tuple[float, Content]] = field(default_factory=list)
    deleted: bool = False
    update: Update | None = None
    id: int = 0

    def __post_init__(self) -> None:
        self.chat.messages.append(self)
        self.id = len(self.chat.messages)

    @property
    def text(self) -> str | None:
        """The text of a text message."""
        return self.content.text

    @property
    def caption(self) -> str | None:
        """The text under a file."""
        return self.content.caption

    @property
    def words(self) -> str:
        """Text or caption, whichever there is."""
        return self.text or self.caption or ""

    @property
    def photo(self) -> Media | None:
        """The photo, where it carries one."""
        return self._media("photo")

    @property
    def document(self) -> Media | None:
        """The document, where it carries one."""
        return self._media("document")

    @property
    def reply_markup(self) -> Mapping[str, Any] | None:
        """The keyboard."""
        return self.content.reply_markup

    @property
    def buttons(self) -> list[dict[str, Any]]:
        """All inline buttons, row by row."""
        return [button for row in (self.reply_markup or {}).get("inline_keyboard", ()) for button in row]

    @property
    def thread(self) -> int | None:
        """`message_thread_id`: the topic, or in a plain supergroup the message that a chain of replies began with."""
        if self.topic is not None:
            return self.topic.id
        if self.chat.kind == "supergroup" and not self.chat.forum and self.reply_to is not None:
            return self.reply_to.thread or self.reply_to.id
        return None

    def change(self, content: Content, at: float) -> None:
        """Edit."""
        self.edits.append((at, self.content))
        self.content = content
        self.entities = None

    def json(self, *, nested: bool = False) -> dict[str, Any]:
        """Message; a nested one does not say what it replies to."""
        written = {"message_id": self.id, "date": self.date, "chat": self.chat.json(), **self.extra, **self._place()}
        if self.sender is not None:
            written["from"] = self.sender.json()
        if self.edits:
            written["edit_date"] = self.date + round(self.edits[-1][0] - self.at)
        above = self.reply_to or (self.topic.service if self.topic else None)
        if above is not None and above is not self and not above.deleted and not nested:
            written["reply_to_message"] = above.json(nested=True)
        return written | self._content()

    def _place(self) -> dict[str, Any]:
        if self.thread is None:
            return {}
        return {"message_thread_id": self.thread} | ({"is_topic_message": True} if self.topic else {})

    def _content(self) -> dict[str, Any]:
        written = dict(self.content.media.fields()) if self.content.media else {}
        for name, words in (("text", self.text), ("caption", self.caption)):
            if words:
                written[name] = words
                entities = entities_of(words) if self.entities is None else self.entities
                if entities:
                    written["entities" if name == "text" else "caption_entities"] = entities
        if self.reply_markup and "inline_keyboard" in self.reply_markup:
            written["reply_markup"] = self.reply_markup
        return written

    def _media(self, kind: str) -> Media | None:
        media = self.content.media
        return media if media is not None and media.kind == kind else None


@dataclass(eq=False)
class Callback:
    """A pressed button and how the bot answered it (the parameters of answerCallbackQuery)."""

    id: str
    user: User
    message: Message
    data: str
    answers: list[dict[str, Any]] = field(default_factory=list)
    update: Update | None = None

    def json(self) -> dict[str, Any]:
        """CallbackQuery."""
        return {
            "id": self.id,
            "from": self.user.json(),
            "message": self.message.json(),
            "chat_instance": str(self.message.chat.id),
            "data": self.data,
        }

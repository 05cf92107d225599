"""The border currency: what adapters hand in, what they get back, and what a turn leaves behind."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from core.expression import Expression
from core.sanctions import Sanction


@dataclass(frozen=True, slots=True)
class PersonKey:
    """A person is a platform and its own id of the account; names are decoration."""

    platform: str
    user_id: str


@dataclass(frozen=True, slots=True)
class PlaceKey:
    """A server, a group, or a private chat."""

    platform: str
    place_id: str


@dataclass(frozen=True, slots=True)
class ChatKey:
    """Where a message was said. `private`: only this person and 오로라 read it.

    `place_id`: the server or group that the chat belongs to; "" where the chat itself is all there is.
    """

    platform: str
    chat_id: str
    private: bool
    place_id: str = ""

    @property
    def place(self) -> PlaceKey:
        """What has settings of its own: the server or group, else the chat."""
        return PlaceKey(self.platform, self.place_id or self.chat_id)

    @property
    def scope(self) -> str:
        """The scope of what is learned here: "" for private chats, else the server or group (behaviour.md §6)."""
        return "" if self.private else self.place.place_id


@dataclass(frozen=True, slots=True)
class MessageKey:
    """Which message, among all of a platform."""

    platform: str
    chat_id: str
    message_id: str


@dataclass(frozen=True, slots=True)
class IncomingMessage:
    """One message of one person. (platform, chat_id, message_id) is unique; `sent_at` is aware, in UTC.

    `via`: what its adapter needs to answer this very message, such as the token of a slash command.
    """

    person: PersonKey
    chat: ChatKey
    message_id: str
    text: str
    sent_at: datetime
    language: str = "ko"
    via: str = ""

    @property
    def key(self) -> MessageKey:
        """Which message it is."""
        return MessageKey(self.chat.platform, self.chat.chat_id, self.message_id)


class NoticeKind(StrEnum):
    """What 오로라's service says beside her answer, or instead of it."""

    WARNING = "warning"
    BLOCK = "block"
    BLOCKED = "blocked"
    TOO_LONG = "too_long"
    EMPTY = "empty"
    BUSY = "busy"
    FAULT = "fault"
    INTRODUCTION = "introduction"
    SLOW = "slow"


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence of core.texts, ready to be shown."""

    kind: NoticeKind
    text: str

    @property
    def private(self) -> bool:
        """Whether it concerns nobody but the person: sanctions do."""
        return self.kind in (NoticeKind.WARNING, NoticeKind.BLOCK, NoticeKind.BLOCKED)


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back to one message: her answer with its face, notices, or both. `text` is "" without an answer.

    An empty reply says nothing: the message was deleted, or its author was told already.
    """

    to: IncomingMessage
    text: str = ""
    expression: Expression | None = None
    notices: tuple[Notice, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether there is nothing to show."""
        return not (self.text or self.notices)


@dataclass(frozen=True, slots=True)
class Turn:
    """One finished turn. `final_input` is "" when there is nothing to remember: no model was asked, or it is paused.

    `sanctions`: those that the person does not notice are among them.
    """

    reply: Reply
    final_input: str = ""
    sanctions: tuple[Sanction, ...] = ()
    ethics_scores: Mapping[str, float] = field(default_factory=dict)

    @property
    def message(self) -> IncomingMessage:
        """The message it answers."""
        return self.reply.to

    @property
    def to_remember(self) -> bool:
        """Whether memory and summary are still to be written; a turn that ends in a block leaves neither."""
        return bool(self.final_input) and not any(sanction.felt and sanction.period for sanction in self.sanctions)

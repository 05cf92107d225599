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
class ChatKey:
    """Where a message was said. `private`: only this person and 오로라 read it."""

    platform: str
    chat_id: str
    private: bool

    @property
    def scope(self) -> str:
        """The scope of what is learned here: "" for private chats, else the chat's id (behaviour.md §6)."""
        return "" if self.private else self.chat_id


@dataclass(frozen=True, slots=True)
class IncomingMessage:
    """One message of one person. (platform, chat_id, message_id) is unique; `sent_at` is aware, in UTC."""

    person: PersonKey
    chat: ChatKey
    message_id: str
    text: str
    sent_at: datetime
    language: str = "ko"


class NoticeKind(StrEnum):
    """What 오로라's service says beside her answer, or instead of it."""

    WARNING = "warning"
    BLOCK = "block"
    BLOCKED = "blocked"
    TOO_LONG = "too_long"
    EMPTY = "empty"
    BUSY = "busy"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence of core.texts, ready to be shown."""

    kind: NoticeKind
    text: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back to one message: her answer with its face, notices, or both. `text` is "" without an answer."""

    to: IncomingMessage
    text: str = ""
    expression: Expression | None = None
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True)
class Turn:
    """One finished turn. `final_input` is "" when no model was asked; then there is nothing to remember either."""

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
        return bool(self.final_input) and not any(sanction.period for sanction in self.sanctions)

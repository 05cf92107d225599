"""What the stand-in notes down."""

from typing import Any, NamedTuple

from .objects import Chat, Topic


class Violation(NamedTuple):
    """A rule of Telegram's that the bot broke."""

    method: str
    reason: str


class Call(NamedTuple):
    """One request; `at` is when it came in (monotonic), `status` what it was answered (0: cut)."""

    method: str
    arguments: dict[str, Any]
    status: int
    at: float


class Action(NamedTuple):
    """A chat action that was shown."""

    chat: Chat
    topic: Topic | None
    action: str
    at: float

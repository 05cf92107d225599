"""What every platform adapter is, and what it gets to work with."""

from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from core.expression import Expression
from core.messages import ChatKey, IncomingMessage, PersonKey, Reply


@dataclass(frozen=True, slots=True)
class Command:
    """A command as a person gave it: `/forget 3` is Command("forget", "3")."""

    name: str
    argument: str = ""


@dataclass(frozen=True, slots=True)
class Handlers:
    """Where an adapter hands things in. `message` returns when its turn is over and remembered.

    `command` returns the sentence to show to the person; `picture` the PNG of a face, None when
    it cannot be drawn now.
    """

    message: Callable[[IncomingMessage], Coroutine[Any, Any, None]]
    command: Callable[[PersonKey, Command, str], Awaitable[str]]
    picture: Callable[[Expression], Awaitable[Path | None]]


class Adapter(Protocol):
    """One platform. `recognises_repetition`: posting a reply twice shows it once there."""

    platform: str
    recognises_repetition: bool

    async def run(self, handlers: Handlers) -> None:
        """Receive until the platform or the person is done."""
        ...

    async def post(self, reply: Reply) -> None:
        """Show a reply. Raises DeliveryError when the platform did not take it."""
        ...

    def typing(self, chat: ChatKey) -> AbstractAsyncContextManager[None]:
        """Show that she is writing, for as long as the context lasts."""
        ...

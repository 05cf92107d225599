"""What every platform adapter is, and what it gets to work with."""

import asyncio
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from bot.adapters.desk import CommandDesk, Rows
from core.messages import ChatKey, IncomingMessage, Notice, PersonKey, Reply
from core.people import PlaceSettings
from core.ports import Clock, Notes

# what `Adapter.write` takes: one message on every platform, whatever it does to its characters
REVIEW_LENGTH = 1500


class Messages(Protocol):
    """Where messages go."""

    async def receive(self, message: IncomingMessage) -> asyncio.Future[None]:
        """Returns once the message is safe: it gets one reply, also after a crash. The future ends with its turn."""
        ...

    async def amend(self, chat: ChatKey, message_id: str, text: str) -> None:
        """The person changed a message; while it waits for its reply the newest text counts. Raises RecordError."""
        ...

    async def withdraw(self, chat: ChatKey, message_id: str) -> None:
        """The person deleted a message; while it waits for its reply it is dropped. Raises RecordError."""
        ...


class History(Protocol):
    """What was heard before, to find out what was missed. Raises RecordError."""

    async def last_heard(self, platform: str) -> datetime | None:
        """When the newest message of a platform was sent."""
        ...

    async def private_chats(self, platform: str, since: datetime, limit: int) -> list[ChatKey]:
        """The private chats with a message sent after `since`, the most recent first."""
        ...


class Places(Protocol):
    """What was chosen for a server, a group or a private chat."""

    async def of(self, chat: ChatKey) -> PlaceSettings:
        """The settings that hold in a chat; the defaults while the record cannot be read."""
        ...

    async def moved(self, old: ChatKey, new: ChatKey) -> None:
        """The platform gave a place another id. Raises RecordError."""
        ...


class Faces(Protocol):
    """Pictures of her."""

    async def of(self, reply: Reply) -> Path | None:
        """The PNG to show with a reply; None when its place wants none, or it cannot be drawn now."""
        ...


@dataclass(frozen=True, slots=True)
class Host:
    """The service as an adapter sees it. `language`: of places where nobody chose one."""

    messages: Messages
    history: History
    commands: CommandDesk
    places: Places
    faces: Faces
    notes: Notes
    clock: Clock
    language: str


class Begin(Protocol):
    """Notes in the record that a reply leaves now: after a crash nobody knows whether it arrived."""

    async def __call__(self, *, left: bool = True) -> None:
        """`left` False takes the note back: what failed certainly showed nothing, and is tried again."""
        ...


class Adapter(Protocol):
    """One platform. It translates, and decides nothing.

    `recognises_for`: how long after it first began a delivery may be repeated without being shown twice; zero: never.
    """

    platform: str
    recognises_for: timedelta

    @property
    def connected(self) -> bool:
        """Whether what people say there reaches us now."""
        ...

    async def open(self, host: Host) -> None:
        """Log in: `post` works from here on. Raises ConfigurationError when the platform does not let it in."""
        ...

    async def run(self) -> None:
        """Receive until the platform or the person is done. Raises ConfigurationError."""
        ...

    async def close(self) -> None:
        """Let go of the platform; safe at any time."""
        ...

    async def post(self, reply: Reply, begin: Begin) -> None:
        """Show a reply, in the place of whatever `hold` showed; an empty one only takes that away.

        Awaits `begin` before the first request that shows anything. Raises DeliveryError when it is not known
        whether the platform took it, DeliveryRefused when it never will.
        """
        ...

    async def hold(self, message: IncomingMessage, notice: Notice) -> None:
        """Show that the reply takes a while, in a message that becomes the reply."""
        ...

    def typing(self, chat: ChatKey) -> AbstractAsyncContextManager[None]:
        """Show that she is writing, for as long as the context lasts."""
        ...

    async def tell(self, person: PersonKey, text: str) -> None:
        """Write to a person where nobody else reads it. Raises DeliveryError, DeliveryRefused where that is closed."""
        ...

    async def write(self, chat_id: str, text: str, buttons: Rows = (), message_id: str = "") -> str:
        """Write to everybody in a chat, or change the message of ours with this id; returns its id.

        Text is plain as in an Answer, and of at most `REVIEW_LENGTH` characters. Raises DeliveryError, DeliveryRefused;
        the latter also when the message to change is gone.
        """
        ...

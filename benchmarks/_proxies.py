"""Ports around ports: each passes everything through, and a benchmark overrides what it looks at."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.app import App
from bot.turns import HereTurns
from core.memory import Summary
from core.messages import ChatKey, IncomingMessage, MessageKey, PersonKey, Turn
from core.ports import Change, Delivery, Fence, Past, TurnStore, Undelivered


@dataclass(frozen=True)
class TurnsProxy:
    """core.ports.TurnStore."""

    inner: TurnStore

    async def receive(self, message: IncomingMessage) -> bool:
        """As it is."""
        return await self.inner.receive(message)

    async def past(self, person: PersonKey, chat: ChatKey) -> Past:
        """As it is."""
        return await self.inner.past(person, chat)

    async def amend(self, message: IncomingMessage) -> None:
        """As it is."""
        await self.inner.amend(message)

    async def commit(self, turn: Turn, fence: Fence | None = None) -> int:
        """As it is."""
        return await self.inner.commit(turn, fence)

    async def discard(self, message: IncomingMessage) -> None:
        """As it is."""
        await self.inner.discard(message)

    async def begin(self, turn_id: int, now: datetime | None) -> None:
        """As it is."""
        await self.inner.begin(turn_id, now)

    async def end(self, turn_id: int, outcome: Delivery) -> None:
        """As it is."""
        await self.inner.end(turn_id, outcome)

    async def remember(self, turn_id: int, change: Change, summary: Summary | None, fence: Fence | None = None) -> None:
        """As it is."""
        await self.inner.remember(turn_id, change, summary, fence)

    async def waiting(self, keys: Sequence[MessageKey]) -> list[IncomingMessage]:
        """As it is."""
        return await self.inner.waiting(keys)

    async def unanswered(self) -> list[IncomingMessage]:
        """As it is."""
        return await self.inner.unanswered()

    async def undelivered(self, turn_ids: Collection[int] | None = None) -> list[Undelivered]:
        """As it is."""
        return await self.inner.undelivered(turn_ids)

    async def unremembered(self) -> list[tuple[int, Turn]]:
        """As it is."""
        return await self.inner.unremembered()

    async def last_heard(self, platform: str) -> datetime | None:
        """As it is."""
        return await self.inner.last_heard(platform)

    async def private_chats(self, platform: str, since: datetime, limit: int) -> list[ChatKey]:
        """As it is."""
        return await self.inner.private_chats(platform, since, limit)


def put_between(app: App, store: TurnStore) -> None:
    """Give a wired service another TurnStore. It has no hooks for that, so its port is exchanged from outside."""
    service = app.service
    service._store = service._outbox._turns = service._apologies._store = store
    turns = here(app)
    turns._store = turns._conversation._turns = store


def here(app: App) -> HereTurns:
    """What finds the replies of a service that does it itself."""
    turns = app.service._turns
    assert isinstance(turns, HereTurns)
    return turns

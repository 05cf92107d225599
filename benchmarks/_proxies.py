"""Ports around ports: each passes everything through, and a benchmark overrides what it looks at."""

from dataclasses import dataclass

from core.memory import MemoryChange, Summary
from core.messages import IncomingMessage, Reply, Turn
from core.ports import MemoryStore, SanctionLog, TurnStore


@dataclass(frozen=True)
class TurnsProxy:
    """core.ports.TurnStore."""

    inner: TurnStore

    async def receive(self, message: IncomingMessage) -> bool:
        """As it is."""
        return await self.inner.receive(message)

    async def commit(self, turn: Turn) -> int:
        """As it is."""
        return await self.inner.commit(turn)

    async def discard(self, message: IncomingMessage) -> None:
        """As it is."""
        await self.inner.discard(message)

    async def delivered(self, turn_id: int, *, certain: bool = True) -> None:
        """As it is."""
        await self.inner.delivered(turn_id, certain=certain)

    async def remember(self, turn_id: int, change: MemoryChange, summary: Summary | None) -> None:
        """As it is."""
        await self.inner.remember(turn_id, change, summary)

    async def unanswered(self) -> list[IncomingMessage]:
        """As it is."""
        return await self.inner.unanswered()

    async def undelivered(self) -> list[tuple[int, Reply]]:
        """As it is."""
        return await self.inner.undelivered()

    async def unremembered(self) -> list[tuple[int, Turn]]:
        """As it is."""
        return await self.inner.unremembered()


@dataclass(frozen=True)
class RecordView:
    """core.ports.Record put together from parts."""

    turns: TurnStore
    memories: MemoryStore
    sanctions: SanctionLog

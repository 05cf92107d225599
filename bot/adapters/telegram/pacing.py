"""Telegram's rates: how often something may be written, in one chat, in one group and overall (platforms.md)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext

_SECOND, _MINUTE = 1.0, 60.0
_PER_CHAT, _PER_GROUP, _OVERALL = 1, 20, 30


class _Slots:
    """`count` places, taken in the order of asking; each rests `rest_s` after its use.

    Two requests of one place reach Telegram at least `rest_s` apart, however long they were on their way, because the
    second leaves that long after the first was answered. So no window of `rest_s` ever sees more than `count`.
    """

    def __init__(self, count: int, rest_s: float) -> None:
        self.rest_s = rest_s
        self._free = asyncio.Semaphore(count)

    @property
    def taken(self) -> bool:
        """Whether the next one would wait."""
        return self._free.locked()

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """A place for as long as the context lasts."""
        await self._free.acquire()
        try:
            yield
        finally:
            asyncio.get_running_loop().call_later(self.rest_s, self._free.release)


class _Lane:
    """One chat: those who wait there, write, or wrote less than `rest_s` ago."""

    def __init__(self, scale: float, group: bool) -> None:
        self.users = 0
        self.gap = _Slots(_PER_CHAT, _SECOND / scale)
        self.minute = _Slots(_PER_GROUP, _MINUTE / scale) if group else None

    @property
    def rest_s(self) -> float:
        return (self.minute or self.gap).rest_s


class Pace:
    """Lets requests leave as fast as Telegram takes them, first come first served in a chat and between chats.

    A chat that waits for its own turn takes nothing from the others: only the first of each chat asks for one of the
    places of all chats together. Chats where nothing happens are forgotten. `scale` 10 is ten times as fast.
    """

    def __init__(self, scale: float = 1.0) -> None:
        self._scale = scale
        self._lanes: dict[int, _Lane] = {}
        self._overall = _Slots(_OVERALL, _SECOND / scale)

    def idle(self, chat_id: int) -> bool:
        """Whether something less important may be written there: nobody waits, and a group is far from its limit."""
        lane = self._lanes.get(chat_id)
        return lane is None or (not lane.gap.taken and lane.users < _PER_GROUP // 2)

    @asynccontextmanager
    async def chat(self, chat_id: int) -> AsyncIterator[None]:
        """A turn in a chat; groups have numbers below zero."""
        lane = self._lanes.get(chat_id)
        if lane is None:
            lane = self._lanes[chat_id] = _Lane(self._scale, chat_id < 0)
        lane.users += 1
        try:
            async with lane.gap.one(), lane.minute.one() if lane.minute else nullcontext():
                yield
        finally:
            asyncio.get_running_loop().call_later(lane.rest_s, self._leave, chat_id, lane)

    def leaving(self) -> AbstractAsyncContextManager[None]:
        """One request on its way, among those of all chats."""
        return self._overall.one()

    def _leave(self, chat_id: int, lane: _Lane) -> None:
        lane.users -= 1
        if not lane.users:
            del self._lanes[chat_id]

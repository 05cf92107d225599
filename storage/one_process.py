"""Counters and leases among the tasks of one process."""

import time
from collections.abc import Callable
from datetime import timedelta

from cachetools import TLRUCache

from core.ports import Fence

# names that are counted at once; the ones used longest ago are forgotten first
MOST_NAMES = 100_000


class LocalCounters:
    """core.ports.Counters."""

    def __init__(self, most: int = MOST_NAMES, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        # name → how many, and until when they count
        self._counts: TLRUCache[str, tuple[int, float]] = TLRUCache(most, lambda _, counted, __: counted[1], clock)

    async def count(self, name: str, within: timedelta) -> int:
        """One more, and how many there were since the first, which is forgotten after `within`."""
        number, until = self._counts.get(name, (0, self._clock() + within.total_seconds()))
        self._counts[name] = (number + 1, until)
        return number + 1


class LocalLeases:
    """core.ports.Leases."""

    def __init__(self) -> None:
        # name → the last token, and until when it holds
        self._held: dict[str, tuple[int, float]] = {}

    async def acquire(self, name: str, ttl_s: float) -> Fence | None:
        """The right of that name for `ttl_s` seconds; None while it is taken."""
        last, until = self._held.get(name, (0, 0.0))
        if until > _clock():
            return None
        # by the clock: a record may remember tokens of an earlier process
        token = max(last + 1, time.time_ns() // 1000)
        self._held[name] = (token, _clock() + ttl_s)
        return Fence(name, token)

    async def renew(self, fence: Fence, ttl_s: float) -> bool:
        """From now on for `ttl_s` seconds; False when it is over."""
        token, until = self._held.get(fence.name, (0, 0.0))
        if token != fence.token or until <= _clock():
            return False
        self._held[fence.name] = (token, _clock() + ttl_s)
        return True

    async def release(self, fence: Fence) -> None:
        """Somebody else may have it at once."""
        if self._held.get(fence.name, (0, 0.0))[0] == fence.token:
            self._held[fence.name] = (fence.token, 0.0)


def _clock() -> float:
    return time.monotonic()

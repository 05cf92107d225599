"""Who is before whom."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from core.messages import PersonKey


class Lines:
    """One at a time for a person, in the order of asking; different persons do not wait for each other."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[PersonKey, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def of(self, person: PersonKey) -> AsyncIterator[None]:
        """The person's place, taken before the first await."""
        lock = self._locks.setdefault(person, asyncio.Lock())
        async with lock:
            yield

"""Database: one writer, a few readers, and every error as RecordError."""

import asyncio
from collections.abc import Callable
from itertools import cycle
from typing import Self, TypeVar

from sqlalchemy import Connection

from core.errors import RecordError
from storage import dialect

Result = TypeVar("Result")
Work = Callable[[Connection], Result]


class Database:
    """Runs pieces of work, each in a transaction of its own, whole or not at all. Made by `open`.

    A caller that is cancelled does not tear its transaction: the work goes on behind it and close() waits for it.
    """

    def __init__(self, place: str, writer: dialect.Worker, readers: list[dialect.Worker]) -> None:
        """Over open workers; `place` names it for people."""
        self.place = place
        self._writer, self._readers = writer, readers
        self._next_reader = cycle(readers)
        self._closed = False

    @classmethod
    async def open(cls, url: str, lock_wait: float) -> Self:
        """`lock_wait`: seconds to wait for another program's lock. Raises RecordError for a URL that cannot be used."""
        location = dialect.locate(url)
        place = location.database or ""
        with dialect.readable_errors(place):
            writer, readers = await dialect.workers(location, lock_wait)
        return cls(place, writer, readers)

    async def write(self, work: Work[Result]) -> Result:
        """Run `work` in a transaction that is on the disk when this returns. One at a time. Raises RecordError."""
        return await self._run(self._writer, work)

    async def read(self, work: Work[Result]) -> Result:
        """Run `work` on one consistent state, with all that is committed now. Raises RecordError."""
        return await self._run(next(self._next_reader), work)

    async def close(self) -> None:
        """Finish what is under way, then let go of the file; a second time does nothing."""
        if not self._closed:
            self._closed = True
            with dialect.readable_errors(self.place):
                await asyncio.gather(*(worker.close() for worker in (self._writer, *self._readers)))

    async def _run(self, worker: dialect.Worker, work: Work[Result]) -> Result:
        if self._closed:
            raise RecordError(f"The record at {self.place} is closed; open it again.")
        with dialect.readable_errors(self.place):
            return await worker.transact(work)

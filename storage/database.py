"""Database: one writer, a few readers, and every error as RecordError."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import TypeVar

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from core.errors import RecordError
from storage import dialect

Result = TypeVar("Result")
Work = Callable[[AsyncConnection], Awaitable[Result]]


class Database:
    """Runs pieces of work, each in a transaction of its own, whole or not at all.

    A caller that is cancelled does not tear its transaction: the work goes on behind it and close() waits for it.
    """

    def __init__(self, url: str, lock_wait: float) -> None:
        """`lock_wait`: seconds to wait for another program's lock. Raises RecordError for a URL that cannot be used."""
        location = dialect.locate(url)
        self.place = location.database or ""
        self._writer, self._readers = dialect.engines(location, lock_wait)
        self._writing = asyncio.Lock()
        self._under_way: set[asyncio.Task[object]] = set()
        self._closed = False

    async def write(self, work: Work[Result]) -> Result:
        """Run `work` in a transaction that is on the disk when this returns. One at a time. Raises RecordError."""
        return await self._run(self._write(work))

    async def read(self, work: Work[Result]) -> Result:
        """Run `work` on one consistent state, with all that is committed now. Raises RecordError."""
        return await self._run(self._read(work))

    async def close(self) -> None:
        """Finish what is under way, then let go of the file."""
        self._closed = True
        await asyncio.gather(*self._under_way, return_exceptions=True)
        with dialect.readable_errors(self.place):
            await self._readers.dispose()
            await self._writer.dispose()

    async def _run(self, work: Coroutine[object, object, Result]) -> Result:
        if self._closed:
            work.close()
            raise RecordError(f"The record at {self.place} is closed; open it again.")
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return await asyncio.shield(task)

    async def _write(self, work: Work[Result]) -> Result:
        async with self._writing:
            return await self._transact(self._writer, work)

    async def _read(self, work: Work[Result]) -> Result:
        return await self._transact(self._readers, work)

    async def _transact(self, engine: AsyncEngine, work: Work[Result]) -> Result:
        with dialect.readable_errors(self.place):
            async with engine.connect() as connection:
                try:
                    async with connection.begin():
                        return await work(connection)
                except SQLAlchemyError as error:
                    # Only now, after the rollback: a connection closed before it may keep its lock for a while
                    if dialect.is_stale(error):
                        await connection.invalidate()
                    raise

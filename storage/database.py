"""Database: work in transactions, each whole or not at all, and every error as RecordError."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Self, TypeVar

from core.errors import RecordError
from storage import dialect
from storage.dialect import Backend, Work

Result = TypeVar("Result")


class Database:
    """Runs pieces of work, each in a transaction of its own, whole or not at all. Made by `open`.

    A caller that is cancelled does not tear its transaction: the work goes on behind it and close() waits for it.
    """

    def __init__(self, place: str, backend: Backend) -> None:
        """Over an open backend; `place` names it for people."""
        self.place = place
        self._backend = backend
        self._closed = False

    @classmethod
    async def open(cls, url: str, lock_wait: float) -> Self:
        """`lock_wait`: seconds to wait for another program's lock. Raises RecordError for a URL that cannot be used."""
        location = dialect.locate(url)
        place = dialect.name_of(location)
        with dialect.readable_errors(place):
            backend = await dialect.open_backend(location, lock_wait)
        return cls(place, backend)

    async def write(self, work: Work[Result]) -> Result:
        """Run `work` in a transaction that is on the disk when this returns. Raises RecordError.

        It may be run again when nothing of it was written, so it does nothing beside what it does to the connection.
        """
        return await self._answer(self._backend.write, work)

    async def read(self, work: Work[Result]) -> Result:
        """Run `work` on one consistent state, with all that is committed now. Raises RecordError."""
        return await self._answer(self._backend.read, work)

    async def scrub(self, tables: Sequence[str]) -> None:
        """Take away what rows that are gone left behind in these tables. Raises RecordError."""
        with dialect.readable_errors(self.place):
            await self._backend.scrub(tables)

    async def close(self) -> None:
        """Finish what is under way, then let go of the database; a second time does nothing."""
        if not self._closed:
            self._closed = True
            with dialect.readable_errors(self.place):
                await self._backend.close()

    async def _answer(self, transact: Callable[[Work[Result]], Awaitable[Result]], work: Work[Result]) -> Result:
        if self._closed:
            raise RecordError(f"The record at {self.place} is closed; open it again.")
        with dialect.readable_errors(self.place):
            return await transact(work)

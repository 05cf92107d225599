"""Database: work in transactions, each whole or not at all, and every error as RecordError."""

import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Protocol, Self, TypeVar

from core.errors import RecordError
from storage import dialect
from storage.dialect import Backend, Work

Result = TypeVar("Result")


class Watch(Protocol):
    """Whoever wants to know how the record does."""

    def transaction(self, kind: str, seconds: float) -> None:
        """One came to its end, its wait included; `kind`: read or write."""
        ...

    def hot(self, hit: bool) -> None:
        """A turn asked for what is known of a person; whether hot state had it."""
        ...


class Nobody:
    """A Watch."""

    def transaction(self, kind: str, seconds: float) -> None:
        """Not told."""

    def hot(self, hit: bool) -> None:
        """Not told."""


class Database:
    """Runs pieces of work, each in a transaction of its own, whole or not at all. Made by `open`.

    A caller that is cancelled does not tear its transaction: the work goes on behind it and close() waits for it.
    """

    def __init__(self, place: str, backend: Backend, watch: Watch | None = None) -> None:
        """Over an open backend; `place` names it for people."""
        self.place = place
        self.watch = watch or Nobody()
        self._backend = backend
        self._closed = False

    @classmethod
    async def open(cls, url: str, lock_wait: float, watch: Watch | None = None) -> Self:
        """`lock_wait`: seconds to wait for another program's lock. Raises RecordError for a URL that cannot be used."""
        location = dialect.locate(url)
        place = dialect.name_of(location)
        with dialect.readable_errors(place):
            backend = await dialect.open_backend(location, lock_wait)
        return cls(place, backend, watch)

    async def write(self, work: Work[Result], *, soon: bool = True) -> Result:
        """Run `work` in a transaction that is on the disk when this returns. Raises RecordError.

        It may be run again when nothing of it was written, so it does nothing beside what it does to the connection.
        Unless `soon`, it waits a moment for other work to share the transaction with.
        """
        return await self._answer("write", partial(self._backend.write, soon=soon), work)

    async def read(self, work: Work[Result]) -> Result:
        """Run `work` on one consistent state, with all that is committed now. Raises RecordError."""
        return await self._answer("read", self._backend.read, work)

    async def look(self, work: Work[Result]) -> Result:
        """`read` for work of one statement, which is one consistent state by itself and needs no transaction."""
        return await self._answer("read", self._backend.look, work)

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

    async def _answer(
        self, kind: str, transact: Callable[[Work[Result]], Awaitable[Result]], work: Work[Result]
    ) -> Result:
        if self._closed:
            raise RecordError(f"The record at {self.place} is closed; open it again.")
        began = time.perf_counter()
        with dialect.readable_errors(self.place):
            result = await transact(work)
        self.watch.transaction(kind, time.perf_counter() - began)
        return result

"""The one file that knows which database it is. SQLite today; `postgresql+asyncpg` becomes a second branch of these
functions: engines, insert-on-conflict, the type of ids, and what its errors mean. Elsewhere only portable Core."""

import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

import aiosqlite
from sqlalchemy import (
    URL,
    BigInteger,
    Column,
    Connection,
    Integer,
    Table,
    create_engine,
    event,
    make_url,
)
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, SQLAlchemyError, StatementError
from sqlalchemy.pool import ConnectionPoolEntry, StaticPool

from core.errors import RecordError
from storage.columns import to_json

Result = TypeVar("Result")

_EXAMPLE = "sqlite+aiosqlite:///folder/ohlora.db"
_APPLICATION_ID = int.from_bytes(b"OhLo")
READERS = 4
LARGEST_ID = 2**63 - 1
ID = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts upwards in INTEGER columns only; they hold 64 bits
# The id of a deleted row never comes back: a late deletion must not hit somebody's newer row.
NEVER_REUSE_IDS: Mapping[str, Any] = {"sqlite_autoincrement": True}

# primary result code → what is wrong, and what to do
_LOCKED = "is locked by another program; close that program or wait a little, then try again"
_READ_ONLY = "may only be read; allow this account to write to the file and to its folder"
_MEANINGS = {
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_PERM: _READ_ONLY,
    sqlite3.SQLITE_CANTOPEN: "cannot be opened; name a file, not a folder, and allow this account to write beside it",
    sqlite3.SQLITE_FULL: "has no room left on its disk; free some space, then try again",
    sqlite3.SQLITE_IOERR: "could not be read from its disk or written to it; check that the disk works and has room",
    sqlite3.SQLITE_CORRUPT: "is damaged; put a backup in its place, or move it away to start anew",
    sqlite3.SQLITE_NOTADB: "is not a database; name another file, or move it away to start anew",
}
# After these a connection may hold on to a state of the file that is no longer true; the next one opens it anew.
_STALE = {
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
}


def locate(url: str) -> URL:
    """The parsed URL of a record in a file, whose folder exists afterwards. Raises RecordError."""
    try:
        location = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise RecordError(f"The record's URL cannot be read; write it like {_EXAMPLE}.") from error
    path = location.database or ""
    if location.drivername != "sqlite+aiosqlite" or path in ("", ":memory:") or path.startswith("file:"):
        shown = location.render_as_string()
        raise RecordError(f"The record cannot be kept at {shown}; write the URL of a file like {_EXAMPLE}.")
    with readable_errors(path):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        # A path that cannot be opened is found out here: the thread of an aiosqlite connection outlives its failure
        sqlite3.connect(path).close()
    return location


class Worker(Protocol):
    """Where transactions run, in the order of asking."""

    async def transact(self, work: Callable[[Connection], Result]) -> Result:
        """What `work` returns, once it is committed; whatever it raises, after a rollback."""
        ...

    async def close(self) -> None:
        """Finish what was asked for, then let go."""
        ...


async def workers(location: URL, lock_wait: float) -> tuple[Worker, list[Worker]]:
    """(writer, readers): one connection that takes the write lock when it begins, and a few that cannot write.

    `lock_wait`: seconds a statement waits for another program's lock.
    """
    # isolation_level None: sqlite3 begins nothing by itself, so DDL and the first SELECT are inside transactions too
    connect = partial(sqlite3.connect, location.database or "", timeout=lock_wait, isolation_level=None)
    durable = ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON")
    writer = SqliteWorker(connect, "BEGIN IMMEDIATE", durable)
    readers = [SqliteWorker(connect, "BEGIN", ("query_only = ON", "foreign_keys = ON")) for _ in range(READERS)]
    async with AsyncExitStack() as opened:  # a thread that nobody closes would outlive the program
        for worker in (writer, *readers):
            await worker
            opened.push_async_callback(worker.close)
        opened.pop_all()
    return writer, [*readers]


class SqliteWorker(aiosqlite.Connection):
    """A connection whose own thread runs whole transactions: a hop there and back for every statement of theirs,
    as SQLAlchemy's asyncio engine makes it, takes almost three times as long."""

    def __init__(self, connect: Callable[[], sqlite3.Connection], begin: str, pragmas: Iterable[str]) -> None:
        super().__init__(connect, iter_chunk_size=64)
        self._stale = False
        self._engine = create_engine(
            "sqlite://",
            creator=lambda: self._conn,
            poolclass=StaticPool,
            json_serializer=to_json,
            hide_parameters=True,  # what people said has no place in a log
        )

        @event.listens_for(self._engine, "connect")
        def on_connect(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
            cursor = connection.cursor()
            for pragma in pragmas:
                cursor.execute(f"PRAGMA {pragma}")
            cursor.close()

        @event.listens_for(self._engine, "begin")
        def on_begin(connection: Connection) -> None:
            connection.exec_driver_sql(begin)

    async def transact(self, work: Callable[[Connection], Result]) -> Result:
        """One transaction, in the thread."""
        result: Result = await self._execute(self._transact, work)  # type: ignore[no-untyped-call]
        return result

    def _transact(self, work: Callable[[Connection], Result]) -> Result:
        if self._stale:
            self._engine.dispose()
            self._connection = self._connector()
            self._stale = False
        try:
            with self._engine.begin() as connection:
                return work(connection)
        except SQLAlchemyError as error:
            self._stale = _is_stale(error)
            raise


@contextmanager
def readable_errors(place: str) -> Iterator[None]:
    """Whatever a database raises inside becomes a RecordError: one sentence with what, where, what to do."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error, OSError, ValueError, TypeError, OverflowError) as error:
        cause = error.orig if isinstance(error, StatementError) and error.orig is not None else error
        meaning = _MEANINGS.get(_code(cause) or -1)
        if meaning is None and isinstance(cause, OSError):
            meaning = f"cannot be used ({cause.strerror or cause}); choose another place, or allow this account in"
        if meaning is None:
            meaning = f"did not take or give this ({type(cause).__name__}: {cause}); nothing was written"
        raise RecordError(f"The record at {place} {meaning}.") from error


def _is_stale(error: Exception) -> bool:
    """Whether the connection that raised this should not be used again."""
    return isinstance(error, StatementError) and _code(error.orig) in _STALE


def mark(connection: Connection) -> None:
    """Write into the file whose it is (`file record.db` shows it); a read-only file is found out here, not later."""
    connection.exec_driver_sql(f"PRAGMA application_id = {_APPLICATION_ID}")


def _code(error: BaseException | None) -> int | None:
    """SQLite's primary result code: the low byte of the extended one."""
    code = getattr(error, "sqlite_errorcode", None)
    return code & 0xFF if isinstance(code, int) else None


def insert_new(
    connection: Connection, table: Table, values: Mapping[str, object], unique: Iterable[Column[object]]
) -> int | None:
    """Insert a row unless its `unique` columns are there already; the new row's id, or None."""
    statement = insert(table).values(values).on_conflict_do_nothing(index_elements=unique).returning(table.c.id)
    found: int | None = connection.scalar(statement)
    return found


def upsert(connection: Connection, table: Table, values: Mapping[str, object], only: Collection[str] = ()) -> None:
    """Insert a row, or overwrite the one with the same primary key: all of it, or `only` these columns."""
    keys = {column.name for column in table.primary_key}
    statement = insert(table).values(values)
    changed = {name: statement.excluded[name] for name in only or values if name not in keys}
    connection.execute(statement.on_conflict_do_update(index_elements=table.primary_key, set_=changed))

"""SQLite: one file, one writer whose waiting transactions share a commit, a few readers."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiosqlite
from sqlalchemy import URL, Connection, Engine, Table, create_engine, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import SQLAlchemyError, StatementError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, StaticPool

from core.errors import RecordError
from storage.columns import to_json
from storage.dialect.batches import Batched, Batches, Outcome
from storage.dialect.work import Work

DRIVER = "sqlite+aiosqlite"
EXAMPLE = "sqlite+aiosqlite:///folder/ohlora.db"
READERS = 4
# each piece of work takes about 0.2 ms, a commit one or two: more at a time saves nothing, and keeps people waiting
AT_ONCE = 64
# between attempts to empty the log
_PAUSES_S = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4)
_APPLICATION_ID = int.from_bytes(b"OhLo")

_WRITING = ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "secure_delete = ON")
_READING = ("query_only = ON", "foreign_keys = ON")

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


def names_a_file(location: URL) -> bool:
    """Whether a URL can be opened here."""
    path = location.database or ""
    return path not in ("", ":memory:") and not path.startswith("file:") and not location.host


def meaning(error: BaseException) -> str | None:
    """What an error of SQLite means for people; None for other errors."""
    return _MEANINGS.get(_code(error) or -1)


def mark(connection: Connection) -> None:
    """Write into the file whose it is (`file record.db` shows it); a read-only file is found out here, not later."""
    connection.exec_driver_sql(f"PRAGMA application_id = {_APPLICATION_ID}")


def streaming_engine(location: URL, lock_wait: float, *, writing: bool) -> AsyncEngine:
    """Over an existing file. Each statement is a hop to a thread and back, which costs little where each is long."""
    engine = create_async_engine(
        location.set(database=f"file:{quote(location.database or '')}", query={"mode": "rw", "uri": "true"}),
        connect_args={"timeout": lock_wait, "isolation_level": None},
        json_serializer=to_json,
        hide_parameters=True,
    )
    prepare(engine.sync_engine, "BEGIN IMMEDIATE" if writing else "BEGIN", _WRITING if writing else _READING)
    return engine


def last_id(connection: Connection, table: Table) -> int:
    """The highest id that a row of `table` ever had."""
    return connection.scalar(text("SELECT seq FROM sqlite_sequence WHERE name = :name"), {"name": table.name}) or 0


def go_on_from(connection: Connection, table: Table, last: int) -> None:
    """The next row of `table` gets an id after `last`."""
    connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), {"name": table.name})
    connection.execute(
        text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :seq)"), {"name": table.name, "seq": last}
    )


def prepare(engine: Engine, begin: str, pragmas: Iterable[str]) -> None:
    """Set its connections up, and have its transactions begin with `begin`: sqlite3 itself begins none."""

    @event.listens_for(engine, "connect")
    def on_connect(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)


async def open_file(location: URL, lock_wait: float) -> Batched:
    """Opened, with its folder made where missing. `lock_wait`: seconds to wait for another program's lock.

    A connection that takes the write lock when it begins, and a few that cannot write.
    """
    path = location.database or ""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    # A path that cannot be opened is found out here: the thread of an aiosqlite connection outlives its failure
    sqlite3.connect(path).close()
    # isolation_level None: sqlite3 begins nothing by itself, so DDL and the first SELECT are in transactions too
    connect = partial(sqlite3.connect, path, timeout=lock_wait, isolation_level=None)
    writer = SqliteWorker(connect, "BEGIN IMMEDIATE", _WRITING)
    readers = [SqliteWorker(connect, "BEGIN", _READING) for _ in range(READERS)]
    async with AsyncExitStack() as opened:  # a thread that nobody closes would outlive the program
        for worker in (writer, *readers):
            await worker
            opened.push_async_callback(worker.close)
        opened.pop_all()
    reading = Batches(readers, AT_ONCE)
    return Batched(Batches([writer], AT_ONCE), reading, reading, writer.scrub)


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
        prepare(self._engine, begin, pragmas)

    async def run(self, works: Sequence[Work[Any]]) -> list[Outcome]:
        """In the thread: together where there are several, and each alone when that did not go well."""
        outcomes: list[Outcome] = await self._execute(self._run, works)  # type: ignore[no-untyped-call]
        return outcomes

    def _run(self, works: Sequence[Work[Any]]) -> list[Outcome]:
        if len(works) == 1:
            return [self._alone(works[0])]
        try:
            return self._together(works)
        except (SQLAlchemyError, sqlite3.Error) as error:
            self._stale = self._stale or _is_stale(error)
            if meaning(_cause(error)) == _LOCKED:
                return [Outcome(error=error) for _ in works]  # to wait again for each would take minutes
            return [self._alone(work) for work in works]  # nothing was written, and nobody was told that it was

    def _together(self, works: Sequence[Work[Any]]) -> list[Outcome]:
        """One transaction; work that fails is taken back to its own begin. Raises when that was not possible."""
        self._refresh()
        outcomes: list[Outcome] = []
        with self._engine.begin() as connection:
            for work in works:
                self._conn.execute("SAVEPOINT work")
                try:
                    outcomes.append(Outcome(work(connection)))
                except Exception as error:
                    if _is_stale(error):
                        raise
                    self._conn.execute("ROLLBACK TO work")
                    outcomes.append(Outcome(error=error))
                self._conn.execute("RELEASE work")
        return outcomes

    def _alone(self, work: Work[Any]) -> Outcome:
        try:
            self._refresh()
            with self._engine.begin() as connection:
                result = work(connection)
            return Outcome(result)
        except Exception as error:
            self._stale = self._stale or _is_stale(error)
            return Outcome(error=error)

    async def scrub(self, tables: Sequence[str]) -> None:
        """The file anew, for pages that were split or merged keep copies that secure_delete forgets; and its log empty.

        Raises RecordError when somebody reads an old state for so long that the log cannot be emptied.
        """
        del tables  # it is one file
        await self._execute(self._vacuum)  # type: ignore[no-untyped-call]
        for pause_s in _PAUSES_S:
            if await self._execute(self._empty_log):  # type: ignore[no-untyped-call]
                return
            await asyncio.sleep(pause_s)
        raise RecordError("Another program reads the record, whose log cannot be emptied; end that program.")

    def _vacuum(self) -> None:
        self._refresh()
        self._conn.execute("VACUUM")

    def _empty_log(self) -> bool:
        """Whether nobody reads from it any more. It does not wait for them: nobody could write meanwhile."""
        (patience,) = self._conn.execute("PRAGMA busy_timeout").fetchone()
        self._conn.execute("PRAGMA busy_timeout = 50")
        try:
            busy, *_ = self._conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            self._conn.execute(f"PRAGMA busy_timeout = {patience}")
        return not busy

    def _refresh(self) -> None:
        if self._stale:
            self._engine.dispose()
            self._connection = self._connector()
            self._stale = False


def _cause(error: Exception) -> BaseException:
    return error.orig if isinstance(error, StatementError) and error.orig is not None else error


def _is_stale(error: Exception) -> bool:
    """Whether the connection that raised this should not be used again."""
    return _code(_cause(error)) in _STALE


def _code(error: BaseException | None) -> int | None:
    """SQLite's primary result code: the low byte of the extended one."""
    code = getattr(error, "sqlite_errorcode", None)
    return code & 0xFF if isinstance(code, int) else None

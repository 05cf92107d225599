"""The one room that knows which database it is: SQLite (sqlite.py) or PostgreSQL (postgresql.py). What both have, each
in its own words, stands here: insert-on-conflict, the type of ids, locks, and what errors mean. Elsewhere only portable
Core."""

import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import URL, BigInteger, Column, Connection, Integer, Table, make_url
from sqlalchemy.dialects import postgresql as postgresql_dialect
from sqlalchemy.dialects import sqlite as sqlite_dialect
from sqlalchemy.exc import ArgumentError, SQLAlchemyError, StatementError
from sqlalchemy.ext.asyncio import AsyncEngine

from core.errors import RecordError, RecordUnavailable
from storage.dialect import postgresql, sqlite
from storage.dialect.work import Backend, Work

__all__ = ["ID", "LARGEST_ID", "NEVER_REUSE_IDS", "Backend", "Work"]

LARGEST_ID = 2**63 - 1
ID = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts upwards in INTEGER columns only; they hold 64 bits
# The id of a deleted row never comes back: a late deletion must not hit somebody's newer row. Sequences never go back.
NEVER_REUSE_IDS: Mapping[str, Any] = {"sqlite_autoincrement": True}
# their Insert has no common type with the methods of both
_INSERT: Mapping[str, Callable[[Table], Any]] = {
    "sqlite": sqlite_dialect.insert,
    "postgresql": postgresql_dialect.insert,
}


def locate(url: str) -> URL:
    """The parsed URL of a record. Raises RecordError for one that names nothing that can hold a record."""
    written = f"{sqlite.EXAMPLE} or {postgresql.EXAMPLE}"
    try:
        location = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise RecordError(f"The record's URL cannot be read; write it like {written}.") from error
    usable = {sqlite.DRIVER: sqlite.names_a_file, postgresql.DRIVER: postgresql.names_a_database}
    if not usable.get(location.drivername, lambda _: False)(location):
        shown = location.render_as_string()
        raise RecordError(f"The record cannot be kept at {shown}; write the URL of a file or a server like {written}.")
    return location


def name_of(location: URL) -> str:
    """What people call it, without a password."""
    return (location.database or "") if location.drivername == sqlite.DRIVER else location.render_as_string()


def file_of(location: URL) -> Path | None:
    """The file that holds the record; None where a server does."""
    return Path(location.database or "") if location.drivername == sqlite.DRIVER else None


async def open_backend(location: URL, lock_wait: float) -> Backend:
    """An open database. `lock_wait`: seconds to wait for another program's lock, or for a server to come back."""
    if location.drivername == sqlite.DRIVER:
        return await sqlite.open_file(location, lock_wait)
    return postgresql.open_server(location, lock_wait)


def streaming_engine(location: URL, lock_wait: float, *, writing: bool) -> AsyncEngine:
    """For one long transaction that reads, or writes, more than fits into memory. Raises RecordError."""
    if location.drivername == sqlite.DRIVER:
        return sqlite.streaming_engine(location, lock_wait, writing=writing)
    return postgresql.streaming_engine(location, lock_wait, writing=writing)


@contextmanager
def readable_errors(place: str) -> Iterator[None]:
    """Whatever a database raises inside becomes a RecordError: one sentence with what, where, what to do."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error, OSError, ValueError, TypeError, OverflowError) as error:
        cause = error.orig if isinstance(error, StatementError) and error.orig is not None else error
        meaning = sqlite.meaning(cause) or postgresql.meaning(cause)
        if meaning is None and isinstance(cause, OSError):
            meaning = f"cannot be used ({cause.strerror or cause}); choose another place, or allow this account in"
        if meaning is not None:
            raise RecordUnavailable(f"The record at {place} {meaning}.") from error
        postgresql.leave_out_rows(error)
        meaning = f"did not take or give this ({type(cause).__name__}: {cause}); nothing was written"
        raise RecordError(f"The record at {place} {meaning}.") from error


def mark(connection: Connection) -> None:
    """Say whose the database is, where it has a place for that."""
    if connection.dialect.name == "sqlite":
        sqlite.mark(connection)


def one_at_a_time(connection: Connection, *what: str) -> None:
    """Until the end of the transaction nobody else does this with the same `what`. SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        postgresql.lock(connection, what)


def others(connection: Connection) -> int:
    """How many connections of this program the server has beside this one. A file is locked by whoever has it open."""
    return postgresql.others(connection) if connection.dialect.name == "postgresql" else 0


def last_id(connection: Connection, table: Table) -> int:
    """The highest id that a row of `table` ever had; 0 when there was none."""
    if connection.dialect.name == "sqlite":
        return sqlite.last_id(connection, table)
    return postgresql.last_id(connection, table)


def go_on_from(connection: Connection, table: Table, last: int) -> None:
    """The next row of `table` gets an id after `last`."""
    (sqlite if connection.dialect.name == "sqlite" else postgresql).go_on_from(connection, table, last)


def insert_new(
    connection: Connection, table: Table, values: Mapping[str, object], unique: Iterable[Column[Any]]
) -> int | None:
    """Insert a row unless its `unique` columns are there already; the new row's id, or None."""
    found: int | None = connection.scalar(_insert_new(connection.dialect.name, table, tuple(unique)), values)
    return found


def upsert(
    connection: Connection, table: Table, values: Mapping[str, object], only: Collection[str] = (), newest: str = ""
) -> None:
    """Insert a row, or overwrite the one with the same primary key: all of it, or `only` these columns.

    With `newest` a row whose column of that name is greater stays as it is.
    """
    connection.execute(_upsert(connection.dialect.name, table, tuple(only or values), newest), values)


def count_up(connection: Connection, table: Table, values: Mapping[str, object], counter: str) -> int:
    """Insert a row, or add one to `counter` of the one with the same primary key; what it is now.

    Whoever does the same meanwhile waits for the end of this transaction.
    """
    return int(connection.execute(_count_up(connection.dialect.name, table, counter), values).scalar_one())


# made once: to build such a statement takes longer than SQLite needs to carry it out
@cache
def _insert_new(dialect: str, table: Table, unique: tuple[Column[Any], ...]) -> Any:
    return _INSERT[dialect](table).on_conflict_do_nothing(index_elements=unique).returning(table.c.id)


@cache
def _upsert(dialect: str, table: Table, names: tuple[str, ...], newest: str) -> Any:
    statement = _INSERT[dialect](table)
    keys = {column.name for column in table.primary_key}
    changed = {name: statement.excluded[name] for name in names if name not in keys}
    unless_newer = table.c[newest] <= statement.excluded[newest] if newest else None
    return statement.on_conflict_do_update(index_elements=table.primary_key, set_=changed, where=unless_newer)


@cache
def _count_up(dialect: str, table: Table, counter: str) -> Any:
    one_more = {counter: table.c[counter] + 1}
    statement = _INSERT[dialect](table).on_conflict_do_update(index_elements=table.primary_key, set_=one_more)
    return statement.returning(table.c[counter])

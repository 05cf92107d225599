"""SQLite's file as a whole: copied while others write to it, looked over, held while another takes its place."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, TypeVar
from urllib.parse import quote

from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from storage.dialect.sqlite import prepare

T = TypeVar("T")

# nothing that is kept for longer than this ends by itself
_LOCK_WAIT_S = 2.0


async def carry_out(path: Path, mode: Literal["ro", "rw"], work: Callable[[sqlite3.Connection], T]) -> T:
    """What `work` returns over an existing file, in a thread; whoever is cancelled interrupts it."""
    connection = sqlite3.connect(
        _address(path, mode), uri=True, timeout=_LOCK_WAIT_S, isolation_level=None, check_same_thread=False
    )
    task = asyncio.create_task(asyncio.to_thread(work, connection))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        connection.interrupt()
        await asyncio.wait([task])
        raise
    finally:
        connection.close()


def copy_to(target: Path, connection: sqlite3.Connection) -> None:
    """What it holds at this moment, and nothing that was deleted; others may write meanwhile."""
    connection.execute("VACUUM INTO ?", (str(target),))


def require_sound(connection: sqlite3.Connection) -> None:
    """Raises sqlite3.DatabaseError where a page is not as it was written, or a row refers to none."""
    ((found,),) = connection.execute("PRAGMA integrity_check(1)").fetchall()
    if found != "ok" or connection.execute("PRAGMA foreign_key_check").fetchone():
        damaged = sqlite3.DatabaseError(found)
        damaged.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise damaged


def finish(connection: sqlite3.Connection) -> Mapping[str, int]:
    """In one file, which may be moved, and read where nobody may write. Table → its rows, once all are sound."""
    connection.execute("PRAGMA journal_mode = DELETE")
    require_sound(connection)
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
    return {name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for (name,) in tables.fetchall()}


@contextmanager
def alone(path: Path) -> Iterator[Connection]:
    """Nobody else has the file open, or will inside; its log is empty. Raises SQLAlchemyError where somebody has."""
    engine = create_engine(
        "sqlite://",
        creator=lambda: sqlite3.connect(_address(path, "rw"), uri=True, timeout=_LOCK_WAIT_S, isolation_level=None),
        poolclass=NullPool,
        hide_parameters=True,
    )
    # in this mode locks are kept until the end, and a log can only be left by whoever is the only one
    prepare(engine, "BEGIN EXCLUSIVE", ("locking_mode = EXCLUSIVE", "journal_mode = DELETE"))
    with engine.connect() as connection:
        yield connection


def beside(path: Path) -> list[Path]:
    """Where SQLite keeps what belongs to a file."""
    return [path.with_name(path.name + suffix) for suffix in ("-wal", "-shm", "-journal")]


def is_in_use(error: DBAPIError) -> bool:
    """Whether somebody else has the file open."""
    return _code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def is_unreadable(error: DBAPIError) -> bool:
    """Whether the file is no database, or none any more."""
    return _code(error) in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)


def _code(error: DBAPIError) -> int:
    return getattr(error.orig, "sqlite_errorcode", 0) & 0xFF


def _address(path: Path, mode: str) -> str:
    return f"file:{quote(str(path))}?mode={mode}"

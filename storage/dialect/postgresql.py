"""PostgreSQL: another program keeps the record; several of ours may write to it at once."""

import asyncio
import random
import time
from collections.abc import Sequence
from functools import partial
from hashlib import blake2b
from socket import gaierror
from typing import Any

from sqlalchemy import URL, Connection, Table, func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from core.errors import RecordError
from storage.columns import to_json
from storage.dialect.batches import Batched, Batches, Outcome
from storage.dialect.work import Work

DRIVER = "postgresql+asyncpg"
EXAMPLE = "postgresql+asyncpg://user:password@host/ohlora"
# of one process, beside the one that writes and the one that looks; a server takes about a hundred connections
READERS = 2
# a piece of work takes half a millisecond, a commit as long: more at a time saves little, and keeps people waiting
AT_ONCE = 16
_CONNECT_S = 10.0
_NAME = "ohlora"
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.01, 0.5

# SQLSTATE, or the class it begins with → what is wrong, and what to do
_AWAY = "cannot be reached; start the server, or check host and port in its URL"
_REFUSED = "does not let this account in; check the name and the password in its URL"
_LOCKED = "is locked by another program; close that program or wait a little, then try again"
_MEANINGS = {
    "55P03": _LOCKED,
    "25006": "may only be read; connect to the server that takes writes",
    "42501": "may only be read; give this account the right to create and write tables",
    "3D000": "does not exist; create the database, in UTF-8",
    "53100": "has no room left on its disk; free some space, then try again",
    "53300": "has too many connections; allow more (max_connections), or run fewer programs",
    "28": _REFUSED,
    "08": _AWAY,
    "57P": _AWAY,
}
# a socket of a server that is down is a file that is not there
_NOBODY_THERE = (ConnectionError, FileNotFoundError, TimeoutError, gaierror)
# two transactions waited for each other, or met in the same row: the server stopped one, which may simply try again
_CONFLICTS = {"40001", "40P01"}
# milliseconds; each of a whole batch may have to wait this long
_HURRY = text("SET LOCAL lock_timeout = 50")
_LOCK = text("SELECT pg_advisory_xact_lock(:key)")
_OTHERS = text(
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND application_name = :name AND pid <> pg_backend_pid()"
)
_SEQUENCE = text("SELECT pg_get_serial_sequence(:table, :column)")
# each statement sees what was committed when it began; all of them see one state; and for a single one there need not
# be a transaction, whose begin and end take twice as long as itself
_NEWEST, _ONE_STATE, _ONE_STATEMENT = "READ COMMITTED", "REPEATABLE READ", "AUTOCOMMIT"


def names_a_database(location: URL) -> bool:
    """Whether a URL can be opened here."""
    return bool(location.database)


def meaning(error: BaseException) -> str | None:
    """What an error of PostgreSQL means for people; None for other errors."""
    if isinstance(error, _NOBODY_THERE) or _is_confused(error):
        return _AWAY
    code = _code(error)
    return next((_MEANINGS[code[:length]] for length in (5, 3, 2) if code[:length] in _MEANINGS), None)


def leave_out_rows(error: BaseException | None) -> None:
    """The server quotes the row that it refused, with what people said, and a log would quote the server."""
    while error is not None:
        if _code(error) and hasattr(error, "detail"):
            error.detail = None
        error = error.__cause__


def lock(connection: Connection, what: Sequence[str]) -> None:
    """Wait until nobody else's transaction holds `what`, and hold it until the end of this one."""
    key = blake2b("\0".join(what).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    connection.execute(_LOCK, {"key": int.from_bytes(key, signed=True)})


def others(connection: Connection) -> int:
    """How many connections of this program this database has beside this one."""
    return int(connection.execute(_OTHERS, {"name": _NAME}).scalar_one())


def streaming_engine(location: URL, lock_wait: float, *, writing: bool) -> AsyncEngine:
    """Over a database that is there."""
    return _engine(location, lock_wait, _NEWEST if writing else _ONE_STATE, writing=writing)


def last_id(connection: Connection, table: Table) -> int:
    """The highest id that a row of `table` ever had."""
    sequence = connection.scalar(_SEQUENCE, _column(table))
    asked = text(f"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {sequence}")
    return int(connection.execute(asked).scalar_one())


def go_on_from(connection: Connection, table: Table, last: int) -> None:
    """The next row of `table` gets an id after `last`."""
    go_on = select(func.setval(connection.scalar(_SEQUENCE, _column(table)), max(last, 1), last > 0))
    connection.execute(go_on)


def _column(table: Table) -> dict[str, str]:
    """Where a table counts."""
    (column,) = table.primary_key
    return {"table": table.name, "column": column.name}


def _engine(location: URL, lock_wait: float, isolation: str, *, writing: bool) -> AsyncEngine:
    settings = {
        "application_name": _NAME,
        "lock_timeout": _ms(lock_wait),
        "synchronous_commit": "on",  # whatever the server's default: accepted is accepted
        **({} if writing else {"default_transaction_read_only": "on"}),
    }
    try:
        return create_async_engine(
            location,
            connect_args={"server_settings": settings, "timeout": _CONNECT_S},
            isolation_level=isolation,
            pool_size=1,
            max_overflow=0,
            json_serializer=to_json,
            hide_parameters=True,  # what people said has no place in a log
        )
    except ModuleNotFoundError as error:
        raise RecordError(f"{error.name} is not installed; for PostgreSQL pip install -e '.[postgres]'.") from error


def _ms(seconds: float) -> str:
    return str(max(1, round(seconds * 1000)))


def open_server(location: URL, lock_wait: float) -> Batched:
    """The database must be there; it is reached for with the first piece of work.

    `lock_wait`: seconds to wait for others' locks, or for a server that is away, before anybody hears of it.
    """

    def batches(connections: int, isolation: str, *, writing: bool = False) -> Batches:
        engines = (_engine(location, lock_wait, isolation, writing=writing) for _ in range(connections))
        return Batches([ServerWorker(engine, lock_wait) for engine in engines], AT_ONCE)

    writer = batches(1, _NEWEST, writing=True)
    scrub = partial(_vacuum, location, lock_wait)
    return Batched(writer, batches(READERS, _ONE_STATE), batches(1, _ONE_STATEMENT), scrub)


async def _vacuum(location: URL, lock_wait: float, tables: Sequence[str]) -> None:
    """It cannot be part of a transaction, and works beside all others."""
    engine = _engine(location, lock_wait, _ONE_STATEMENT, writing=True)
    try:
        async with engine.connect() as connection:
            await connection.execute(text(f"VACUUM {', '.join(tables)}"))
    finally:
        await engine.dispose()


class ServerWorker:
    """storage.dialect.batches.BatchWorker: one connection, which SQLAlchemy opens again after it broke."""

    def __init__(self, engine: AsyncEngine, patience_s: float) -> None:
        self._engine = engine
        self._connection: AsyncConnection | None = None
        self._patience_s = patience_s
        self._away_since: float | None = None
        self._committing = False

    async def run(self, works: Sequence[Work[Any]], *, hurried: bool = False) -> list[Outcome]:
        """In one transaction where there are several, and each in its own when one of them did not go well.

        Savepoints would find out which, but their statements cost as much as the work. `hurried`: a lock was waited for
        already.
        """
        try:
            return await self._patiently(works, hurried)
        except Exception as error:
            if len(works) == 1 or self._committing or _is_away(error):
                return [Outcome(error=error) for _ in works]
            hurried = meaning(_cause(error)) == _LOCKED
        return [outcome for work in works for outcome in await self.run([work], hurried=hurried)]

    async def close(self) -> None:
        """Let go of the server."""
        if self._connection is not None:
            await self._connection.close()
        await self._engine.dispose()

    async def _patiently(self, works: Sequence[Work[Any]], hurried: bool) -> list[Outcome]:
        """Again as long as nothing can have been written; of a commit without an answer nobody knows that.

        Whoever waited in line while others tried in vain does not begin to wait all over again.
        """
        begin, pause_s = time.monotonic(), _FIRST_PAUSE_S
        while True:  # tenacity takes as long to try once as the server to answer
            try:
                return await self._transact(works, hurried)
            except Exception as error:
                passing = _is_away(error) or (len(works) == 1 and _code(_cause(error)) in _CONFLICTS)
                waited = time.monotonic() - (self._away_since or begin)
                if self._committing or not passing or waited >= self._patience_s:
                    raise
            await asyncio.sleep(random.uniform(0, pause_s))
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    async def _transact(self, works: Sequence[Work[Any]], hurried: bool) -> list[Outcome]:
        self._committing = False
        try:
            if self._connection is None:
                self._connection = await self._engine.connect()
            outcomes = await self._connection.run_sync(self._carry_out, works, hurried)
        except Exception as error:
            self._away_since = (self._away_since or time.monotonic()) if _is_away(error) else None
            if self._connection is not None and _is_confused(_cause(error)):
                await self._connection.invalidate()
            raise
        self._away_since = None
        return outcomes

    def _carry_out(self, connection: Connection, works: Sequence[Work[Any]], hurried: bool) -> list[Outcome]:
        with connection.begin():
            if hurried:
                connection.execute(_HURRY)
            outcomes = [Outcome(work(connection)) for work in works]
            self._committing = True
        return outcomes


def _is_away(error: BaseException) -> bool:
    """Whether the server, or the way to it, is what failed."""
    return (isinstance(error, DBAPIError) and error.connection_invalidated) or meaning(_cause(error)) == _AWAY


def _is_confused(error: BaseException) -> bool:
    """Whether asyncpg lost track of a connection, as it may when the server dies under it: it is of no use any more."""
    return type(error).__name__ in ("InternalClientError", "InterfaceError") and "another operation" in str(error)


def _cause(error: BaseException) -> BaseException:
    return error.orig if isinstance(error, DBAPIError) and error.orig is not None else error


def _code(error: BaseException) -> str:
    """SQLSTATE; empty for errors of anybody else."""
    return str(getattr(error, "sqlstate", None) or "")

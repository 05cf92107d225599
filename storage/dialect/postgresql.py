"""PostgreSQL: another program keeps the record; several of ours may write to it at once."""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from hashlib import blake2b
from socket import gaierror
from typing import Any, Self

from sqlalchemy import URL, Connection, Table, func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from tenacity import AsyncRetrying, retry_if_exception, stop_after_delay, wait_random_exponential

from core.errors import RecordError
from storage.columns import to_json
from storage.dialect.work import Result, Work

DRIVER = "postgresql+asyncpg"
EXAMPLE = "postgresql+asyncpg://user:password@host/ohlora"
# what one process has open at once; a server takes about a hundred
CONNECTIONS = 8
_CONNECT_S = 10.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.01, 0.5

# SQLSTATE, or the class it begins with → what is wrong, and what to do
_AWAY = "cannot be reached; start the server, or check host and port in its URL"
_REFUSED = "does not let this account in; check the name and the password in its URL"
_MEANINGS = {
    "55P03": "is locked by another program; close that program or wait a little, then try again",
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
_LOCK = text("SELECT pg_advisory_xact_lock(:key)")
_SEQUENCE = text("SELECT pg_get_serial_sequence(:table, :column)")
# a statement of a writer sees what was committed when it began; a reader sees one state from its first to its last
_ONE_STATE: Mapping[str, Any] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}


def names_a_database(location: URL) -> bool:
    """Whether a URL can be opened here."""
    return bool(location.database)


def meaning(error: BaseException) -> str | None:
    """What an error of PostgreSQL means for people; None for other errors."""
    if isinstance(error, _NOBODY_THERE):
        return _AWAY
    code = _code(error)
    return next((_MEANINGS[code[:length]] for length in (5, 3, 2) if code[:length] in _MEANINGS), None)


def lock(connection: Connection, what: Sequence[str]) -> None:
    """Wait until nobody else's transaction holds `what`, and hold it until the end of this one."""
    key = blake2b("\0".join(what).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    connection.execute(_LOCK, {"key": int.from_bytes(key, signed=True)})


def streaming_engine(location: URL, lock_wait: float, *, writing: bool) -> AsyncEngine:
    """Over a database that is there."""
    engine = _engine(location, lock_wait)
    return engine if writing else engine.execution_options(**_ONE_STATE)


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


def _engine(location: URL, lock_wait: float) -> AsyncEngine:
    settings = {
        "application_name": "ohlora",
        "lock_timeout": str(max(1, round(lock_wait * 1000))),
        "synchronous_commit": "on",  # whatever the server's default: accepted is accepted
    }
    try:
        return create_async_engine(
            location,
            connect_args={"server_settings": settings, "timeout": _CONNECT_S},
            pool_size=CONNECTIONS,
            max_overflow=0,
            json_serializer=to_json,
            hide_parameters=True,  # what people said has no place in a log
        )
    except ModuleNotFoundError as error:
        raise RecordError(f"{error.name} is not installed; for PostgreSQL pip install -e '.[postgres]'.") from error


class Server:
    """storage.dialect.work.Backend. Made by `open`."""

    def __init__(self, engine: AsyncEngine, patience_s: float) -> None:
        """`patience_s`: a server that is away may come back within this time, before anybody hears of it."""
        self._writing = engine
        self._reading = engine.execution_options(**_ONE_STATE)
        self._patience_s = patience_s
        self._under_way: set[asyncio.Task[Any]] = set()

    @classmethod
    async def open(cls, location: URL, lock_wait: float) -> Self:
        """Opened; the database must be there. `lock_wait`: seconds to wait for others' locks, or for the server."""
        return cls(_engine(location, lock_wait), lock_wait)

    async def write(self, work: Work[Result]) -> Result:
        """One transaction, on the server's disk when this returns."""
        return await self._behind(self._transact(self._writing, work))

    async def read(self, work: Work[Result]) -> Result:
        """On one state, with all that is committed now."""
        return await self._behind(self._transact(self._reading, work))

    async def close(self) -> None:
        """Finish, then let go of the server."""
        await asyncio.gather(*self._under_way, return_exceptions=True)
        await self._writing.dispose()

    async def _behind(self, transaction: Coroutine[Any, Any, Result]) -> Result:
        """A caller that is cancelled leaves, and the transaction goes on."""
        task = asyncio.create_task(transaction)
        self._under_way.add(task)
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            task.exception()  # somebody may have left before it came

    async def _transact(self, engine: AsyncEngine, work: Work[Result]) -> Result:
        """Again as long as nothing can have been written; of a commit without an answer nobody knows that."""
        committing = False

        def worth_another(error: BaseException) -> bool:
            return not committing and _may_pass(error)

        async for attempt in AsyncRetrying(
            retry=retry_if_exception(worth_another),
            stop=stop_after_delay(self._patience_s),
            wait=wait_random_exponential(multiplier=_FIRST_PAUSE_S, max=_LONGEST_PAUSE_S),
            reraise=True,
        ):
            with attempt:
                async with engine.connect() as connection:
                    result = await connection.run_sync(work)
                    committing = True
                    await connection.commit()
        return result


def _may_pass(error: BaseException) -> bool:
    """Whether the same may work in a moment."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    return _code(cause) in _CONFLICTS or meaning(cause) == _AWAY


def _code(error: BaseException) -> str:
    """SQLSTATE; empty for errors of anybody else."""
    return str(getattr(error, "sqlstate", None) or "")

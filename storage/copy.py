"""Everything from one record to another, whatever databases they are in."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import Connection, Select, Table, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from core.errors import RecordError
from storage import dialect
from storage.incarnation import IS_IT
from storage.record import LOCK_WAIT_S, Record
from storage.schema import metadata, notes
from storage.schema_version import require_newest

# a row with its vectors is about a kilobyte
_ROWS_AT_ONCE = 1000

# table, rows copied so far, rows it has
Told = Callable[[str, int, int], None]


# raises RecordError, or leaves an empty record at the place of this name
Clear = Callable[[Connection, str], None]


def require_empty(connection: Connection, place: str) -> None:
    """Raises RecordError where there is something."""
    held = [table for table, rows in _count(connection).items() if rows]
    if held:
        raise RecordError(f"The record at {place} is not empty ({', '.join(held)}); name a new one to copy to.")


async def copy(source: str, target: str, told: Told, clear: Clear = require_empty) -> Mapping[str, int]:
    """Copy the record at the URL `source`, as it is now, to `target`, all or nothing; table → how many rows.

    Ids stay, and the next ones go on from there. The target is made where that is possible; `told` hears of the
    progress, and `clear` has a say about what the target holds, in the same transaction. Raises RecordError: a source
    that is no record of this version, a target that holds one already.
    """
    async with _opened(source, writing=False) as (reader, source_name):
        with dialect.readable_errors(source_name):
            await reader.run_sync(require_newest, source_name)
            there = await reader.run_sync(_count)
        await (await Record.open(target)).close()
        async with _opened(target, writing=True) as (writer, target_name):
            with dialect.readable_errors(target_name):
                await writer.run_sync(clear, target_name)
            for table in metadata.sorted_tables:
                await _copy_table(table, (reader, source_name), (writer, target_name), there[table.name], told)
            with dialect.readable_errors(target_name):
                await _go_on_from(reader, writer)
                if (copied := await writer.run_sync(_count)) != there:
                    raise RecordError(f"{target_name} would hold {copied}, not {there}; nothing was written.")
                await writer.commit()
    return there


Named = tuple[AsyncConnection, str]


@asynccontextmanager
async def _opened(url: str, *, writing: bool) -> AsyncIterator[Named]:
    """A connection in a transaction of its own, and what people call its database."""
    location = dialect.locate(url)
    name = dialect.name_of(location)
    with dialect.readable_errors(name):
        engine = dialect.streaming_engine(location, LOCK_WAIT_S, writing=writing)
        connection = await engine.connect()
    try:
        yield connection, name
    finally:
        await connection.close()
        await engine.dispose()


async def _copy_table(table: Table, source: Named, target: Named, rows: int, told: Told) -> None:
    (reader, source_name), (writer, target_name) = source, target
    told(table.name, copied := 0, rows)
    with dialect.readable_errors(source_name):
        ordered = _content_of(table).order_by(*table.primary_key)
        async with reader.stream(ordered) as found:
            async for some in found.mappings().partitions(_ROWS_AT_ONCE):
                with dialect.readable_errors(target_name):
                    await writer.execute(table.insert(), [dict(row) for row in some])
                told(table.name, copied := copied + len(some), rows)


def _count(connection: Connection) -> dict[str, int]:
    """table → its rows."""
    tables = metadata.sorted_tables
    return {
        table.name: connection.scalar(select(func.count()).select_from(_content_of(table).subquery())) or 0
        for table in tables
    }


def _content_of(table: Table) -> Select[Any]:
    """Its rows, without the one that says which record this is: a copy is another one."""
    return select(table).where(~IS_IT) if table is notes else select(table)


async def _go_on_from(reader: AsyncConnection, writer: AsyncConnection) -> None:
    """No id that a row of either had comes back."""
    for table in metadata.sorted_tables:
        if table.autoincrement_column is not None:
            last = max([await one.run_sync(dialect.last_id, table) for one in (reader, writer)])
            await writer.run_sync(dialect.go_on_from, table, last)

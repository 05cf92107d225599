"""Migrations, versions, pragmas, and column types."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.dialects.sqlite import dialect
from sqlalchemy.ext.asyncio import AsyncConnection

from core.errors import RecordError
from storage.columns import AnyText, Period, UtcTime, Vector
from storage.database import Database
from storage.record import Record
from storage.schema import metadata
from storage.schema_version import migrate
from tests.storage.samples import dump, first_value, message, run_sql

pytestmark = pytest.mark.asyncio

SQLITE = dialect()


async def test_the_migrations_from_empty_give_the_schema(record: Record, url: str) -> None:
    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata))

    database = Database(url, 1.0)
    assert await database.write(lambda connection: connection.run_sync(differences)) == []
    await database.close()


async def test_opening_again_migrates_nothing(record: Record, url: str, path: Path) -> None:
    before = dump(path)
    async with await Record.open(url):
        assert dump(path) == before


async def test_a_schema_of_a_newer_version_is_left_alone(url: str, path: Path) -> None:
    await (await Record.open(url)).close()
    run_sql(path, "UPDATE alembic_version SET version_num = '9999'")
    before = dump(path)
    with pytest.raises(RecordError, match=r"newer version of this program \(schema 9999\); update the program"):
        await Record.open(url)
    assert dump(path) == before


async def test_the_database_of_another_program_is_left_alone(url: str, path: Path) -> None:
    path.parent.mkdir()
    run_sql(path, "CREATE TABLE recipes (name TEXT)")
    with pytest.raises(RecordError, match="belongs to another program; choose another file"):
        await Record.open(url)
    assert first_value(path, "SELECT count(*) FROM sqlite_master") == 1


async def test_a_migration_that_fails_half_way_leaves_nothing_and_can_be_repeated(url: str, path: Path) -> None:
    database = Database(url, 1.0)

    async def migrate_in_five_pages(connection: AsyncConnection) -> None:
        await connection.exec_driver_sql("PRAGMA max_page_count = 5")
        await connection.run_sync(migrate, database.place)

    with pytest.raises(RecordError, match="has no room left"):
        await database.write(migrate_in_five_pages)
    await database.close()
    assert first_value(path, "SELECT count(*) FROM sqlite_master") == 0
    await (await Record.open(url)).close()


async def test_writers_are_durable_and_readers_cannot_write(url: str) -> None:
    await (await Record.open(url)).close()
    database = Database(url, 1.5)

    async def pragmas(connection: AsyncConnection) -> list[object]:
        names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout", "query_only")
        return [(await connection.exec_driver_sql(f"PRAGMA {name}")).scalar_one() for name in names]

    async def mischief(connection: AsyncConnection) -> None:
        await connection.exec_driver_sql("DELETE FROM inbox")

    full = 2
    assert await database.write(pragmas) == ["wal", full, 1, 1500, 0]
    assert (await database.read(pragmas))[2:] == [1, 1500, 1]
    with pytest.raises(RecordError, match="may only be read"):
        await database.read(mischief)
    await database.close()


async def test_hangul_is_readable_in_the_file(record: Record, path: Path) -> None:
    await record.turns.receive(message(text="안녕 로라야"))
    assert first_value(path, "SELECT text FROM inbox") == "안녕 로라야"
    assert first_value(path, "SELECT sent_at FROM inbox") == "2025-11-21 03:01:00.123456"


async def test_ten_thousand_random_strings_come_back() -> None:
    rng, column = random.Random(0), AnyText()
    for _ in range(10_000):
        text = "".join(chr(rng.choice((rng.randrange(0x110000), rng.randrange(0xD800, 0xE000), 0x1A))) for _ in "12345")
        stored = column.process_bind_param(text, SQLITE)
        assert stored is not None
        assert "\0" not in stored.encode().decode()
        assert column.process_result_value(stored, SQLITE) == text


@pytest.mark.parametrize("period", [timedelta(0), timedelta(days=1461), timedelta(microseconds=-1), timedelta.max])
async def test_periods_are_exact(period: timedelta) -> None:
    assert Period().process_result_value(Period().process_bind_param(period, SQLITE), SQLITE) == period


async def test_vectors_are_little_endian_and_of_one_dimension() -> None:
    stored = Vector().process_bind_param(np.array([1.0, -2.0], dtype=np.float32), SQLITE)
    assert stored == bytes.fromhex("0000803f000000c0")
    with pytest.raises(ValueError, match="one dimension, not 2"):
        Vector().process_bind_param(np.zeros((2, 2), dtype=np.float32), SQLITE)


async def test_a_database_with_zones_gives_utc_too() -> None:
    given = datetime.fromisoformat("2025-11-21T12:00:00+09:00")
    assert UtcTime().process_result_value(given, SQLITE) == datetime(2025, 11, 21, 3, tzinfo=UTC)

"""The records that the contracts run on: a real SQLite file in a new folder, a new database of a real server."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path
from urllib.parse import quote

import pytest
import pytest_asyncio

from storage.hot import MakeHotState
from storage.record import Record
from storage.schema import metadata
from tests.postgres_server import PostgresServer, binaries, postgres_server

CONTRACTS = ("turns", "memories", "cases", "people", "rights", "past", "hot")
pytest.register_assert_rewrite(*(f"tests.storage.{part}_contract" for part in CONTRACTS))

LOCK_WAIT = 0.2
NUMBERS = count(1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "오로라 %20 folder" / "record.db"


@pytest.fixture
def sqlite_url(path: Path) -> str:
    return f"sqlite+aiosqlite:///{quote(str(path))}"


@pytest.fixture
def url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def make_hot() -> MakeHotState | None:
    """What processes share beside the record."""
    return None


@pytest_asyncio.fixture
async def record(url: str, make_hot: MakeHotState | None) -> AsyncIterator[Record]:
    async with await Record.open(url, lock_wait=LOCK_WAIT, hot=make_hot) as opened:
        yield opened


@pytest.fixture(scope="session")
def server() -> Iterator[PostgresServer]:
    if binaries() is None:
        assert os.environ.get("CI") != "true", "PostgreSQL is not installed; .ci/run installs it"
        pytest.skip("no PostgreSQL server is installed")
    with postgres_server() as running:
        yield running


@pytest.fixture
def empty_database(server: PostgresServer) -> str:
    """The name of a new one."""
    name = f"record{next(NUMBERS)}"
    server.sql(f"CREATE DATABASE {name}")
    return name


@pytest.fixture(scope="session")
def migrated(server: PostgresServer) -> str:
    """The name of a database that has the tables: to empty them is quicker than a migration for every test."""
    server.sql("CREATE DATABASE migrated")

    async def migrate() -> None:
        await (await Record.open(server.url("migrated"))).close()

    asyncio.run(migrate())
    return "migrated"


@pytest.fixture
def postgres_url(server: PostgresServer, migrated: str) -> str:
    """An empty record, as new."""
    server.sql(f"TRUNCATE {', '.join(metadata.tables)} RESTART IDENTITY", migrated)
    return server.url(migrated)

"""Bad moments of a server: a RecordError that one can read, nothing half-written, and it works again by itself."""

import asyncio
from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from core.errors import RecordError
from storage.database import Database
from storage.record import Record
from storage.schema import metadata
from tests.postgres_server import PostgresServer, postgres_server
from tests.storage.conftest import LOCK_WAIT
from tests.storage.samples import MINA, begin, exactly, item, message, sanction, summary, turn

pytestmark = pytest.mark.asyncio


@pytest.fixture
def own_server(server: PostgresServer) -> Iterator[PostgresServer]:
    """A server that a test may kill; `server` says whether there can be one."""
    with postgres_server() as running:
        running.sql("CREATE DATABASE ours")
        yield running


async def test_a_database_that_is_not_there_is_an_error(server: PostgresServer) -> None:
    with pytest.raises(RecordError, match="does not exist; create the database"):
        await Record.open(server.url("nowhere"), lock_wait=LOCK_WAIT)


async def test_a_server_that_is_away_is_an_error_that_hides_the_password() -> None:
    with pytest.raises(RecordError, match="cannot be reached; start the server") as caught:
        await Record.open("postgresql+asyncpg://mina:secret@127.0.0.1:1/ohlora", lock_wait=LOCK_WAIT)
    assert "secret" not in str(caught.value)


async def test_an_account_that_is_not_known_is_an_error(server: PostgresServer) -> None:
    stranger = server.url().replace("ohlora@", "stranger:secret@")
    with pytest.raises(RecordError, match="does not let this account in") as caught:
        await Record.open(stranger, lock_wait=LOCK_WAIT)
    assert "secret" not in str(caught.value)


async def test_an_account_that_may_only_read_is_an_error(server: PostgresServer, postgres_url: str) -> None:
    server.sql("DROP ROLE IF EXISTS reader")
    server.sql("CREATE ROLE reader LOGIN")
    with pytest.raises(RecordError, match="may only be read; give this account the right"):
        await Record.open(postgres_url.replace("ohlora@", "reader@"), lock_wait=LOCK_WAIT)


async def test_the_database_of_another_program_is_left_alone(server: PostgresServer, empty_database: str) -> None:
    server.sql("CREATE TABLE recipes (name TEXT)", empty_database)
    with pytest.raises(RecordError, match="belongs to another program"):
        await Record.open(server.url(empty_database))
    assert server.sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", empty_database) == "1"


async def test_a_schema_of_a_newer_version_is_left_alone(server: PostgresServer, empty_database: str) -> None:
    url = server.url(empty_database)
    await (await Record.open(url)).close()
    server.sql("UPDATE alembic_version SET version_num = '9999'", empty_database)
    with pytest.raises(RecordError, match=r"newer version of this program \(schema 9999\)"):
        await Record.open(url)


async def test_the_migrations_from_empty_give_the_schema(server: PostgresServer, empty_database: str) -> None:
    url = server.url(empty_database)
    await (await Record.open(url)).close()

    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata))

    engine = create_async_engine(url)
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


async def test_a_lock_that_stays_is_an_error_until_it_is_free(server: PostgresServer, postgres_url: str) -> None:
    async with await Record.open(postgres_url, lock_wait=LOCK_WAIT) as record:
        await record.turns.receive(message(1))
        engine = create_async_engine(postgres_url)
        async with engine.connect() as other:
            await other.run_sync(lambda connection: connection.exec_driver_sql("LOCK TABLE inbox IN SHARE MODE"))
            with pytest.raises(RecordError, match="is locked by another program"):
                await record.turns.receive(message(2))
            assert len(await record.turns.unanswered()) == 1
        await engine.dispose()
        assert await record.turns.receive(message(2))


async def test_readers_cannot_write_and_commits_wait_for_the_disk(postgres_url: str) -> None:
    database = await Database.open(postgres_url, LOCK_WAIT)

    def setting(connection: Connection) -> object:
        return connection.exec_driver_sql("SHOW synchronous_commit").scalar_one()

    def mischief(connection: Connection) -> None:
        connection.exec_driver_sql("DELETE FROM inbox")

    assert await database.write(setting) == "on"
    for ask in (database.read, database.look):
        with pytest.raises(RecordError, match="may only be read"):
            await ask(mischief)
    await database.close()


@pytest.mark.parametrize("table", ["turns", "outbox", "cases", "case_events"])
async def test_a_turn_is_committed_whole_or_not_at_all(server: PostgresServer, migrated: str, table: str) -> None:
    async with await Record.open(server.url(migrated), lock_wait=LOCK_WAIT) as record:
        server.sql(f"TRUNCATE {', '.join(metadata.tables)} RESTART IDENTITY", migrated)
        await record.turns.receive(message(1))
        server.sql(f"ALTER TABLE {table} ADD CONSTRAINT trap CHECK (false) NOT VALID", migrated)
        with pytest.raises(RecordError, match="trap"):
            await record.turns.commit(turn(message(1), sanction("love"), sanction("hate")))
        server.sql(f"ALTER TABLE {table} DROP CONSTRAINT trap", migrated)
        assert await record.turns.unanswered() == [message(1)]
        counted = " + ".join(f"(SELECT count(*) FROM {name})" for name in ("turns", "outbox", "cases", "case_events"))
        assert server.sql(f"SELECT {counted}", migrated) == "0"
        await record.turns.commit(turn(message(1), sanction()))
        assert len(await record.cases.of(MINA)) == 1


async def test_a_restart_of_the_server_is_waited_for(own_server: PostgresServer) -> None:
    async with await Record.open(own_server.url("ours"), lock_wait=60) as record:
        turn_id = await begin(record, 1)
        await asyncio.to_thread(own_server.stop)
        writing = asyncio.create_task(record.turns.remember(turn_id, exactly(add=item()), summary()))
        await asyncio.to_thread(own_server.start)
        await writing
        assert len(await record.memories.items(MINA)) == 1


async def test_what_was_accepted_survives_a_kill_of_the_server(own_server: PostgresServer) -> None:
    async with await Record.open(own_server.url("ours"), lock_wait=LOCK_WAIT) as record:
        accepted: set[str] = set()

        async def talk(person: int) -> None:
            for number in range(10_000):
                asked = message(person * 10_000 + number)
                await record.turns.receive(asked)
                accepted.add(asked.message_id)
                some.set()

        some = asyncio.Event()
        talking = [asyncio.create_task(talk(person)) for person in range(20)]
        await some.wait()
        await asyncio.to_thread(own_server.stop)
        assert all(isinstance(end, RecordError) for end in await asyncio.gather(*talking, return_exceptions=True))
        await asyncio.to_thread(own_server.start)
        there = {waiting.message_id for waiting in await record.turns.unanswered()}
        assert accepted <= there
        assert len(there - accepted) <= 20

"""Migrations, versions, pragmas, and column types."""

import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import URL, Connection, create_engine
from sqlalchemy.dialects.sqlite import dialect

from core.case_store import CaseFilter
from core.cases import Case, Event, Kind, Standing, State, standing
from core.errors import RecordError
from core.expression import Expression
from core.messages import ChatKey, Notice, NoticeKind, Reply, Turn
from core.people import Person
from core.ports import Delivery, Undelivered
from core.sanctions import Evidence, Sanction
from storage.columns import AnyText, Period, UtcTime, Vector
from storage.database import Database
from storage.record import Record
from storage.schema import metadata
from storage.schema_version import migrate
from tests.storage.samples import MINA, NOON, bare, dump, first_value, last_summary, message, run_sql, sanction, turn

pytestmark = pytest.mark.asyncio

SQLITE = dialect()

ROWS_OF_THE_FIRST_VERSION = (
    "INSERT INTO inbox VALUES (1, 'console', 'home', 'm1', 'mina', 1, '안녕 로라야',"
    " '2025-11-21 03:01:00.123456', 'ko', 'waiting')",
    "INSERT INTO inbox VALUES (2, 'console', 'server', 'm2', 'mina', 0, '안녕 로라야',"
    " '2025-11-21 03:02:00.123456', 'ko', 'answered')",
    """INSERT INTO turns VALUES (5, 2, '안녕', '{"love": 0.5}', 'due')""",
    "INSERT INTO outbox VALUES (5, '반가워!', '크게', '보통', '없음',"
    """ '[{"kind": "warning", "text": "경고"}]', 'waiting')""",
    "INSERT INTO sanctions VALUES (3, 5, 'console', 'mina', 'love', 1, '2025-11-21 03:00:00.123456', 0,"
    """ '{"prompt": "사귀자\\ud800", "answer": "미안", "scores": {"love": 0.99}, "thresholds": {"love": 0.98},"""
    """ "model": "old-1"}', 0)""",
    "INSERT INTO sanctions VALUES (4, 5, 'console', 'mina', 'hate', 2, '2025-11-21 03:00:00.123456', 604800000000,"
    """ '{"prompt": "x", "model": null}', 1)""",
    "INSERT INTO memories VALUES (7, 5, 'console', 'mina', 'server', '좋아하는 가수', '에스파',"
    " '2025-11-21 03:00:00.123456', x'0000803f', NULL)",
    "INSERT INTO summaries VALUES ('console', 'mina', 'home', '인사했다', x'0000803f')",
)


def to_first_version(path: Path) -> None:
    """A file as the first version made it."""
    config = Config()
    config.set_main_option("script_location", "storage:migrations")
    engine = create_engine(URL.create("sqlite", database=str(path)))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    engine.dispose()


@pytest_asyncio.fixture
async def database(url: str) -> AsyncIterator[Database]:
    """Without a schema of its own; closed whatever fails, for its threads would outlive the test."""
    opened = await Database.open(url, 1.5)
    yield opened
    await opened.close()


async def test_the_migrations_from_empty_give_the_schema(record: Record, database: Database) -> None:
    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata))

    assert await database.write(differences) == []


async def test_opening_again_migrates_nothing(record: Record, url: str, path: Path) -> None:
    before = dump(path)
    async with await Record.open(url):
        assert dump(path) == before


async def test_a_record_of_the_first_version_keeps_everything(url: str, path: Path) -> None:
    path.parent.mkdir()
    to_first_version(path)
    run_sql(path, *ROWS_OF_THE_FIRST_VERSION)
    async with await Record.open(url) as record:
        waiting, answered = message(1), message(2, chat=ChatKey("console", "server", False))
        assert await record.turns.unanswered() == [waiting]
        reply = Reply(answered, "반가워!", Expression("크게", "보통", "없음"), (Notice(NoticeKind.WARNING, "경고"),))
        evidence = Evidence("사귀자\ud800", "미안", {"love": 0.99}, {"love": 0.98}, "old-1")
        issued = Sanction("love", 1, NOON, timedelta(0), evidence=evidence)
        undone = Sanction("hate", 2, NOON, timedelta(days=7), evidence=Evidence("x"))
        began = Event(Kind.ISSUED, NOON)
        cases = [
            Case(3, MINA, answered.chat, issued, (began,), turn=5),
            Case(4, MINA, answered.chat, undone, (began, Event(Kind.OVERTURNED, NOON)), turn=5),
        ]
        assert await record.turns.undelivered() == [Undelivered(5, reply, None)]
        assert await record.turns.unremembered() == [(5, Turn(reply, "안녕", (issued, undone), {"love": 0.5}))]
        assert await record.cases.of(MINA) == [bare(case) for case in cases]
        assert [await record.cases.get(case.number) for case in cases] == cases
        assert standing(cases, NOON) == Standing(None, (), {"love": 1})
        for state, found in ((State.OPEN, cases[:1]), (State.OVERTURNED, cases[1:])):
            assert await record.cases.page(CaseFilter(answered.chat.place, state, since=NOON)) == found
        assert (await record.cases.stats(None, NOON)).share_overturned() == {"love": 0.0, "hate": 1.0}
        assert await record.cases.blank(NOON + timedelta(days=1)) == 2
        assert [(item.item_id, item.text, item.scope) for item in await record.memories.items(MINA)] == [
            (7, "[좋아하는 가수: 에스파]", "server")
        ]
        last = await last_summary(record)
        assert last is not None
        assert (last.text, list(last.vector)) == ("인사했다", [1.0])
        assert await record.people.of(MINA) == Person()
        assert await record.turns.last_heard("console") == answered.sent_at
        await record.turns.end(5, Delivery.UNKNOWN)
    assert first_value(path, "PRAGMA integrity_check") == "ok"
    assert first_value(path, "SELECT count(*) FROM pragma_foreign_key_check") == 0


async def test_the_next_case_has_a_number_that_no_sanction_had(url: str, path: Path) -> None:
    path.parent.mkdir()
    to_first_version(path)
    run_sql(path, *ROWS_OF_THE_FIRST_VERSION)
    async with await Record.open(url) as record:
        await record.turns.receive(message(3))
        await record.turns.commit(turn(message(3), sanction()))
        assert [case.number for case in await record.cases.of(MINA)] == [3, 4, 5]


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


async def test_a_migration_that_fails_half_way_leaves_nothing_and_can_be_repeated(
    database: Database, url: str, path: Path
) -> None:
    def migrate_in_five_pages(connection: Connection) -> None:
        connection.exec_driver_sql("PRAGMA max_page_count = 5")
        migrate(connection, database.place)

    with pytest.raises(RecordError, match="has no room left"):
        await database.write(migrate_in_five_pages)
    await database.close()
    assert first_value(path, "SELECT count(*) FROM sqlite_master") == 0
    await (await Record.open(url)).close()


async def test_writers_are_durable_and_readers_cannot_write(record: Record, database: Database) -> None:
    def pragmas(connection: Connection) -> list[object]:
        names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout", "query_only")
        return [connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in names]

    def mischief(connection: Connection) -> None:
        connection.exec_driver_sql("DELETE FROM inbox")

    full = 2
    assert await database.write(pragmas) == ["wal", full, 1, 1500, 0]
    assert (await database.read(pragmas))[2:] == [1, 1500, 1]
    with pytest.raises(RecordError, match="may only be read"):
        await database.read(mischief)


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

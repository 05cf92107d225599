"""Bad moments: a RecordError that one can read, nothing half-written, and it works again without a restart."""

import sqlite3
from datetime import timedelta
from itertools import product
from pathlib import Path

import pytest
from sqlalchemy import Connection, event
from sqlalchemy.engine import Engine

from core.case_store import CaseFilter, Shown
from core.cases import State
from core.errors import RecordError
from core.people import PlaceSettings
from core.ports import Delivery, Fence
from storage.database import Database
from storage.hot import InProcess
from storage.record import Record
from storage.schema import metadata
from tests.storage.case_samples import GUILD, LOUNGE, judge, offend
from tests.storage.samples import (
    HOME,
    MINA,
    NOON,
    begin,
    content,
    dump,
    exactly,
    files_of_at_most,
    first_value,
    item,
    last_summary,
    learn,
    message,
    replace_content,
    run_sql,
    sanction,
    summary,
    turn,
    with_text,
)

pytestmark = pytest.mark.asyncio

COMMIT_STEPS = ["INSERT ON turns", "INSERT ON outbox", "INSERT ON cases", "INSERT ON case_events", "UPDATE ON inbox"]
REMEMBER_STEPS = ["UPDATE ON turns", "DELETE ON memories", "INSERT ON memories", "INSERT ON summaries"]


def trap(step: str) -> str:
    return f"CREATE TRIGGER trap AFTER {step} BEGIN SELECT RAISE(ABORT, 'trapped'); END"


@pytest.mark.parametrize("step", COMMIT_STEPS)
async def test_a_turn_is_committed_whole_or_not_at_all(record: Record, path: Path, step: str) -> None:
    asked = message()
    await record.turns.receive(asked)
    run_sql(path, trap(step))
    before = dump(path)
    with pytest.raises(RecordError, match="trapped"):
        await record.turns.commit(turn(asked, sanction("love"), sanction("hate")))
    assert dump(path) == before
    run_sql(path, "DROP TRIGGER trap")
    await record.turns.commit(turn(asked, sanction()))
    assert len(await record.cases.of(MINA)) == 1


@pytest.mark.parametrize("step", REMEMBER_STEPS)
async def test_a_turn_is_remembered_whole_or_not_at_all(record: Record, path: Path, step: str) -> None:
    old = await learn(record, 1, item(value="old"))
    run_sql(path, "DELETE FROM summaries")
    turn_id = await begin(record, 2)
    run_sql(path, trap(step))
    before = dump(path)
    with pytest.raises(RecordError, match="trapped"):
        await record.turns.remember(turn_id, exactly((old,), item(value="new")), summary())
    assert dump(path) == before
    run_sql(path, "DROP TRIGGER trap")
    assert [waiting for waiting, _ in await record.turns.unremembered()] == [turn_id]
    await record.turns.remember(turn_id, exactly((old,), item(value="new")), summary())
    assert [known.value for known in await record.memories.items(MINA)] == ["new"]


async def test_a_file_locked_by_another_program_is_an_error_until_it_is_free(record: Record, path: Path) -> None:
    await learn(record, 1, item())
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(RecordError, match=r"record\.db is locked by another program; close that program"):
        await record.turns.receive(message(2))
    assert len(await record.memories.items(MINA)) == 1
    other.close()
    assert await record.turns.receive(message(2))


async def test_a_full_disk_is_an_error_until_there_is_room(url: str, path: Path) -> None:
    await (await Record.open(url)).close()
    database = await Database.open(url, 1.0)

    def limit(connection: Connection, pages: int) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    async with Record(database, "incarnation", InProcess()) as record:
        turn_id = await begin(record, 1)
        await record.turns.receive(message(2))
        used = first_value(path, "PRAGMA page_count")
        assert isinstance(used, int)
        await database.write(lambda connection: limit(connection, used + 2))
        before = dump(path)
        with pytest.raises(RecordError, match="has no room left on its disk; free some space"):
            await record.turns.receive(with_text(message(3), "가" * 100_000))
        with pytest.raises(RecordError, match="has no room left"):
            await record.turns.remember(turn_id, exactly(add=item(value="x" * 100_000)), summary())
        with pytest.raises(RecordError, match="has no room left"):
            await record.turns.commit(turn(with_text(message(2), "가" * 100_000), sanction()))
        assert dump(path) == before
        await database.write(lambda connection: limit(connection, 100_000))
        await record.turns.remember(turn_id, exactly(add=item(value="x" * 100_000)), summary())
        assert len(await record.memories.items(MINA)) == 1
    assert first_value(path, "PRAGMA integrity_check") == "ok"


async def test_a_failing_write_is_an_error_and_the_next_one_works(record: Record, path: Path) -> None:
    await record.turns.receive(message(1))
    before = dump(path)
    with (
        files_of_at_most(200_000),
        pytest.raises(RecordError, match=r"record\.db (could not be read from|has no room)"),
    ):
        await record.turns.receive(with_text(message(2), "x" * 500_000))
    assert dump(path) == before
    assert await record.turns.receive(with_text(message(2), "x" * 500_000))
    assert first_value(path, "PRAGMA integrity_check") == "ok"


async def test_damage_is_an_error_when_it_is_met_and_a_restored_file_works_again(url: str, path: Path) -> None:
    async with await Record.open(url) as record:
        for number in range(30):
            await learn(record, number, item(value=f"{number}" * 1000))
    first_value(path, "PRAGMA wal_checkpoint(TRUNCATE)")  # or rows may still stand in the log beside it
    sound = content(path)
    roots = first_value(path, "SELECT max(rootpage) FROM sqlite_master")
    assert isinstance(roots, int)
    intact = roots * 4096  # bytes; the pages after them hold rows
    replace_content(path, sound[:intact] + b"\xff" * (len(sound) - intact))
    async with await Record.open(url) as record:
        with pytest.raises(RecordError, match="is damaged; put a backup in its place"):
            await record.memories.items(MINA)
        with pytest.raises(RecordError, match="is damaged"):
            await record.memories.forget(MINA)
        replace_content(path, sound)
        assert len(await record.memories.items(MINA)) == 30
        assert await record.memories.forget(MINA) == 30


async def test_values_that_core_no_longer_knows_are_an_error(record: Record, path: Path) -> None:
    await begin(record, 1)
    run_sql(path, "UPDATE outbox SET eyes = 'laser'")
    with pytest.raises(RecordError, match="no such label: 'laser'"):
        await record.turns.undelivered()


async def test_a_closed_record_says_so_and_may_be_closed_again(url: str) -> None:
    record = await Record.open(url)
    await record.close()
    await record.close()
    with pytest.raises(RecordError, match="is closed; open it again"):
        await record.turns.receive(message())
    with pytest.raises(RecordError, match="is closed"):
        await last_summary(record)


async def moderate(record: Record) -> None:
    """Everything that moderators ask of the log, in every combination that has an index of its own."""
    (case,) = await offend(record, 3, chat=LOUNGE)
    assert case.turn is not None
    await record.turns.end(case.turn, Delivery.DELIVERED)
    await record.cases.of(MINA)
    await record.cases.get(case.number)
    for place, state, person, category, since in product(
        (None, GUILD), (None, State.OPEN), (None, MINA), (None, "love"), (None, NOON)
    ):
        await record.cases.page(CaseFilter(place, state, person, category, since))
    for wanted in (None, GUILD):
        await record.cases.stats(wanted, NOON)
        assert [found async for found in record.cases.export(NOON, wanted)] != []
    await record.cases.show(case.number, Shown(0, "mods", "m1"))
    await record.cases.shown(case.number)
    await judge(record, case.number)
    assert await record.cases.blank(NOON + timedelta(days=1))


@pytest.mark.parametrize("step", ["INSERT ON case_events", "UPDATE ON cases"])
async def test_a_decision_is_made_whole_or_not_at_all(record: Record, path: Path, step: str) -> None:
    (case,) = await offend(record, 1)
    run_sql(path, trap(step))
    before = dump(path)
    with pytest.raises(RecordError, match="trapped"):
        await judge(record, case.number)
    assert dump(path) == before
    run_sql(path, "DROP TRIGGER trap")
    assert (await judge(record, case.number)).state is State.UPHELD


async def test_events_that_core_no_longer_knows_are_an_error(record: Record, path: Path) -> None:
    (case,) = await offend(record, 1)
    run_sql(path, "UPDATE case_events SET kind = 'burned'")
    with pytest.raises(RecordError, match="'burned' is not a valid Kind"):
        await record.cases.get(case.number)


async def test_no_query_reads_a_whole_table(record: Record, path: Path) -> None:
    asked: set[str] = set()

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        asked.add(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        old = await learn(record, 1, item())
        turn_id = await begin(record, 2)
        await record.turns.amend(message(2))
        await record.turns.begin(turn_id, NOON)
        await record.turns.end(turn_id, Delivery.UNKNOWN)
        await record.turns.end(turn_id, Delivery.DELIVERED)
        await record.turns.end(turn_id, Delivery.DELIVERED)
        await record.turns.discard(message(2))
        await record.turns.last_heard("console")
        await record.turns.private_chats("console", NOON, 10)
        await record.turns.unanswered()
        await record.turns.undelivered()
        await record.turns.undelivered([turn_id])
        await record.turns.waiting([message(2).key, message(3).key])
        await record.turns.unremembered()
        await record.turns.past(MINA, HOME)
        await record.turns.remember(turn_id, exactly((old,)), None)
        await moderate(record)
        await record.memories.forget(MINA, 1)
        await record.memories.forget(MINA)
        await record.people.introduce(MINA)
        await record.people.pause(MINA, True)
        await record.people.of(MINA)
        await record.people.export(MINA)
        await record.places.change(HOME.place, PlaceSettings())
        await record.places.of(HOME.place)
        (button,) = await record.buttons.make(MINA, [("memory", "")], NOON)
        await record.buttons.pressed(MINA, button)
        await record.notes.write("name", "value")
        await record.notes.read("name")
        await record.fences.raise_to(Fence("partition 1", 1))
        await record.erase(MINA)
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    scans = [["SCAN", table] for table in metadata.tables]
    connection = sqlite3.connect(path)
    for statement in sorted(asked - {"BEGIN", "BEGIN IMMEDIATE"}):
        plan = connection.execute(f"EXPLAIN QUERY PLAN {statement}", [None] * statement.count("?")).fetchall()
        steps = [step[-1] for step in plan]
        assert not [step for step in steps if step.split()[:2] in scans], (statement, steps)
    connection.close()

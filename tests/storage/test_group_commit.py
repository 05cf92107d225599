"""Transactions that wait together share a commit; nobody notices anything but the time it saves."""

import asyncio
import sqlite3
import time
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection

from core.errors import RecordError
from core.moderation import Refused
from storage.database import Database
from storage.record import Record
from tests.storage.case_samples import judge, offend
from tests.storage.commits import at_commits, commits
from tests.storage.conftest import LOCK_WAIT
from tests.storage.samples import files_of_at_most, first_value, message, run_sql, turn

pytestmark = pytest.mark.asyncio


async def test_what_waits_together_is_committed_together(record: Record) -> None:
    with commits() as seen:
        assert all(await asyncio.gather(*(record.turns.receive(message(number)) for number in range(100))))
    assert len(seen) == 2
    assert len(await record.turns.unanswered()) == 100


async def test_nobody_is_told_before_the_commit(record: Record) -> None:
    """What is refused because of others' work is not told before that work is on the disk, either."""
    (case,) = await offend(record, 0)
    told_early: list[bool] = []
    receiving = [asyncio.create_task(record.turns.receive(message(number))) for number in range(1, 10)]
    judging = [asyncio.create_task(judge(record, case.number)) for _ in range(3)]
    asked = [*receiving, *judging]

    def committing(_: Connection) -> None:
        told_early.append(any(task.done() for task in asked))

    with at_commits(committing):
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
    assert told_early == [False]
    assert sum(isinstance(outcome, Refused) for outcome in outcomes) == 2


async def test_one_that_fails_hurts_nobody_else(record: Record, path: Path) -> None:
    for number in range(20):
        await record.turns.receive(message(number))
    condition = "NEW.state = 'answered' AND NEW.message_id IN ('m3', 'm4', 'm19')"
    run_sql(path, f"CREATE TRIGGER trap AFTER UPDATE ON inbox WHEN {condition} BEGIN SELECT RAISE(ABORT, ''); END")
    with commits() as seen:
        outcomes = await asyncio.gather(
            *(record.turns.commit(turn(message(number))) for number in range(30)), return_exceptions=True
        )
    assert len(seen) == 1
    failed = [number for number, outcome in enumerate(outcomes) if isinstance(outcome, RecordError)]
    assert failed == [3, 4, 19, *range(20, 30)]  # the last ten were never received
    committed = [outcome for outcome in outcomes if isinstance(outcome, int)]
    assert [left.turn_id for left in await record.turns.undelivered()] == committed
    assert [waiting.message_id for waiting in await record.turns.unanswered()] == ["m3", "m4", "m19"]
    assert first_value(path, "SELECT count(*) FROM turns") == len(committed) == 17


async def test_a_write_that_the_disk_refuses_fails_alone(record: Record, path: Path) -> None:
    asked = [message(number) for number in range(10)]
    asked[4] = replace(asked[4], text="x" * 2_000_000)
    await record.turns.receive(message(99))
    with files_of_at_most(1_000_000):
        outcomes = await asyncio.gather(*map(record.turns.receive, asked), return_exceptions=True)
    assert [number for number, outcome in enumerate(outcomes) if outcome is not True] == [4]
    assert isinstance(outcomes[4], RecordError)
    assert await record.turns.receive(asked[4])
    assert len(await record.turns.unanswered()) == 11
    assert first_value(path, "PRAGMA integrity_check") == "ok"


async def test_a_lock_is_waited_for_once(record: Record, path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    start = time.monotonic()
    outcomes = await asyncio.gather(
        *(record.turns.receive(message(number)) for number in range(30)), return_exceptions=True
    )
    waited = time.monotonic() - start
    other.close()
    assert all("is locked by another program" in str(outcome) for outcome in outcomes)
    assert waited < 10 * LOCK_WAIT
    assert await record.turns.receive(message(1))


def nothing(_: Connection) -> None:
    pass


async def test_what_may_wait_comes_along_with_what_is_next(url: str) -> None:
    database = await Database.open(url, LOCK_WAIT)
    with commits() as seen:
        waiting = asyncio.create_task(database.write(nothing, soon=False))
        await asyncio.sleep(0)
        await database.write(nothing)
        assert waiting.done()
    await database.close()
    assert len(seen) == 1


async def test_what_may_wait_does_not_need_company(url: str) -> None:
    database = await Database.open(url, LOCK_WAIT)
    await database.write(nothing, soon=False)
    left = asyncio.create_task(database.write(nothing, soon=False))
    await asyncio.sleep(0)
    await database.close()
    assert left.done()

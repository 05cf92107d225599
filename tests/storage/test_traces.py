"""What is left of somebody who was deleted in the files of an SQLite record."""

import asyncio
import logging
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random

import numpy as np
import pytest

from core.messages import IncomingMessage, PersonKey, Reply, Turn
from core.people import Person
from storage.dialect import sqlite
from storage.record import Record
from storage.redis import RedisState
from tests.redis_server import RedisServer
from tests.storage.samples import (
    HOME,
    JUN,
    MINA,
    exactly,
    item,
    learn,
    message,
    sanction,
    summary,
)


async def live(record: Record, mark: str) -> None:
    """Mina's and Jun's lives, with all that moves rows from page to page: long texts, edits, things forgotten."""
    dice = Random(8)
    for burst in range(0, 240, 12):
        said = [(number, *((JUN, "jun") if number % 3 else (MINA, mark))) for number in range(burst, burst + 12)]
        for number, person, name in said:
            await record.turns.receive(message(number, person, text=name + "가" * dice.randrange(300)))
        for number, person, name in dice.choices(said, k=12):
            edited = f"{name} edited " + "나" * dice.choice((1, 100, 300, 1600))
            await record.turns.amend(message(number, person, text=edited))
        for number, person, name in said:
            await finish(record, message(number, person), name, dice)
    for number in dice.sample(range(240, 360), 120):
        await record.turns.receive(message(number, JUN, text="jun" + "다" * dice.randrange(900)))


async def finish(record: Record, asked: IncomingMessage, name: str, dice: Random) -> None:
    """A turn that may be put aside, and may replace, or forget, what was learned before."""
    if dice.random() < 0.1:
        await record.turns.discard(asked)
        return
    issued = (sanction("love", at=asked.sent_at),) if dice.random() < 0.1 else ()
    reply = Reply(asked, f"{name} answer " + "라" * dice.randrange(200))
    turn_id = await record.turns.commit(Turn(reply, f"{name} input", issued))
    new = replace(item(f"{name} {dice.randrange(9)}", f"{name} value"), vector=np.ones(200, np.float32))
    old = [known.item_id for known in await record.memories.items(asked.person) if known.key == new.key]
    await record.turns.remember(turn_id, exactly(tuple(old), new), summary(f"{name} summary {turn_id}"))
    if dice.random() < 0.03:
        await record.memories.forget(asked.person)


def hits(path: Path, mark: str) -> dict[str, int]:
    """How often it stands in each of the database's files."""
    return {file.suffix: file.read_bytes().count(mark.encode()) for file in path.parent.glob("record.db*")}


async def test_no_file_of_the_database_holds_a_word_of_somebody_who_is_gone(record: Record, path: Path) -> None:
    await live(record, "canary")
    kept = hits(path, "jun summary")
    before = hits(path, "canary")
    assert before[".db-wal"] > 0
    await record.erase(MINA)
    assert set(hits(path, "canary").values()) == {0}
    assert (path.parent / "record.db-wal").stat().st_size == 0
    assert sum(kept.values()) > 0
    assert len((await record.people.export(JUN))["messages"]) == 280


class Reader:
    """Another program that reads an old state, until it was asked for the last of `pauses` times."""

    def __init__(self, path: Path, pauses: int) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("BEGIN")
        self._connection.execute("SELECT count(*) FROM inbox").fetchone()
        self._pauses = pauses

    def __iter__(self) -> Iterator[float]:
        yield from [0.0] * self._pauses
        self.close()
        yield 0.0

    def close(self) -> None:
        self._connection.close()


async def test_the_log_is_emptied_as_soon_as_nobody_reads_an_old_state(
    record: Record, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await learn(record, 1, item(value="canary"))
    monkeypatch.setattr(sqlite, "_PAUSES_S", Reader(path, pauses=2))
    await record.erase(MINA)
    assert set(hits(path, "canary").values()) == {0}


async def test_a_reader_that_never_ends_is_reported_and_cleaned_up_after_the_next_time(
    record: Record, path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await learn(record, 1, item(value="canary"))
    reader = Reader(path, pauses=0)
    monkeypatch.setattr(sqlite, "_PAUSES_S", (0.0,))
    await record.erase(MINA)
    assert [entry.levelno for entry in caplog.records] == [logging.ERROR]
    assert "delete them once more" in caplog.text
    assert (await record.people.export(MINA))["messages"] == []
    assert sum(hits(path, "canary").values()) > 0
    reader.close()
    await record.erase(MINA)
    assert set(hits(path, "canary").values()) == {0}


async def test_people_who_leave_together_are_cleaned_up_behind_together(
    record: Record, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cleaned: list[Sequence[str]] = []
    scrub = record._database.scrub

    async def counted(tables: Sequence[str]) -> None:
        cleaned.append(tables)
        await scrub(tables)

    monkeypatch.setattr(record._database, "scrub", counted)
    people = [PersonKey("console", f"canary{number}") for number in range(20)]
    for number, person in enumerate(people):
        await learn(record, number, item(), person)
    await asyncio.gather(*(record.erase(person) for person in people))
    assert 1 <= len(cleaned) <= 2
    assert set(hits(path, "canary").values()) == {0}


async def test_a_redis_that_is_away_keeps_nobody_from_leaving(
    url: str, redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with await Record.open(url, hot=partial(RedisState, redis.url)) as record:
        await learn(record, 1, item())
        await record.turns.past(MINA, HOME)
        redis.stop()
        await record.erase(MINA)
        assert "run BGREWRITEAOF" in caplog.text
        redis.start()
        past = await record.turns.past(MINA, HOME)
        assert (past.person, list(past.items), past.summary) == (Person(), [], None)

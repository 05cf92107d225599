"""A record moves to another database: everything, with its ids, or nothing."""

import asyncio
import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import Connection, event, select
from sqlalchemy.engine import Engine
from sqlalchemy.ext.asyncio import create_async_engine

from core.case_store import Shown
from core.errors import RecordError
from core.people import PlaceSettings
from core.ports import Fence
from storage.copy import copy
from storage.incarnation import NAME
from storage.record import Record
from storage.schema import metadata, notes
from tests.postgres_server import PostgresServer
from tests.storage.case_samples import GUILD, appeal, judge, offend, shadow
from tests.storage.samples import (
    JUN,
    MINA,
    NOON,
    SERVER,
    begin,
    content,
    first_value,
    item,
    learn,
    message,
    replace_content,
    run_sql,
    with_text,
)

pytestmark = pytest.mark.asyncio

STRANGE = "\ud800 \x00 \x1a가'; DROP TABLE inbox; --"


def nobody_listens(table: str, done: int, rows: int) -> None:
    pass


@pytest.fixture
def other_url(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{quote(str(tmp_path / 'other.db'))}"


@pytest.fixture(params=["to postgres", "to sqlite", "from postgres"])
def way(request: pytest.FixtureRequest, url: str, other_url: str) -> tuple[str, str]:
    """(from, to)."""
    if request.param == "to sqlite":
        return url, other_url
    server: PostgresServer = request.getfixturevalue("server")
    there = server.url(request.getfixturevalue("empty_database"))
    return (url, there) if request.param == "to postgres" else (there, url)


async def fill(url: str) -> None:
    """Something in every table, with ids that are gone in every table that counts."""
    async with await Record.open(url) as record:
        await record.turns.receive(with_text(message(1), STRANGE))
        for number in range(2, 8):
            await learn(record, number, item(key="내일 일정", value=f"{number}\x00"), (MINA, JUN)[number % 2])
        (case, quiet) = await offend(record, 8, shadow("hate"), shadow("love"), chat=SERVER)
        await offend(record, 9)
        await judge(record, case.number)
        await record.cases.show(quiet.number, Shown(0, "mods", "m1"))
        (felt,) = await record.cases.of(MINA)
        await appeal(record, felt.number)
        await record.turns.begin(await begin(record, 10), NOON)
        await record.people.pause(JUN, True)
        await record.places.change(GUILD, PlaceSettings(name_call=False, thresholds={"love": 0.1}))
        await record.buttons.make(MINA, [("memory", "export"), ("memory", STRANGE)], NOON - timedelta(days=40))
        await record.buttons.make(MINA, [], NOON)  # the old ones go
        await record.buttons.make(JUN, [("memory", "")], NOON)
        await record.notes.write("offset", "7")
        await record.fences.raise_to(Fence("people:1", 7))
        await record.fences.raise_to(Fence("partition 1", 2**60))
        newest = max(known.item_id for known in await record.memories.items(JUN))
        await record.memories.forget(JUN, newest)


async def content_of(url: str) -> dict[str, list[Any]]:
    """table → its rows, as Python sees them, but which record it is."""

    def rows(connection: Connection) -> dict[str, list[Any]]:
        return {
            table.name: [
                {name: getattr(value, "tolist", lambda value=value: value)() for name, value in row.items()}
                for row in connection.execute(select(table).order_by(*table.primary_key)).mappings()
                if table is not notes or row["name"] != NAME
                if row.get("name") != "incarnation"  # it says which of them this is
            ]
            for table in metadata.sorted_tables
        }

    engine = create_async_engine(url)
    async with engine.connect() as connection:
        found = await connection.run_sync(rows)
    await engine.dispose()
    return found


async def test_everything_arrives(way: tuple[str, str]) -> None:
    await fill(way[0])
    heard: dict[str, tuple[int, int]] = {}

    def told(table: str, done: int, rows: int) -> None:
        heard[table] = (done, rows)

    counted = await copy(*way, told)
    before, after = await content_of(way[0]), await content_of(way[1])
    assert after == before
    assert all(after.values())
    assert counted == {table: len(rows) for table, rows in after.items()}
    assert heard == {table: (rows, rows) for table, rows in counted.items()}


async def test_the_copy_is_another_record(way: tuple[str, str]) -> None:
    await fill(way[0])
    await copy(*way, nobody_listens)
    async with await Record.open(way[0]) as first, await Record.open(way[1]) as second:
        assert first.incarnation != second.incarnation


async def test_new_rows_get_ids_that_were_never_used(way: tuple[str, str]) -> None:
    await fill(way[0])
    await copy(*way, nobody_listens)
    ids = []
    for url in way:
        async with await Record.open(url) as record:
            (case,) = await offend(record, 20)
            learned = await learn(record, 21, item(value="new"))
            ids.append((case.number, case.turn, learned, await record.buttons.make(MINA, [("x", "")], NOON)))
    assert ids[0] == ids[1]


async def test_it_takes_more_than_one_batch(way: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.copy._ROWS_AT_ONCE", 3)
    await fill(way[0])
    heard: list[int] = []
    await copy(*way, lambda table, done, _: heard.append(done) if table == "inbox" else None)
    assert heard == [0, 3, 6, 9, 10]
    assert await content_of(way[0]) == await content_of(way[1])


async def test_what_is_written_meanwhile_is_not_half_there(way: tuple[str, str]) -> None:
    """The copy is of one moment; the record goes on being used."""
    await fill(way[0])
    before = await content_of(way[0])
    async with await Record.open(way[0]) as record:
        going_on: list[asyncio.Task[int]] = []

        def told(table: str, *_: int) -> None:
            if table == "turns" and not going_on:
                going_on.append(asyncio.create_task(begin(record, 30)))

        await copy(*way, told)
        await asyncio.gather(*going_on)
    assert await content_of(way[1]) == before


async def test_a_target_that_holds_something_is_left_alone(way: tuple[str, str]) -> None:
    await fill(way[0])
    async with await Record.open(way[1]) as record:
        await record.notes.write("mine", "1")
    before = await content_of(way[1])
    with pytest.raises(RecordError, match=r"is not empty \(notes\); name a new one"):
        await copy(*way, nobody_listens)
    assert await content_of(way[1]) == before


async def test_a_copy_that_fails_leaves_nothing_and_can_be_repeated(way: tuple[str, str]) -> None:
    await fill(way[0])
    last = metadata.sorted_tables[-1].name

    def fail(_c: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith(f"INSERT INTO {last} "):
            raise OSError(28, "No space left on device")

    event.listen(Engine, "before_cursor_execute", fail)
    try:
        with pytest.raises(RecordError, match="No space left"):
            await copy(*way, nobody_listens)
    finally:
        event.remove(Engine, "before_cursor_execute", fail)
    assert not any((await content_of(way[1])).values())
    await copy(*way, nobody_listens)
    assert await content_of(way[0]) == await content_of(way[1])


async def test_a_damaged_source_is_an_error_and_nothing_is_copied(url: str, path: Path, other_url: str) -> None:
    async with await Record.open(url) as record:
        for number in range(30):
            await learn(record, number, item(value=f"{number}" * 1000))
    sound = content(path)
    roots = first_value(path, "SELECT max(rootpage) FROM sqlite_master")
    assert isinstance(roots, int)
    replace_content(path, sound[: roots * 4096] + b"\xff" * (len(sound) - roots * 4096))
    with pytest.raises(RecordError, match=r"record\.db is damaged"):
        await copy(url, other_url, nobody_listens)


async def test_where_no_record_is_none_is_made(url: str, path: Path, other_url: str) -> None:
    with pytest.raises(RecordError, match="cannot be opened"):
        await copy(url, other_url, nobody_listens)
    assert list(path.parent.parent.iterdir()) == []
    sqlite3.connect(path.parent.parent / "other.db").close()
    with pytest.raises(RecordError, match="There is no record at"):
        await copy(other_url, url, nobody_listens)


async def test_an_older_record_is_not_changed(url: str, path: Path, other_url: str) -> None:
    await (await Record.open(url)).close()
    run_sql(path, "UPDATE alembic_version SET version_num = '0002'")
    with pytest.raises(RecordError, match=r"has schema 0002, not .*; start this program with it once"):
        await copy(url, other_url, nobody_listens)

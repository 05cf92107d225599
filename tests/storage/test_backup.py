"""A record in one file, taken while it is written to, and put back: as a whole or not at all."""

import asyncio
import os
import sqlite3
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from core.errors import RecordError
from core.messages import PersonKey
from storage.backup import backup, restore
from storage.dialect import sqlite_file
from storage.record import Record
from storage.schema import metadata
from tests.postgres_server import PostgresServer
from tests.storage.case_samples import offend
from tests.storage.samples import (
    JUN,
    MINA,
    NOON,
    content,
    files_of_at_most,
    first_value,
    item,
    last_summary,
    learn,
    message,
    replace_content,
    run_sql,
)
from tests.storage.test_copy import content_of, fill
from tests.storage.test_record_schema import ROWS_OF_THE_FIRST_VERSION, to_first_version

pytestmark = pytest.mark.asyncio

# says when the copy is complete, and then waits to be killed
INTERRUPTED = """
import asyncio, sys
from pathlib import Path
from storage import backup

def wait(*_):
    print("ready", flush=True)
    sys.stdin.read()

backup._put = wait
asyncio.run(backup.{what})
"""


def access(path: Path) -> int:
    return path.stat().st_mode & 0o777


def spoil(file: Path, how: str) -> None:
    sound = content(file)
    match how:
        case "nothing":
            file.unlink()
        case "text":
            file.write_text("hello " * 1000)
        case "empty":
            file.write_bytes(b"")
        case "other":
            file.unlink()
            run_sql(file, "CREATE TABLE recipes (name TEXT)")
        case "truncated":
            replace_content(file, sound[: len(sound) // 2])
        case "overwritten":
            replace_content(file, sound[: len(sound) // 2] + b"\xff" * 4096 + sound[len(sound) // 2 + 4096 :])
        case "newer":
            run_sql(file, "UPDATE alembic_version SET version_num = '9999'")
        case "orphan":
            run_sql(file, "DELETE FROM inbox WHERE message_id = 'm3'")


def content_if_any(file: Path) -> bytes | None:
    return content(file) if file.exists() else None


def killed_when_ready(script: str) -> None:
    process = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    said = process.stdout.readline()
    process.kill()
    process.communicate()
    assert said == b"ready\n"


def url_of(path: Path) -> str:
    return f"sqlite+aiosqlite:///{quote(str(path))}"


@pytest.fixture(params=["sqlite", "postgres"])
def source(request: pytest.FixtureRequest, url: str) -> str:
    return url if request.param == "sqlite" else request.getfixturevalue("postgres_url")


@pytest.fixture(params=["sqlite", "postgres"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of another record, which is empty."""
    if request.param == "sqlite":
        return url_of(tmp_path / "elsewhere" / "record.db")
    server: PostgresServer = request.getfixturevalue("server")
    return server.url(request.getfixturevalue("empty_database"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "kept" / "여기 #1.db"


@pytest.fixture(autouse=True)
def _folders(file: Path, tmp_path: Path) -> Iterator[None]:
    """Nothing is left in them but what was asked for."""
    file.parent.mkdir()
    yield
    assert not list(tmp_path.rglob("*.part"))


async def everybody(url: str) -> list[str]:
    """The ids of all messages that wait."""
    async with await Record.open(url) as record:
        return [waiting.message_id for waiting in await record.turns.unanswered()]


async def receive(url: str, *numbers: int) -> None:
    async with await Record.open(url) as record:
        for number in numbers:
            await record.turns.receive(message(number))


async def test_what_was_there_comes_back_with_ids_that_were_never_used(source: str, target: str, file: Path) -> None:
    await fill(source)
    before = await content_of(source)
    rows = await backup(source, file)
    assert await content_of(url_of(file)) == before
    assert dict(rows) | {"notes": 1} == {table: len(found) for table, found in before.items()}
    assert (access(file), os.listdir(file.parent)) == (0o600, [file.name])
    assert (await restore(file, target)).kept is None
    assert await content_of(target) == before
    ids = []
    for url in (source, target):
        async with await Record.open(url) as record:
            (case,) = await offend(record, 20)
            learned = await learn(record, 21, item(value="new"))
            ids.append((case.number, case.turn, learned, await record.buttons.make(MINA, [("x", "")], NOON)))
    assert ids[0] == ids[1]


async def test_a_backup_can_be_read_where_nobody_may_write(source: str, file: Path) -> None:
    await fill(source)
    await backup(source, file)
    assert content(file)[18:20] == b"\1\1"  # no log beside it


async def test_a_backup_of_a_busy_record_is_of_one_moment(source: str, file: Path) -> None:
    """Several people talk all the time: of each there is everything up to some turn, and nothing of the next."""
    people = [PersonKey("console", f"p{number}") for number in range(4)]
    turned = asyncio.Event()

    async def talk(record: Record, person: PersonKey, offset: int) -> None:
        for number in range(offset, offset + 10_000):
            await learn(record, number, item(value=str(number)), person)
            turned.set()

    async with await Record.open(source) as record:
        talking = [asyncio.create_task(talk(record, one, n * 10_000)) for n, one in enumerate(people)]
        for round_ in range(4):
            turned.clear()
            await turned.wait()
            await backup(source, file.with_name(f"{round_}.db"))
        for task in talking:
            task.cancel()
        await asyncio.gather(*talking, return_exceptions=True)
    sizes = []
    for round_ in range(4):
        found = await content_of(url_of(file.with_name(f"{round_}.db")))
        of_person: dict[str, list[int]] = defaultdict(list)
        for row in found["inbox"]:
            of_person[row["user_id"]].append(int(row["message_id"][1:]) % 10_000)
        assert all(numbers == list(range(len(numbers))) for numbers in of_person.values())
        steps = [len(found[table]) for table in ("inbox", "turns", "memories")]
        assert steps == sorted(steps, reverse=True)
        assert steps[0] - steps[-1] <= len(people)
        sizes.append(steps[0])
    assert sizes == sorted(sizes)
    assert sizes[0]


async def test_what_was_forgotten_is_in_no_later_backup(source: str, file: Path) -> None:
    canaries = [f"canary-{number}-".encode() for number in range(20)]
    async with await Record.open(source) as record:
        for number, canary in enumerate(canaries):
            await learn(record, number, item(value=canary.decode() + "x" * 300))
        await learn(record, 90, item(value="kept"), JUN)
        await backup(source, file)
        assert all(canary in content(file) for canary in canaries)
        for known in await record.memories.items(MINA):
            await record.memories.forget(MINA, known.item_id)
        await learn(record, 91, item(value="last"))
        await backup(source, file, force=True)
    assert not [canary for canary in canaries if b'"' + canary in content(file) or canary + b"x" in content(file)]
    assert b"kept" in content(file)


async def test_a_file_that_is_there_goes_only_when_that_was_asked_for(url: str, path: Path, file: Path) -> None:
    await receive(url, 1)
    replace_content(file, b"mine")
    with pytest.raises(RecordError, match="is there already; name another one, or use --force"):
        await backup(url, file)
    assert content(file) == b"mine"
    await backup(url, file, force=True)
    assert await everybody(url_of(file)) == ["m1"]
    for never in (file.parent, path):
        with pytest.raises(RecordError, match=r"is there already; name another one\."):
            await backup(url, never, force=True)
    assert await everybody(url) == ["m1"]


@pytest.mark.parametrize("wrong", ["nothing", "text", "empty", "other", "truncated", "overwritten", "newer", "orphan"])
async def test_what_is_no_whole_record_changes_nothing(wrong: str, target: str, url: str, file: Path) -> None:
    await receive(target, 1)
    async with await Record.open(url) as record:
        for number in range(40):
            await learn(record, number, item(value=f"{number}" * 500))
    await backup(url, file)
    spoil(file, wrong)
    there = content_if_any(file)
    with pytest.raises(RecordError, match=r"여기 #1\.db"):
        await restore(file, target, force=True)
    assert await everybody(target) == ["m1"]
    assert content_if_any(file) == there


async def test_a_backup_of_an_older_version_is_migrated(target: str, file: Path) -> None:
    to_first_version(file)
    run_sql(file, *ROWS_OF_THE_FIRST_VERSION)
    before = content(file)
    await restore(file, target)
    assert content(file) == before
    async with await Record.open(target) as record:
        assert [one.value for one in await record.memories.items(MINA)] == ["에스파"]
        assert await last_summary(record) is not None
    assert await everybody(target) == ["m1"]


async def test_a_record_that_is_not_empty_goes_only_when_that_was_asked_for(
    source: str, target: str, file: Path
) -> None:
    await receive(source, 1, 2)
    await backup(source, file)
    await receive(target, 7, 8, 9)
    with pytest.raises(RecordError, match="is not empty; with --force the backup takes its place"):
        await restore(file, target)
    assert await everybody(target) == ["m7", "m8", "m9"]
    restored = await restore(file, target, force=True)
    assert restored.rows["inbox"] == 2
    assert await everybody(target) == ["m1", "m2"]
    assert (restored.kept is None) == target.startswith("postgresql")
    if restored.kept:
        assert restored.kept.name.startswith("record.db.before-restore-2")
        assert await everybody(url_of(restored.kept)) == ["m7", "m8", "m9"]


async def test_ids_of_the_record_before_do_not_come_back(target: str, url: str, file: Path) -> None:
    await receive(url, 1)
    await backup(url, file)
    async with await Record.open(target) as record:
        await record.notes.write("offset", "7")  # nobody misses that
    await restore(file, target)
    async with await Record.open(target) as record:
        known = await learn(record, 30, item())
        (case,) = await offend(record, 31)
    await restore(file, target, force=True)
    async with await Record.open(target) as record:
        assert await learn(record, 32, item()) > known
        assert (await offend(record, 33))[0].number > case.number


async def test_it_is_another_record_afterwards(target: str, file: Path) -> None:
    async with await Record.open(target) as record:
        before = record.incarnation
    await backup(target, file)
    seen = {before}
    for _ in range(2):
        await restore(file, target, force=True)
        async with await Record.open(target) as record:
            seen.add(record.incarnation)
    assert len(seen) == 3


async def test_a_record_that_is_in_use_is_left_alone(target: str, url: str, file: Path) -> None:
    await receive(url, 1)
    await backup(url, file)
    async with await Record.open(target) as record:
        await record.turns.receive(message(7))
        with pytest.raises(RecordError, match=r"is in use; stop the service first\. Nothing was changed\."):
            await restore(file, target, force=True)
        await record.turns.receive(message(8))
    assert await everybody(target) == ["m7", "m8"]


@pytest.mark.parametrize("damage", ["header", "pages"])
async def test_a_damaged_record_is_replaced_and_kept(
    damage: str, url: str, path: Path, file: Path, tmp_path: Path
) -> None:
    other = url_of(tmp_path / "elsewhere" / "other.db")
    await receive(other, 1)
    await backup(other, file)
    await receive(url, 7)
    damaged = b"\xff" * 100 + content(path)[100:] if damage == "header" else content(path)[:4096] + b"\xff" * 40960
    replace_content(path, damaged)
    for left in sqlite_file.beside(path):
        left.write_bytes(b"left by whoever damaged it")
    with pytest.raises(RecordError):
        await restore(file, url)
    restored = await restore(file, url, force=True)
    assert await everybody(url) == ["m1"]
    assert restored.kept is not None
    assert content(restored.kept)[4096:] == damaged[4096:]
    assert sorted(os.listdir(path.parent)) == sorted([path.name, restored.kept.name])


async def test_a_restore_that_fails_leaves_the_record_and_can_be_repeated(target: str, url: str, file: Path) -> None:
    await fill(url)
    await backup(url, file)
    await receive(target, 7)
    last = metadata.sorted_tables[-1].name

    def fail(_c: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith((f"INSERT INTO {last} ", "DELETE FROM sqlite_sequence")):
            raise OSError(28, "No space left on device")

    event.listen(Engine, "before_cursor_execute", fail)
    try:
        with pytest.raises(RecordError, match="No space left"):
            await restore(file, target, force=True)
    finally:
        event.remove(Engine, "before_cursor_execute", fail)
    assert await everybody(target) == ["m7"]
    await restore(file, target, force=True)
    assert await content_of(target) == await content_of(url)


async def test_a_full_disk_leaves_what_was_there(source: str, file: Path) -> None:
    async with await Record.open(source) as record:
        await record.turns.receive(message(1))
        await backup(source, file)
        before = content(file)
        for number in range(100, 160):
            await learn(record, number, item(value=f"{number}" * 1000))
        with files_of_at_most(100_000), pytest.raises(RecordError, match="disk"):
            await backup(source, file, force=True)
        assert content(file) == before
        await backup(source, file, force=True)
    assert content(file) > before


@pytest.mark.parametrize(
    "what", ["backup({url!r}, Path({file!r}), force=True)", "restore(Path({file!r}), {url!r}, force=True)"]
)
async def test_a_kill_in_the_middle_leaves_what_was_there(what: str, url: str, path: Path, file: Path) -> None:
    await receive(url, 1)
    await backup(url, file)
    await receive(url, 2)
    before = content(file)
    killed_when_ready(INTERRUPTED.format(what=what.format(url=url, file=str(file))))
    assert content(file) == before
    assert await everybody(url) == ["m1", "m2"]
    await backup(url, file, force=True)  # the folder of the one that died goes
    await restore(file, url, force=True)
    assert await everybody(url) == ["m1", "m2"]
    assert len(os.listdir(path.parent)) == 2  # the record, and the one before


async def test_whoever_is_cancelled_does_not_wait_for_the_end(path: Path, url: str) -> None:
    await receive(url, 1)
    begun = threading.Event()

    def forever(connection: sqlite3.Connection) -> None:
        begun.set()
        connection.execute("WITH RECURSIVE n(x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM n) SELECT sum(x) FROM n")

    task = asyncio.create_task(sqlite_file.carry_out(path, "ro", forever))
    await asyncio.to_thread(begun.wait)
    await asyncio.to_thread(os.sched_yield)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert task.cancelled()


async def test_two_backups_at_once_to_different_files_both_arrive(url: str, file: Path) -> None:
    await receive(url, 1)
    files = [file.with_name(f"{number}.db") for number in range(2)]
    await asyncio.gather(*(backup(url, one) for one in files))
    assert [first_value(one, "SELECT count(*) FROM inbox") for one in files] == [1, 1]

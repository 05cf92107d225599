"""What waits together is one transaction of the server; nobody notices anything but the time it saves."""

import asyncio
import time
import traceback
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.util import await_only

from core.errors import RecordError
from storage.database import Database
from storage.dialect.postgresql import AT_ONCE
from tests.postgres_server import PostgresServer, postgres_server
from tests.storage.commits import commits
from tests.storage.conftest import LOCK_WAIT

pytestmark = pytest.mark.asyncio

# nobody but a trap stops one of these
HOWEVER_LONG = 60.0
TABLE = "CREATE TABLE said (id BIGSERIAL PRIMARY KEY, number INT UNIQUE)"
OUR_CONNECTIONS = "FROM pg_stat_activity WHERE application_name = 'ohlora'"

# a traceback quotes the lines of this file, too
SECRET = "내 비밀"

Write = Callable[[Connection], int]


def say(number: int, connection: Connection) -> int:
    """What a caller asks for here; it gets the number back."""
    connection.execute(text("INSERT INTO said (number) VALUES (:number)"), {"number": number})
    return number


def all_of(numbers: range) -> list[Write]:
    return [partial(say, number) for number in numbers]


async def ask(database: Database, works: list[Write]) -> list[int | BaseException]:
    """Everybody at once; what became of each."""
    return await asyncio.gather(*map(database.write, works), return_exceptions=True)


def said(server: PostgresServer, name: str) -> list[int]:
    """In the order in which it was written."""
    return [int(number) for number in server.sql("SELECT number FROM said ORDER BY id", name).split()]


@pytest.fixture
def place(server: PostgresServer, empty_database: str) -> str:
    """The name of a database with the table."""
    server.sql(TABLE, empty_database)
    return empty_database


@pytest.fixture
def own_server(server: PostgresServer) -> Iterator[PostgresServer]:
    """A server that a test may kill; `server` says whether there can be one."""
    with postgres_server() as running:
        running.sql(TABLE)
        yield running


@asynccontextmanager
async def opened(url: str, patience_s: float = LOCK_WAIT) -> AsyncIterator[Database]:
    database = await Database.open(url, patience_s)
    try:
        yield database
    finally:
        await database.close()


async def test_a_process_writes_in_the_order_in_which_it_was_asked(server: PostgresServer, place: str) -> None:
    async with opened(server.url(place)) as database:
        with commits() as seen:
            assert await ask(database, all_of(range(10 * AT_ONCE))) == list(range(10 * AT_ONCE))
    assert said(server, place) == list(range(10 * AT_ONCE))
    assert len(seen) == 10


async def test_what_is_asked_later_is_written_later_however_long_the_first_takes(
    server: PostgresServer, place: str
) -> None:
    begun = asyncio.Event()

    def slowly(connection: Connection) -> int:
        begun.set()
        connection.execute(text("SELECT pg_sleep(0.3)"))
        return say(1, connection)

    async with opened(server.url(place)) as database:
        first = asyncio.create_task(database.write(slowly))
        await begun.wait()
        await database.write(partial(say, 2))
        await first
    assert said(server, place) == [1, 2]


async def test_an_error_does_not_quote_the_row_that_the_server_refused(server: PostgresServer, place: str) -> None:
    server.sql("CREATE TABLE kept (words TEXT, needed INT NOT NULL)", place)

    def refused(connection: Connection) -> None:
        connection.execute(text("INSERT INTO kept VALUES (:words, NULL)"), {"words": SECRET})

    async with opened(server.url(place)) as database:
        with pytest.raises(RecordError) as raised:
            await database.write(refused)
    assert "NotNullViolation" in str(raised.value)
    assert SECRET not in "".join(traceback.format_exception(raised.value))


@pytest.mark.parametrize("bad", [0, 7, AT_ONCE - 1, AT_ONCE])
@pytest.mark.parametrize("cause", ["its own", "the server's"])
async def test_one_that_fails_hurts_nobody_else(server: PostgresServer, place: str, bad: int, cause: str) -> None:
    def fail(connection: Connection) -> int:
        say(1000, connection)
        if cause == "its own":
            raise RecordError("no")
        return say(1000, connection)

    works = all_of(range(30))
    works[bad] = fail
    async with opened(server.url(place)) as database:
        outcomes = await ask(database, works)
    assert isinstance(outcomes.pop(bad), RecordError)
    assert outcomes == said(server, place) == [number for number in range(30) if number != bad]


async def test_one_that_needs_a_locked_row_hurts_nobody_else(server: PostgresServer, place: str) -> None:
    server.sql("INSERT INTO said (id, number) VALUES (0, -1)", place)
    url = server.url(place)
    engine = create_async_engine(url)
    async with opened(url) as database, engine.connect() as other:
        await other.execute(text("DELETE FROM said"))
        works = all_of(range(10))
        works[3] = partial(say, -1)
        outcomes = await ask(database, works)
    await engine.dispose()
    assert "is locked by another program" in str(outcomes.pop(3))
    assert outcomes == [number for number in range(10) if number != 3]


async def test_a_lock_is_waited_for_once(server: PostgresServer, place: str) -> None:
    url = server.url(place)
    engine = create_async_engine(url)
    async with opened(url, patience_s=1.0) as database, engine.connect() as other:
        await other.execute(text("LOCK TABLE said"))
        start = time.monotonic()
        outcomes = await ask(database, all_of(range(10)))
        waited = time.monotonic() - start
    await engine.dispose()
    assert all("is locked by another program" in str(outcome) for outcome in outcomes)
    assert waited < 3.0


async def test_a_server_that_is_away_is_waited_for_once() -> None:
    async with opened("postgresql+asyncpg://mina@127.0.0.1:1/ohlora", patience_s=1.0) as database:
        start = time.monotonic()
        outcomes = await ask(database, all_of(range(10 * AT_ONCE)))
        waited = time.monotonic() - start
    assert all("cannot be reached" in str(outcome) for outcome in outcomes)
    assert waited < 3.0


async def test_a_broken_connection_is_opened_again(server: PostgresServer, place: str) -> None:
    async with opened(server.url(place)) as database:
        for number in range(3):
            assert await database.write(partial(say, number)) == number
            assert await database.read(lambda connection: connection.scalar(text("SELECT count(*) FROM said"))) > number
            server.sql(f"SELECT pg_terminate_backend(pid) {OUR_CONNECTIONS} AND datname = '{place}'")
    assert said(server, place) == [0, 1, 2]


async def test_a_connection_that_breaks_in_the_middle_of_a_batch_costs_nothing(
    server: PostgresServer, place: str
) -> None:
    traps = [1, 2, 3]

    def break_it(connection: Connection) -> int:
        if traps:
            traps.pop()
            connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        return say(7, connection)

    works = all_of(range(30))
    works[7] = break_it
    async with opened(server.url(place), HOWEVER_LONG) as database:
        assert await ask(database, works) == list(range(30))
    assert said(server, place) == list(range(30))


@pytest.mark.parametrize("comes_back", [True, False])
async def test_of_a_batch_that_a_kill_of_the_server_interrupted_nobody_is_told_wrongly(
    own_server: PostgresServer, comes_back: bool
) -> None:
    killed: list[int] = []

    def kill(connection: Connection) -> int:
        if not killed:
            own_server.stop()
            killed.append(7)
            if comes_back:
                own_server.start()
        return say(7, connection)

    works = all_of(range(30))
    works[7] = kill
    async with opened(own_server.url(), HOWEVER_LONG if comes_back else LOCK_WAIT) as database:
        outcomes = await ask(database, works)
        if not comes_back:
            own_server.start()
        assert await database.write(partial(say, 100)) == 100
    assert killed
    assert said(own_server, "postgres") == ([*range(30), 100] if comes_back else [100])
    if comes_back:
        assert outcomes == list(range(30))
    else:
        assert all("cannot be reached" in str(outcome) for outcome in outcomes)


class Between:
    """Stands between a program and the server; the first COMMIT breaks the connection, `after` it arrived or before."""

    def __init__(self, server: PostgresServer, after: bool) -> None:
        self._server = server
        self._after = after
        self._accepted: list[asyncio.Task[object] | None] = []
        self.broken = False

    @asynccontextmanager
    async def listening(self, folder: Path) -> AsyncIterator[str]:
        """A URL to connect to."""
        listener = await asyncio.start_unix_server(self._accept, folder / ".s.PGSQL.5432")
        async with listener:
            yield self._server.url().replace(str(self._server.folder), str(folder))
        await asyncio.gather(*filter(None, self._accepted))

    async def _accept(self, reader: StreamReader, writer: StreamWriter) -> None:
        self._accepted.append(asyncio.current_task())
        answers, questions = await asyncio.open_unix_connection(str(self._server.folder / ".s.PGSQL.5432"))
        hush = asyncio.Event()
        back = asyncio.create_task(_give_back(answers, writer, hush))
        while asked := await reader.read(1 << 16):
            if b"COMMIT;" in asked and not self.broken:
                self.broken = True
                hush.set()
                if self._after:
                    questions.write(asked)
                    await back
                break
            questions.write(asked)
        questions.close()
        await asyncio.gather(back, questions.wait_closed(), writer.wait_closed(), return_exceptions=True)


async def _give_back(answers: StreamReader, writer: StreamWriter, hush: asyncio.Event) -> None:
    while (answered := await answers.read(1 << 16)) and not hush.is_set():
        writer.write(answered)
    writer.close()


@pytest.mark.parametrize("after", [True, False])
async def test_a_commit_without_an_answer_is_told_to_everybody_and_not_repeated(
    own_server: PostgresServer, tmp_path: Path, after: bool
) -> None:
    own_server.sql("ALTER TABLE said DROP CONSTRAINT said_number_key")  # it would stop a repetition
    between = Between(own_server, after)
    async with between.listening(tmp_path) as url, opened(url, HOWEVER_LONG) as database:
        outcomes = await ask(database, all_of(range(AT_ONCE)))
        assert between.broken
        assert all(isinstance(outcome, RecordError) for outcome in outcomes)
        assert await database.write(partial(say, 100)) == 100
    assert said(own_server, "postgres") == [*range(AT_ONCE if after else 0), 100]


async def test_who_leaves_tears_nothing_and_closing_waits(server: PostgresServer, place: str) -> None:
    async with opened(server.url(place)) as database:
        asking = [asyncio.create_task(database.write(work)) for work in all_of(range(30))]
        await database.write(partial(say, 100))
        for number in range(30, 60):
            asking.append(asyncio.create_task(database.write(partial(say, number))))
        await asyncio.sleep(0)
        for task in asking:
            task.cancel()
    await asyncio.gather(*asking, return_exceptions=True)
    assert sorted(said(server, place)) == [*range(60), 100]


async def test_a_connection_that_lost_track_of_itself_is_replaced(server: PostgresServer, place: str) -> None:
    disturbing: list[asyncio.Task[str]] = []

    def disturbed_once(connection: Connection) -> int:
        if not disturbing:
            driver = connection.connection.driver_connection
            disturbing.append(asyncio.ensure_future(driver.execute("SELECT pg_sleep(60)")))
            await_only(asyncio.sleep(0.1))  # until it has begun
        return say(1, connection)

    async with opened(server.url(place), HOWEVER_LONG) as database:
        assert await database.write(disturbed_once) == 1
        await asyncio.gather(*disturbing, return_exceptions=True)
    assert said(server, place) == [1]

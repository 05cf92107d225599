"""Several processes write to one record at once: nobody's work is lost, whatever database it is."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process

import pytest

from core.cases import State
from core.people import PlaceSettings
from storage.record import Record
from tests.postgres_server import PostgresServer
from tests.storage.case_samples import GUILD, offend
from tests.storage.samples import HOME, MINA, begin

pytestmark = pytest.mark.asyncio

# what a process does between "ready" and its end; `mine`: 0 or 1
SCRIPT = """
import asyncio, sys
from core.memory import MemoryChange
from core.people import PlaceSettings
from core.moderation import Refused
from core.ports import Delivery
from storage.record import Record
from tests.storage.case_samples import GUILD, judge
from tests.storage.samples import HOME, MINA, item, message, summary, turn

def one_more(items):
    last = max((int(known.value) for known in items), default=0)
    return MemoryChange(tuple(known.item_id for known in items), item(value=str(last + 1)))

async def main(url, mine, job, *numbers):
    async with await Record.open(url, lock_wait=60) as record:
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        for number in numbers:  # not in one transaction: a second attempt would find what a lock should have kept away
            await JOBS[job](record, mine, int(number))

async def remember(record, mine, turn_id):
    if turn_id % 2 == mine:
        await record.turns.remember(turn_id, one_more, summary(str(turn_id)))

async def same(record, mine, number):
    if await record.turns.receive(message(number)):
        print("received", flush=True)
    print("turn", await record.turns.commit(turn(message(number))), flush=True)

async def decide(record, mine, number):
    try:
        await judge(record, number)
        print("decided", flush=True)
    except Refused:
        print("refused", flush=True)

async def tell_or_decide(record, mine, number):
    if mine:
        (case,) = await record.cases.of_turn(number)
        await judge(record, case.number)
    else:
        await record.turns.end(number, Delivery.DELIVERED)

async def nothing(record, mine, number):
    pass

JOBS = {job.__name__: job for job in (remember, same, decide, tell_or_decide, nothing)}
asyncio.run(main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:]))
"""


@pytest.fixture(params=["sqlite", "postgres"])
def shared(request: pytest.FixtureRequest) -> str:
    name = {"sqlite": "url", "postgres": "postgres_url"}[request.param]
    return str(request.getfixturevalue(name))


async def start(url: str, mine: int, job: str, numbers: list[int]) -> Process:
    """A process that is about to begin."""
    command = (sys.executable, "-c", SCRIPT, url, str(mine), job, *map(str, numbers))
    return await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)


async def two_processes(url: str, job: str, numbers: list[int]) -> list[str]:
    """Both begin at once; everything they print."""
    both = [await start(url, mine, job, numbers) for mine in (0, 1)]
    for process in both:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
    printed = await asyncio.gather(*(process.communicate(b"go\n") for process in both))
    assert [process.returncode for process in both] == [0, 0]
    return [line for out, _ in printed for line in out.decode().splitlines()]


async def test_every_turn_counts_on_from_the_memories_as_they_are(shared: str) -> None:
    async with await Record.open(shared) as record:
        turns = [await begin(record, number) for number in range(40)]
        await two_processes(shared, "remember", turns)
        assert [known.value for known in await record.memories.items(MINA)] == ["40"]
        kept = (await record.turns.past(MINA, HOME)).summary
        assert kept is not None
        assert kept.text == str(turns[-1])


async def test_a_message_that_both_get_is_received_once_and_has_one_turn(shared: str) -> None:
    printed = await two_processes(shared, "same", list(range(20)))
    turns = [line for line in printed if line.startswith("turn")]
    assert printed.count("received") == len(set(turns)) == 20
    assert len(turns) == 40


async def test_of_two_decisions_the_second_is_refused(shared: str) -> None:
    async with await Record.open(shared) as record:
        cases = [(await offend(record, number))[0].number for number in range(50)]
    printed = await two_processes(shared, "decide", cases)
    assert (printed.count("decided"), printed.count("refused")) == (50, 50)


async def test_a_decision_and_a_delivery_do_not_overwrite_each_other(shared: str) -> None:
    async with await Record.open(shared) as record:
        turns = [(await offend(record, number))[0].turn for number in range(50)]
        await two_processes(shared, "tell_or_decide", [turn for turn in turns if turn is not None])
        for case in await record.cases.of(MINA):
            assert case.state is State.UPHELD
            assert sorted(event.kind for event in case.events) == ["issued", "noticed", "upheld"]


async def test_a_new_database_is_migrated_once(server: PostgresServer, empty_database: str) -> None:
    url = server.url(empty_database)
    await two_processes(url, "nothing", [])
    async with await Record.open(url) as record:
        await record.places.change(GUILD, PlaceSettings(name_call=False))

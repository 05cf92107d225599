"""Hot state that processes share through a real Redis, and what happens when it is away."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
import pytest_asyncio
from redis import Redis

from core.errors import DispatchError
from core.messages import PersonKey
from storage.hot import MakeHotState
from storage.known import Known
from storage.record import Record
from storage.redis import MOST_ENTRIES, RedisState
from storage.redis_link import ALONE_S
from tests.redis_server import RedisServer
from tests.storage.case_samples import LOUNGE
from tests.storage.hot_contract import CountersContract, KnownContract, LeasesContract, known, learned, plain, values
from tests.storage.past_contract import PastContract, fill, past
from tests.storage.samples import HOME, MINA, item, learn

pytestmark = pytest.mark.asyncio

MINUTE = timedelta(minutes=1)
CANARY = "카나리아"


class Elsewhere(RedisState):
    """What is recalled is what another process would find."""

    def __init__(self, url: str, incarnation: str) -> None:
        super().__init__(url, incarnation)
        self._another = partial(RedisState, url, incarnation)

    async def recall(self, person: PersonKey) -> Known | None:
        """By somebody who knows nothing yet."""
        other = self._another()
        try:
            return await other.recall(person)
        finally:
            await other.close()


@pytest_asyncio.fixture(params=[RedisState, Elsewhere])
async def hot(request: pytest.FixtureRequest, redis: RedisServer) -> AsyncIterator[RedisState]:
    opened: RedisState = request.param(redis.url, "incarnation")
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def elsewhere(redis: RedisServer) -> AsyncIterator[Elsewhere]:
    opened = Elsewhere(redis.url, "incarnation")
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def here(redis: RedisServer) -> AsyncIterator[RedisState]:
    opened = RedisState(redis.url, "incarnation")
    yield opened
    await opened.close()


@pytest.fixture
def client(redis: RedisServer) -> Iterator[Redis]:
    with Redis.from_url(redis.url, decode_responses=True) as opened:
        yield opened


@pytest.fixture
def make_hot(redis: RedisServer) -> MakeHotState:
    return partial(RedisState, redis.url)


class TestKnownInRedis(KnownContract):
    pass


class TestCountersInRedis(CountersContract):
    pass


class TestLeasesInRedis(LeasesContract):
    pass


class TestPastOverRedis(PastContract):
    pass


def everything(client: Redis) -> str:
    """All that Redis has, readable."""
    return str(
        {key: client.hgetall(key) if client.type(key) == "hash" else client.get(key) for key in client.scan_iter()}
    )


async def use_it_all(hot: RedisState) -> None:
    """A key of each kind."""
    await hot.keep(MINA, known(5))
    await hot.forget(PersonKey("console", "gone"), 5)
    await hot.count("a", MINUTE)
    await hot.acquire("a", 60)


async def test_every_key_is_of_its_record_and_has_a_time_to_live(elsewhere: Elsewhere, client: Redis) -> None:
    await use_it_all(elsewhere)
    await elsewhere.learn(learned(6))
    assert len(client.keys()) == 5
    for key in client.scan_iter():
        assert key.startswith("ohlora:incarnation:")
        assert client.pttl(key) > 0


async def test_records_do_not_mix(elsewhere: Elsewhere, redis: RedisServer) -> None:
    await use_it_all(elsewhere)
    other = Elsewhere(redis.url, "another")
    assert await other.recall(MINA) is None
    assert await other.count("a", MINUTE) == 1
    assert await other.acquire("a", 60) is not None
    await other.close()


async def test_of_what_was_forgotten_no_word_is_left(elsewhere: Elsewhere, client: Redis) -> None:
    await elsewhere.keep(MINA, known(5, CANARY))
    await elsewhere.learn(learned(6, value=CANARY))
    assert ascii(CANARY)[1:-1] in everything(client).replace("\\\\", "\\")
    await elsewhere.forget(MINA, 7)
    assert ascii(CANARY)[1:-1] not in everything(client).replace("\\\\", "\\")


@pytest.mark.parametrize(
    ("field", "value"), [("v", "2"), ("cases", "[[1]]"), ("item:1", '["key"]'), ("item:x", "[]"), ("chat:1", "{")]
)
async def test_what_this_version_cannot_read_is_not_there(
    elsewhere: Elsewhere, client: Redis, field: str, value: str
) -> None:
    await elsewhere.keep(MINA, known(5))
    (key,) = client.keys()
    client.hset(key, field, value)
    assert await elsewhere.recall(MINA) is None
    await elsewhere.keep(MINA, known(6))
    assert plain(await elsewhere.recall(MINA)) == plain(known(6))


async def test_a_person_with_very_much_stays_in_its_process(elsewhere: Elsewhere, client: Redis) -> None:
    many = [replace(item(), item_id=number) for number in range(1, MOST_ENTRIES)]
    await elsewhere.keep(MINA, replace(known(5), items=many))
    assert await elsewhere.recall(MINA) is not None
    await elsewhere.learn(learned(6))
    near = elsewhere.near(MINA)
    assert near is not None
    assert len(near.items) == MOST_ENTRIES
    assert await elsewhere.recall(MINA) is None
    await elsewhere.keep(MINA, replace(known(7), items=[*many, *many]))
    assert await elsewhere.recall(MINA) is None


async def test_what_was_lost_is_there_again_after_the_next_turn(elsewhere: Elsewhere, client: Redis) -> None:
    await elsewhere.keep(MINA, known(5))
    client.flushall()
    assert await elsewhere.recall(MINA) is None
    await elsewhere.learn(learned(6))
    assert await values(elsewhere) == ["1", "2", "새것"]


async def test_tokens_go_on_rising_when_everything_was_lost(elsewhere: Elsewhere, client: Redis) -> None:
    first = await elsewhere.acquire("a", 60)
    client.flushall()
    second = await elsewhere.acquire("a", 60)
    assert first is not None
    assert second is not None
    assert second.token > first.token
    assert not await elsewhere.renew(first, 60)


async def test_a_connection_that_was_cut_is_made_anew(elsewhere: Elsewhere, client: Redis) -> None:
    for number in range(1, 6):
        assert await elsewhere.count("a", MINUTE) == number
        client.client_kill_filter(_type="normal", skipme=True)
        await elsewhere.keep(MINA, known(number))
        client.client_kill_filter(_type="normal", skipme=True)
    assert plain(await elsewhere.recall(MINA)) == plain(known(5))


@pytest.mark.parametrize("how", ["kill", "pause"])
async def test_while_redis_is_away_nothing_fails_and_nobody_waits(
    here: RedisState, redis: RedisServer, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "storage.redis_link")
    await use_it_all(here)
    getattr(redis, how)()
    began = time.monotonic()
    for number in range(1, 4):
        await here.keep(MINA, known(10 + number))
        await here.learn(learned(11 + number))
        await here.forget(MINA, 5)
        assert await here.count("b", MINUTE) == number
        assert await here.recall(PersonKey("console", "never met")) is None
        with pytest.raises(DispatchError, match="Redis"):
            await here.acquire("b", 60)
    near = here.near(MINA)
    assert near is not None
    assert near.revision == 14
    assert time.monotonic() - began < 5  # of eighteen, each would wait half a second
    assert [line.levelname for line in caplog.records] == ["WARNING"]

    redis.resume()
    redis.start()
    await asyncio.sleep(ALONE_S)
    assert await here.acquire("b", 60) is not None
    await here.keep(MINA, known(20))
    assert await here.recall(PersonKey("console", "never met")) is None
    assert [line.getMessage() for line in caplog.records][1:] == ["Redis is back"]


async def test_a_turn_works_while_redis_is_away(redis: RedisServer, record: Record) -> None:
    await fill(record)
    redis.kill()
    await learn(record, 50, item(value="새것"), chat=LOUNGE)
    assert [known.value for known in (await past(record)).items].count("새것") == 1


async def test_what_one_process_learned_another_finds_without_reading_it(
    redis: RedisServer, record: Record, url: str, make_hot: MakeHotState
) -> None:
    await learn(record, 1, item())
    await past(record)
    await learn(record, 2, item(value="새것"))
    async with await Record.open(url, hot=make_hot) as other:
        shared = await other.hot.recall(MINA)
        assert shared is not None
        assert [one.value for one in (await other.turns.past(MINA, HOME)).items] == ["에스파", "새것"]
        assert (await other.turns.past(MINA, HOME)).items is shared.items

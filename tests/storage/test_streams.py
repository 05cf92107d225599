"""The queue between gateways and workers, over a real Redis."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from redis import Redis

from core.errors import DispatchError
from core.messages import MessageKey
from storage.errands import Delivered, Errand, Failure, Reference
from storage.streams import Streams
from tests.redis_server import RedisServer

NOW = 0.001
SOON = 5.0


def errand(number: int, partition: int = 0) -> Errand:
    return Errand(partition, MessageKey("paper", "home", f"m{number}"))


def errands(delivered: list[Delivered]) -> list[Errand]:
    return [one.errand for one in delivered]


async def send(streams: Streams, errands: list[Errand]) -> None:
    assert await streams.send(errands, await streams.epoch())


@pytest_asyncio.fixture
async def streams(redis: RedisServer) -> AsyncIterator[Streams]:
    async with Streams(redis.url, 4, "record") as opened:
        yield opened


@pytest_asyncio.fixture
async def other(redis: RedisServer) -> AsyncIterator[Streams]:
    """Those of another process."""
    async with Streams(redis.url, 4, "record") as opened:
        yield opened


class TestErrands:
    async def test_they_are_taken_once_in_the_order_of_sending(self, streams: Streams) -> None:
        sent = [errand(number) for number in range(20)]
        await streams.take([0], 1, NOW)
        await send(streams, sent[:10])
        await send(streams, sent[10:])
        first = await streams.take([0], 15, NOW)
        assert errands(first + await streams.take([0], 15, NOW)) == sent
        assert await streams.take([0], 15, NOW) == []

    async def test_those_sent_before_any_worker_was_there_are_taken_too(self, streams: Streams) -> None:
        await send(streams, [errand(1)])
        await streams.take([0], 5, NOW)  # there was no group
        assert errands(await streams.take([0], 5, NOW)) == [errand(1)]

    async def test_whoever_waits_for_one_gets_it_at_once(self, streams: Streams, other: Streams) -> None:
        await streams.take([0, 1], 5, NOW)
        waiting = asyncio.create_task(streams.take([0, 1], 5, SOON))
        await send(other, [errand(1, partition=1)])
        async with asyncio.timeout(SOON / 2):
            assert errands(await waiting) == [errand(1, partition=1)]

    async def test_a_worker_takes_those_of_its_partitions_only(self, streams: Streams) -> None:
        await send(streams, [errand(1, partition=1), errand(2, partition=2)])
        await streams.take([2], 5, NOW)
        assert errands(await streams.take([2], 5, NOW)) == [errand(2, partition=2)]

    async def test_what_a_worker_left_is_pending_with_how_often_it_was_taken(
        self, streams: Streams, other: Streams
    ) -> None:
        await streams.take([0], 5, NOW)
        await send(streams, [errand(1), errand(2), errand(3)])
        one, *_ = await streams.take([0], 2, NOW)
        assert [(left.errand, left.before) for left in await other.pending(0)] == [(errand(1), 1), (errand(2), 1)]
        await other.claim(0, [one])
        assert [left.before for left in await streams.pending(0)] == [2, 1]

    async def test_to_look_at_what_is_pending_counts_for_nothing(self, streams: Streams) -> None:
        await streams.take([0], 5, NOW)
        await send(streams, [errand(1)])
        await streams.take([0], 5, NOW)
        for _ in range(3):
            assert [left.before for left in await streams.pending(0)] == [1]

    async def test_the_backlog_is_what_nobody_finished(self, streams: Streams) -> None:
        await streams.take([0, 3], 5, NOW)
        await send(streams, [errand(1), errand(2), errand(3, partition=3)])
        one, two = await streams.take([0], 5, NOW)
        assert await streams.backlog() == 3
        await streams.finish([(one, None), (two, Reference(two.errand.key))])
        assert await streams.backlog() == 1
        assert await streams.pending(0) == []

    async def test_one_that_a_newer_version_wrote_is_left_to_a_newer_worker(
        self, streams: Streams, redis: RedisServer
    ) -> None:
        await streams.take([0], 5, NOW)
        with Redis.from_url(redis.url) as client:
            client.xadd("ohlora:record:errands:0", {"v2": "what is this"})
        assert await streams.take([0], 5, NOW) == []
        assert await streams.pending(0) == []
        assert await streams.backlog() == 1

    @pytest.mark.parametrize("accident", ["flushed", "restarted"])
    async def test_none_enters_behind_a_loss_that_its_sender_does_not_know_of(
        self, streams: Streams, redis: RedisServer, accident: str
    ) -> None:
        before = await streams.epoch()
        if accident == "flushed":
            with Redis.from_url(redis.url) as client:
                client.flushall()
        else:
            redis.kill()
            with pytest.raises(DispatchError):
                await streams.ping()
            redis.start()
        assert not await streams.send([errand(1)], before)
        assert await streams.backlog() == 0
        assert await streams.send([errand(1)], await streams.epoch())


class TestReferences:
    @pytest.mark.parametrize(
        "reference",
        [
            Reference(errand(1).key, 7, (3, 4)),
            Reference(errand(1).key, 7, None),
            Reference(MessageKey("paper", "\ud800 방", "1"), 7),
            Reference(errand(1).key),
            Reference(errand(1).key, failure=Failure.FAILED),
            Reference(errand(1).key, failure=Failure.OVERLOADED, position=3, wait_s=4.5),
        ],
    )
    async def test_they_arrive_as_they_were_sent_until_they_are_handled(
        self, streams: Streams, reference: Reference
    ) -> None:
        await streams.finish([(Delivered("1-1", errand(1)), reference)])
        entries = await streams.references("paper", NOW)
        assert list(entries.values()) == [reference]
        assert await streams.references("paper", NOW) == entries
        assert await streams.references("paper", NOW, handled=entries) == {}
        assert await streams.references("paper", NOW) == {}

    async def test_each_platform_has_its_own_in_the_order_of_their_ends(self, streams: Streams) -> None:
        told = [Reference(MessageKey(platform, "home", "m"), turn) for turn, platform in enumerate("abab", 1)]
        await streams.finish([(Delivered(f"1-{one.turn_id}", errand(one.turn_id)), one) for one in told])
        assert list((await streams.references("a", NOW)).values()) == [told[0], told[2]]

    async def test_one_that_cannot_be_read_can_be_handled_all_the_same(
        self, streams: Streams, redis: RedisServer
    ) -> None:
        with Redis.from_url(redis.url) as client:
            client.xadd("ohlora:record:references:paper", {"v2": "what is this"})
        entries = await streams.references("paper", NOW)
        assert list(entries.values()) == [None]
        assert await streams.references("paper", NOW, handled=entries) == {}
        assert await streams.references("paper", NOW) == {}


class TestWorkers:
    async def test_those_that_gave_a_sign_lately_are_counted(self, streams: Streams) -> None:
        assert await streams.announce("b", 60) == ["b"]
        assert await streams.announce("a", 60) == ["a", "b"]
        await streams.leave("b")
        assert await streams.announce("a", 60) == ["a"]

    async def test_one_without_a_sign_is_forgotten(self, streams: Streams) -> None:
        await streams.announce("a", 60)
        assert await streams.announce("b", 0.0) == ["b"]


class TestTheEpoch:
    async def test_it_stays_while_nothing_is_lost(self, streams: Streams, other: Streams) -> None:
        assert await streams.epoch() == await other.epoch()

    async def test_it_is_another_one_after_everything_was_flushed(self, streams: Streams, redis: RedisServer) -> None:
        before = await streams.epoch()
        with Redis.from_url(redis.url) as client:
            client.flushall()
        assert await streams.epoch() != before

    async def test_it_is_another_one_after_a_restart(self, streams: Streams, redis: RedisServer) -> None:
        before = await streams.epoch()
        redis.kill()
        with pytest.raises(DispatchError):
            await streams.epoch()
        redis.start()
        assert await streams.epoch() != before


async def test_every_key_has_a_time_to_live(streams: Streams, redis: RedisServer) -> None:
    await streams.epoch()
    await streams.announce("a", 60)
    await send(streams, [errand(1, partition=1)])
    await streams.take([0, 1], 5, NOW)
    await streams.finish([(Delivered("1-1", errand(1)), Reference(errand(1).key, 1))])
    with Redis.from_url(redis.url) as client:
        assert len(names := client.keys()) == 5
        assert all(client.ttl(name) > 0 for name in names)


@pytest.mark.parametrize("down", ["killed", "silent"])
async def test_a_redis_that_is_away_is_a_dispatch_error(streams: Streams, redis: RedisServer, down: str) -> None:
    epoch = await streams.epoch()
    await streams.send([errand(1)], epoch)
    if down == "killed":
        redis.kill()
    else:
        redis.pause()
    with pytest.raises(DispatchError):
        await streams.send([errand(2)], epoch)
    redis.resume()
    redis.start()
    await streams.ping()
    assert await streams.backlog() >= 1

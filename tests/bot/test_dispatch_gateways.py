"""Gateways: one for a platform at a time, and whoever comes next goes on where the last one ended."""

import asyncio
from pathlib import Path

import pytest

from core.errors import DispatchError
from core.tasks import OUTPUT_MESSAGE
from tests.bot.conftest import PaperAdapter, say
from tests.bot.dispatch_town import Gateway, Town, all_is_done
from tests.redis_server import RedisServer

ANSWER = OUTPUT_MESSAGE.name


@pytest.fixture
def town(tmp_path: Path, redis: RedisServer) -> Town:
    return Town(f"sqlite+aiosqlite:///{tmp_path / 'record.db'}", redis)


async def abandon(gateway: Gateway) -> None:
    """As a crash leaves it: nothing of it goes on, and its leases end by themselves."""
    for task in (*gateway.turns._loops, *gateway.app.service._tasks):
        task.cancel()
    await asyncio.gather(*gateway.turns._loops, *gateway.app.service._tasks, return_exceptions=True)
    gateway.turns._rights._rights.clear()


async def test_the_next_gateway_delivers_what_the_last_one_asked_for(town: Town) -> None:
    town.language.gated = {ANSWER}
    first, second = PaperAdapter(), PaperAdapter()
    async with town.worker():
        async with town.gateway(first) as gateway:
            await gateway.hear(say("하나"), say("둘", 2))
            await town.language.arrived.get()
            await abandon(gateway)
        async with town.gateway(second) as gateway:
            town.language.gate.set()
            await asyncio.gather(*gateway.app.service._tasks)
            assert (first.answered, second.answered) == ([], ["m1", "m2"])
            await all_is_done(gateway.record)


async def test_replies_found_while_no_gateway_was_there_are_delivered_by_the_next(town: Town) -> None:
    town.language.gated = {ANSWER}
    paper = PaperAdapter()
    async with town.worker() as worker:
        async with town.gateway(PaperAdapter()) as gateway:
            await gateway.hear(say("하나"))
            await town.language.arrived.get()
            await abandon(gateway)
        town.language.gate.set()
        await asyncio.gather(*worker._bench.tasks)
        async with town.gateway(paper) as gateway:
            await asyncio.gather(*gateway.app.service._tasks)
            assert paper.answered == ["m1"]
            await all_is_done(gateway.record)


async def test_a_second_one_stands_by_until_the_first_is_gone(town: Town) -> None:
    first, second = PaperAdapter(), PaperAdapter()
    logged_in = asyncio.Event()

    async def serve_second() -> None:
        async with town.gateway(second) as gateway:
            logged_in.set()
            await gateway.answer(say("둘", 2))

    async with town.worker():
        async with town.gateway(first) as gateway:
            standing_by = asyncio.create_task(serve_second())
            await gateway.answer(say("하나"))
            assert not logged_in.is_set()
        await standing_by
    assert (first.answered, second.answered) == (["m1"], ["m2"])


async def test_a_gateway_that_another_one_replaced_shows_nothing_and_ends(town: Town) -> None:
    paper = PaperAdapter()
    town.language.gated = {ANSWER}
    async with town.worker(), town.gateway(paper) as gateway:
        watching = asyncio.create_task(gateway.turns.watch(gateway.app.service.look_for_unanswered))
        await gateway.hear(say("안녕"))
        await town.language.arrived.get()
        (right,) = gateway.turns._rights._rights.values()
        await gateway.record.hot.release(right.fence)
        taken = await gateway.record.hot.acquire(right.fence.name, 60)
        assert taken is not None
        assert taken.token > right.fence.token
        right.doubt()  # as after it was stopped for a while
        town.language.gate.set()
        with pytest.raises(DispatchError, match="Another process has gateway:paper"):
            await watching
        assert paper.answered == []
        await abandon(gateway)


async def test_a_message_that_nobody_had_in_mind_is_found_when_the_gateway_looks(
    town: Town, paper: PaperAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.dispatch.gateway._LOOK_S", 0.05)
    async with town.worker(), town.gateway(paper) as gateway:
        await gateway.record.turns.receive(say("여기 있어"))
        watching = asyncio.create_task(gateway.turns.watch(gateway.app.service.look_for_unanswered))
        async with asyncio.timeout(10):
            await paper.posting.wait()
        watching.cancel()
        await asyncio.gather(*gateway.app.service._tasks)
    assert paper.answered == ["m1"]

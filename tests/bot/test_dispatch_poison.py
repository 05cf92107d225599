"""A message that ends whatever process works on it."""

import asyncio
from pathlib import Path

import pytest

from core.messages import PersonKey
from tests.bot.conftest import PaperAdapter, say
from tests.bot.dispatch_town import Town, all_is_done
from tests.redis_server import RedisServer


@pytest.fixture
def town(tmp_path: Path, redis: RedisServer) -> Town:
    return Town(f"sqlite+aiosqlite:///{tmp_path / 'record.db'}", redis)


async def test_what_ends_every_worker_is_set_aside_and_nothing_else_is(town: Town, paper: PaperAdapter) -> None:
    town.set(deliveries=3)
    innocent = [say(f"slow {n}", 10 + n, PersonKey("paper", f"p{n}")) for n in range(4)]
    async with town.gateway(paper) as gateway:
        turns = await gateway.hear(*innocent, say("die"), say("그 다음", 2))
        for _ in range(town.settings.dispatch.deliveries):
            async with town.elsewhere() as worker:
                await worker.process.wait()
        async with town.worker():
            await asyncio.gather(*turns)
            assert paper.notices.count("fault") == 1
            assert sorted(paper.answered) == ["m1", "m10", "m11", "m12", "m13", "m2"]
            (letter,) = await gateway.record.dead.oldest()
            assert letter.key.message_id == "m1"
            assert "die" not in letter.reason
            await gateway.record.dead.revive([letter.number])
            await gateway.app.service.look_for_unanswered()
            await asyncio.gather(*gateway.app.service._tasks)
            assert paper.answered.count("m1") == 2
        await all_is_done(gateway.record)


async def test_who_wrote_what_was_set_aside_while_no_gateway_was_there_is_told_once(
    town: Town, paper: PaperAdapter
) -> None:
    async with town.gateway(paper) as gateway:
        await gateway.record.turns.receive(say("die"))
        assert await gateway.record.dead.bury(say("die").key, "nobody came to its end")
    for _ in range(2):
        async with town.gateway(paper) as gateway:
            await asyncio.gather(*gateway.app.service._tasks)
    assert paper.notices == ["fault"]
    async with town.gateway(paper) as gateway:
        assert await gateway.record.dead.count() == 1

"""Whatever becomes of Redis: messages are safe in the record, and go on soon after it is back."""

import asyncio
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from redis import Redis

from core.messages import PersonKey, Turn
from core.ports import Fence
from core.tasks import OUTPUT_MESSAGE
from storage.turns import Turns
from tests.bot.conftest import HOME, PaperAdapter, say
from tests.bot.dispatch_town import Town, all_is_done
from tests.redis_server import RedisServer

ANSWER = OUTPUT_MESSAGE.name
PEOPLE = [PersonKey("paper", f"p{number}") for number in range(5)]
RECOVERY_S = 5.0


def flush(redis: RedisServer) -> None:
    with Redis.from_url(redis.url) as client:
        client.flushall()


def restart(redis: RedisServer) -> None:
    redis.kill()
    redis.start()


def restart_empty(redis: RedisServer) -> None:
    redis.kill()
    for file in (redis.folder / "appendonlydir").iterdir():
        file.unlink()
    redis.start()


def cut(redis: RedisServer) -> None:
    with Redis.from_url(redis.url) as client:
        client.client_kill_filter(skipme=True)


ACCIDENTS = [flush, restart, restart_empty, cut]


@pytest.fixture
def town(tmp_path: Path, redis: RedisServer) -> Town:
    return Town(f"sqlite+aiosqlite:///{tmp_path / 'record.db'}", redis)


@pytest.mark.parametrize("accident", ACCIDENTS)
async def test_messages_in_a_workers_hands_are_answered_once_and_soon(
    town: Town, paper: PaperAdapter, accident: Callable[[RedisServer], None]
) -> None:
    town.language.gated = {ANSWER}
    async with town.gateway(paper) as gateway, town.worker(), town.worker():
        turns = await gateway.hear(*(say(f"{n}", n, who) for n, who in enumerate(PEOPLE)), say("끝", 9, PEOPLE[0]))
        for _ in PEOPLE:
            await town.language.arrived.get()
        accident(town.redis)
        happened = time.monotonic()
        town.language.gate.set()
        await asyncio.gather(*turns)
        assert time.monotonic() - happened < RECOVERY_S
        assert sorted(paper.answered) == ["m0", "m1", "m2", "m3", "m4", "m9"]
        assert paper.answered.index("m0") < paper.answered.index("m9")
        await all_is_done(gateway.record)


@pytest.mark.parametrize("accident", ACCIDENTS)
async def test_messages_that_no_worker_has_yet_are_answered_when_one_comes(
    town: Town, paper: PaperAdapter, accident: Callable[[RedisServer], None]
) -> None:
    async with town.gateway(paper) as gateway:
        turns = await gateway.hear(*(say(f"{n}", n, who) for n, who in enumerate(PEOPLE)))
        accident(town.redis)
        async with town.worker(), asyncio.timeout(RECOVERY_S):
            await asyncio.gather(*turns)
        assert sorted(paper.answered) == ["m0", "m1", "m2", "m3", "m4"]


@pytest.mark.parametrize("accident", ACCIDENTS)
async def test_a_later_message_is_not_answered_before_an_earlier_one_that_was_lost(
    town: Town, paper: PaperAdapter, accident: Callable[[RedisServer], None]
) -> None:
    async with town.gateway(paper) as gateway:
        earlier = await gateway.hear(say("먼저"))
        while not await gateway.turns._streams.backlog():
            pass
        accident(town.redis)
        later = await gateway.hear(say("나중", 2))
        async with town.worker(), asyncio.timeout(RECOVERY_S):
            await asyncio.gather(*earlier, *later)
        first, second = town.language.asked(ANSWER)
        assert "먼저" in first
        assert "나중" in second


async def test_replies_that_were_found_but_not_told_of_are_delivered(
    town: Town, paper: PaperAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    committed, commit = asyncio.Event(), Turns.commit

    async def telling_commit(self: Turns, turn: Turn, fence: Fence | None = None) -> int:
        turn_id = await commit(self, turn, fence)
        committed.set()
        return turn_id

    monkeypatch.setattr(Turns, "commit", telling_commit)
    town.language.gated = {ANSWER}
    async with town.gateway(paper) as gateway, town.worker():
        turns = await gateway.hear(say("안녕"))
        await town.language.arrived.get()
        town.redis.kill()
        town.language.gate.set()
        await committed.wait()
        assert paper.answered == []
        town.redis.start()
        async with asyncio.timeout(RECOVERY_S):
            await asyncio.gather(*turns)
        assert paper.answered == ["m1"]
        assert len(town.language.asked(ANSWER)) == 1


@pytest.mark.parametrize("silent", [False, True], ids=["gone", "silent"])
async def test_what_is_said_while_it_is_away_is_answered_in_order_when_it_is_back(
    town: Town, paper: PaperAdapter, silent: bool
) -> None:
    async with town.gateway(paper) as gateway, town.worker():
        await gateway.answer(say("안녕"))
        (town.redis.pause if silent else town.redis.kill)()
        turns = await gateway.hear(*(say(f"{n}번", n) for n in range(2, 8)), say("지움", 8))
        await gateway.app.service.amend(HOME, "m5", "바꿈")
        await gateway.app.service.withdraw(HOME, "m8")
        await asyncio.sleep(2 * town.settings.dispatch.lease_s)  # long enough for every lease to end
        town.redis.resume()
        town.redis.start()
        async with asyncio.timeout(RECOVERY_S):
            await asyncio.gather(*turns)
        assert paper.answered == [f"m{n}" for n in range(1, 8)]
        assert paper.replies[4].to.text == "바꿈"


async def test_a_gateway_and_a_worker_that_start_without_it_wait_for_it(town: Town, paper: PaperAdapter) -> None:
    town.redis.kill()

    async def serve() -> None:
        async with town.gateway(paper) as gateway:
            await gateway.answer(say("안녕"))

    async with town.worker():
        serving = asyncio.create_task(serve())
        town.redis.start()
        async with asyncio.timeout(2 * RECOVERY_S):
            await serving
    assert paper.answered == ["m1"]


class TestTheRecord:
    async def test_while_it_is_locked_turns_wait_and_nobody_is_told_of_a_fault(
        self, town: Town, paper: PaperAdapter, tmp_path: Path
    ) -> None:
        town.lock_wait_s = 0.2
        town.language.gated = {ANSWER}
        async with town.gateway(paper) as gateway, town.worker():
            turns = await gateway.hear(say("하나"), say("둘", 2), say("다른 얘기", 3, PEOPLE[0]))
            for _ in range(2):
                await town.language.arrived.get()
            locked = sqlite3.connect(tmp_path / "record.db", isolation_level=None)
            locked.execute("BEGIN IMMEDIATE")
            asked = len(town.language.asked(ANSWER))
            town.language.gate.set()
            async with asyncio.timeout(10):
                for _ in range(2):  # each was asked for again, because its commit had failed
                    await town.language.arrived.get()
            locked.execute("ROLLBACK")
            locked.close()
            await asyncio.gather(*turns)
            assert asked == 0
            assert sorted(paper.answered) == ["m1", "m2", "m3"]
            assert paper.answered.index("m1") < paper.answered.index("m2")
            assert "fault" not in paper.notices
            assert await gateway.record.dead.count() == 0

"""Workers come, go, crash and stop for a while; what they leave is taken up without anybody saying anything new."""

import asyncio
import time
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from bot.dispatch.work import Workbench
from core.errors import Superseded
from core.messages import PersonKey
from core.tasks import MEMORY, OUTPUT_MESSAGE
from models.fakes import plain_rule
from storage.errands import Delivered
from storage.streams import Streams
from tests.bot.conftest import JUN, MINA, PaperAdapter, PuppetModel, say
from tests.bot.dispatch_town import Town, all_is_done, until
from tests.redis_server import RedisServer

ANSWER = OUTPUT_MESSAGE.name


@pytest.fixture
def town(tmp_path: Path, redis: RedisServer) -> Town:
    return Town(f"sqlite+aiosqlite:///{tmp_path / 'record.db'}", redis)


class TestACrash:
    async def test_what_a_killed_worker_had_is_answered_by_another_in_order_within_lease_and_5_s(
        self, town: Town, paper: PaperAdapter
    ) -> None:
        async with town.gateway(paper) as gateway:
            async with town.elsewhere() as worker:
                turns = await gateway.hear(say("wait"), say("둘", 2), say("셋", 3, JUN))
                await worker.begins("wait")
                await turns[2]
                async with town.worker():
                    killed_at = time.monotonic()
                    await worker.kill()
                    await asyncio.gather(*turns)
                    assert time.monotonic() - killed_at < town.settings.dispatch.lease_s + 5
            assert paper.answered == ["m3", "m1", "m2"]
            await all_is_done(gateway.record)

    async def test_the_bookkeeping_it_left_is_done_before_anything_new_of_the_person(
        self, town: Town, paper: PaperAdapter, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("bot.dispatch.worker.DRAIN_S", 0.0)
        stuck = PuppetModel()
        stuck.gated = {MEMORY.name}
        async with town.gateway(paper) as gateway:
            async with town.worker(stuck):
                first = await gateway.hear(say("나는 민아야"))
                await asyncio.gather(*first)
                second = await gateway.hear(say("내 이름은?", 2))
            town.language.rule = lambda prompt: (
                f"(이름: 민아) {prompt.stop}" if prompt.task == MEMORY.name else plain_rule(prompt)
            )
            async with town.worker():
                await asyncio.gather(*second)
            asked = [prompt.task for prompt in town.language.prompts]
            assert asked.index(MEMORY.name) < asked.index(ANSWER)
            assert len(await gateway.record.memories.items(MINA)) > 0


async def test_what_somebody_without_a_right_took_is_found_and_comes_before_what_is_behind_it(
    town: Town, paper: PaperAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    take, taken_away = Streams.take, asyncio.Event()

    async def lose_the_first(self: Streams, *asked: Any) -> list[Delivered]:
        taken = await take(self, *asked)
        if not taken or taken_away.is_set():
            return taken
        taken_away.set()
        return []

    monkeypatch.setattr(Streams, "take", lose_the_first)
    async with town.gateway(paper) as gateway, town.worker(), asyncio.timeout(10):
        first = await gateway.hear(say("하나", 1), say("하나", 2, JUN))
        await taken_away.wait()
        await asyncio.gather(*first, *await gateway.hear(say("둘", 3)))
    assert [one for one in paper.answered if one != "m2"] == ["m1", "m3"]


class TestAWorkerThatWasStoppedForAWhile:
    async def test_it_writes_nothing_when_it_goes_on_and_takes_its_share_again(
        self, town: Town, paper: PaperAdapter
    ) -> None:
        town.language.rule = lambda prompt: f"깨어 있어 {prompt.stop}" if prompt.task == ANSWER else plain_rule(prompt)
        async with town.gateway(paper) as gateway, town.elsewhere() as sleeper:
            turns = await gateway.hear(say("wait"))
            await sleeper.begins("wait")
            sleeper.pause()
            async with town.worker() as worker:
                await asyncio.gather(*turns)
                assert [reply.text for reply in paper.replies] == ["깨어 있어"]
                assert worker.partitions == 4
                sleeper.resume()
                await until(worker, lambda: worker.partitions == 2)
                await gateway.answer(*(say("또", 10 + n, PersonKey("paper", f"p{n}")) for n in range(8)))
            assert paper.answered.count("m1") == 1
            kept = await gateway.record.people.export(MINA)
            assert [reply["text"] for reply in kept["replies"]] == ["깨어 있어"]

    async def test_a_turn_whose_end_it_could_not_tell_in_time_is_told_when_it_has_the_right_again(
        self, town: Town, paper: PaperAdapter, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tell, attempts = Workbench._tell, count()

        async def late_once(self: Workbench, *told: Any) -> None:
            if next(attempts) == 0:
                raise Superseded("the lease ended before this could be told")
            await tell(self, *told)

        monkeypatch.setattr(Workbench, "_tell", late_once)
        async with town.gateway(paper) as gateway, town.worker(), asyncio.timeout(10):
            await gateway.answer(say("안녕"))
        assert paper.answered == ["m1"]
        assert len(town.language.asked(ANSWER)) == 1


class TestSharing:
    async def test_each_worker_has_its_share_whoever_comes_and_goes(self, town: Town) -> None:
        async with town.worker() as first:
            await until(first, lambda: first.partitions == 4)
            async with town.worker() as second:
                await until(first, lambda: (first.partitions, second.partitions) == (2, 2))
            await until(first, lambda: first.partitions == 4)

    async def test_a_partition_changes_hands_only_when_nothing_of_it_is_under_way(
        self, town: Town, paper: PaperAdapter
    ) -> None:
        people = [PersonKey("paper", f"p{number}") for number in range(8)]
        town.language.gated = {ANSWER}
        async with town.gateway(paper) as gateway, town.worker() as first:
            turns = await gateway.hear(*(say("안녕", number, who) for number, who in enumerate(people)))
            for _ in turns:
                await town.language.arrived.get()
            async with town.worker() as second:
                await until(first, lambda: sum(one.leaving for one in first._holding.owned.values()) == 2)
                assert (first.partitions, second.partitions) == (4, 0)
                town.language.gate.set()
                await asyncio.gather(*turns)
                await until(first, lambda: (first.partitions, second.partitions) == (2, 2))
        assert len(town.language.asked(ANSWER)) == len(people)

    async def test_no_more_is_in_one_workers_hands_than_it_may_have(self, town: Town, paper: PaperAdapter) -> None:
        town.set(at_once=2, partitions=1)
        town.language.gated = {ANSWER}
        async with town.gateway(paper) as gateway, town.worker() as worker:
            turns = await gateway.hear(*(say("안녕", n, PersonKey("paper", f"p{n}")) for n in range(6)))
            for _ in range(2):
                await town.language.arrived.get()
            await until(worker, iter([False, False, True]).__next__)
            assert (worker.under_way, town.language.arrived.qsize()) == (2, 0)
            town.language.gate.set()
            await asyncio.gather(*turns)


class TestStopping:
    async def test_what_is_under_way_is_finished_and_others_go_on_at_once(
        self, town: Town, paper: PaperAdapter
    ) -> None:
        town.set(lease_s=60)
        town.language.gated = {ANSWER}
        async with town.gateway(paper) as gateway:
            async with town.elsewhere() as worker:
                turns = await gateway.hear(say("wait"))
                await worker.begins("wait")
                worker.resume()
                await worker.stop()
                await asyncio.gather(*turns)
            town.language.gated = set()
            async with town.worker(), asyncio.timeout(20):
                await gateway.answer(say("다음", 2))
        assert paper.answered == ["m1", "m2"]

"""Messages go from a gateway to workers, and come back as replies."""

import asyncio
from pathlib import Path

import pytest

from core.errors import EngineOverloaded, GenerationFailed
from core.messages import ChatKey, PersonKey
from core.tasks import OUTPUT_MESSAGE
from tests.bot.conftest import HOME, JUN, MINA, PaperAdapter, say
from tests.bot.dispatch_town import Town, all_is_done
from tests.redis_server import RedisServer

ANSWER = OUTPUT_MESSAGE.name


@pytest.fixture
def town(tmp_path: Path, redis: RedisServer) -> Town:
    return Town(f"sqlite+aiosqlite:///{tmp_path / 'record.db'}", redis)


async def test_a_message_is_answered_by_a_worker_and_delivered_by_its_gateway(town: Town, paper: PaperAdapter) -> None:
    async with town.gateway(paper) as gateway, town.worker():
        await gateway.answer(say("안녕"))
        assert paper.answered == ["m1"]
        assert paper.replies[0].text
    async with town.gateway(paper) as gateway:
        await all_is_done(gateway.record)


async def test_each_persons_messages_are_answered_in_order_by_any_number_of_workers(
    town: Town, paper: PaperAdapter
) -> None:
    people = [PersonKey("paper", f"p{number}") for number in range(12)]
    said = [say(f"{turn}번째", turn * 100 + number, who) for turn in range(6) for number, who in enumerate(people)]
    async with town.gateway(paper) as gateway, town.worker(), town.worker():
        await gateway.answer(*said)
    for person in people:
        theirs = [message.message_id for message in said if message.person == person]
        assert [reply.to.message_id for reply in paper.replies if reply.to.person == person] == theirs


async def test_one_person_waits_for_nobody_elses_long_turn(town: Town, paper: PaperAdapter) -> None:
    town.language.gated = {ANSWER}
    async with town.gateway(paper) as gateway, town.worker():
        long = await gateway.hear(say("긴 얘기"))
        await town.language.arrived.get()
        town.language.gated = set()
        await gateway.answer(say("안녕", 2, JUN))
        assert paper.answered == ["m2"]
        town.language.gate.set()
        await asyncio.gather(*long)


async def test_two_gateways_get_the_replies_of_their_own_platforms(town: Town) -> None:
    paper, stone = PaperAdapter(), PaperAdapter(platform="stone")
    elsewhere = say("돌", 2, PersonKey("stone", "mina"), ChatKey("stone", "home", private=True))
    async with town.gateway(paper) as here, town.gateway(stone) as there, town.worker():
        await asyncio.gather(here.answer(say("종이")), there.answer(elsewhere))
    assert (paper.answered, stone.answered) == (["m1"], ["m2"])


class TestAMessageThatChanges:
    async def test_its_newest_text_is_answered(self, town: Town, paper: PaperAdapter) -> None:
        town.language.gated = {ANSWER}
        async with town.gateway(paper) as gateway, town.worker():
            turn = await gateway.hear(say("처음"))
            await town.language.arrived.get()
            await gateway.app.service.amend(HOME, "m1", "나중")
            assert "나중" in (await town.language.arrived.get()).text
            town.language.gate.set()
            await asyncio.gather(*turn)
        assert paper.replies[0].to.text == "나중"
        assert [text for text in town.language.asked(ANSWER) if "처음" in text] == []

    async def test_it_is_dropped_once_it_is_deleted(self, town: Town, paper: PaperAdapter) -> None:
        town.language.gated = {ANSWER}
        async with town.gateway(paper) as gateway, town.worker():
            turn = await gateway.hear(say("취소"))
            await town.language.arrived.get()
            await gateway.app.service.withdraw(HOME, "m1")
            await asyncio.gather(*turn)
            assert (paper.answered, [message.message_id for message in paper.cleared]) == ([], ["m1"])
            await all_is_done(gateway.record)

    async def test_one_that_waits_behind_another_is_dropped_too(self, town: Town, paper: PaperAdapter) -> None:
        town.language.gated = {ANSWER}
        async with town.gateway(paper) as gateway, town.worker():
            turns = await gateway.hear(say("하나"), say("둘", 2))
            await town.language.arrived.get()
            await gateway.app.service.withdraw(HOME, "m2")
            town.language.gate.set()
            await asyncio.gather(*turns)
        assert paper.answered == ["m1"]


class TestNoReply:
    @pytest.mark.parametrize(
        ("error", "notice"), [(GenerationFailed("broken"), "fault"), (EngineOverloaded("too much", 3, 60.0), "busy")]
    )
    async def test_the_person_is_told_what_the_worker_says(
        self, town: Town, paper: PaperAdapter, error: Exception, notice: str
    ) -> None:
        town.language.error, town.language.failing = error, {ANSWER}
        async with town.gateway(paper) as gateway, town.worker():
            await gateway.answer(say("안녕"))
            assert paper.notices == [notice]
            if notice == "busy":
                assert "3" in paper.replies[0].notices[0].text
            await all_is_done(gateway.record)
            town.language.failing = set()
            await gateway.answer(say("다시", 2))
        assert paper.answered == ["m1", "m2"]

    async def test_with_too_many_before_them_people_are_asked_to_come_back(
        self, town: Town, paper: PaperAdapter
    ) -> None:
        town.set(backlog=3)
        async with town.gateway(paper) as gateway:
            turns = await gateway.hear(*(say("안녕", number, PersonKey("paper", f"p{number}")) for number in range(4)))
            await turns[3]
            assert (paper.answered, paper.notices) == (["m3"], ["busy"])
            async with town.worker():
                await asyncio.gather(*turns)
                assert sorted(paper.answered) == ["m0", "m1", "m2", "m3"]

    async def test_what_another_gateway_sent_counts_as_well(self, town: Town, paper: PaperAdapter) -> None:
        town.set(backlog=2)
        town.language.gated = {ANSWER}
        async with town.gateway(paper) as gateway, town.worker():
            turns = await gateway.hear(say("하나", 1, MINA), say("둘", 2, JUN))
            for _ in turns:
                await town.language.arrived.get()
            async with town.gateway(PaperAdapter(platform="stone")) as other:
                with pytest.raises(EngineOverloaded):
                    other.turns.check()
            town.language.gate.set()
            await asyncio.gather(*turns)

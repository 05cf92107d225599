"""The life of a turn, and what becomes of one that was interrupted."""

import asyncio
import logging

import pytest

from bot.adapters.base import Handlers
from bot.service import Service
from core import Conversation
from core.errors import EngineOverloaded, GenerationFailed
from core.ports import Prompt
from core.tasks import MEMORY, OUTPUT_MESSAGE
from models.fakes import plain_rule
from storage.record import Record
from tests.bot.conftest import MINA, FailingModel, PaperAdapter, say


def remembers(prompt: Prompt) -> str:
    return f"[좋아하는 가수: 에스파] {prompt.stop}" if prompt.task == MEMORY.name else plain_rule(prompt)


async def nothing_is_left(record: Record) -> bool:
    """Whether the record waits for nothing any more."""
    turns = record.turns
    return not (await turns.unanswered() or await turns.undelivered() or await turns.unremembered())


async def test_a_message_is_answered_delivered_and_remembered(
    service: Service, paper: PaperAdapter, record: Record, language: FailingModel
) -> None:
    language.rule = remembers
    await service.handle(say("나 에스파 좋아해"))
    assert [reply.text for reply in paper.replies] == ["응, 듣고 있어!"]
    assert [item.text for item in await record.memories.items(MINA)] == ["[좋아하는 가수: 에스파]"]
    assert await nothing_is_left(record)


async def test_a_duplicate_message_starts_no_second_turn(
    service: Service, paper: PaperAdapter, language: FailingModel
) -> None:
    await asyncio.gather(service.handle(say("안녕")), service.handle(say("안녕")))
    await service.handle(say("안녕"))
    assert len(paper.replies) == 1
    assert [prompt.task for prompt in language.prompts].count(OUTPUT_MESSAGE.name) == 1


@pytest.mark.parametrize(
    ("error", "notice"),
    [
        (GenerationFailed("the device process ended (-9)"), "fault"),
        (EngineOverloaded("256 requests are waiting"), "busy"),
        (RuntimeError("a bug"), "fault"),
    ],
)
async def test_an_error_gives_an_honest_sentence_and_leaves_no_half_written_turn(
    service: Service, paper: PaperAdapter, record: Record, language: FailingModel, error: Exception, notice: str
) -> None:
    language.error, language.failing = error, {OUTPUT_MESSAGE.name}
    await service.handle(say("안녕"))
    assert paper.notices == [notice]
    assert paper.replies[0].text == ""
    assert await nothing_is_left(record)
    language.failing = set()
    await service.handle(say("다시 안녕", 2))
    assert paper.replies[1].text == "응, 듣고 있어!"


async def test_failed_bookkeeping_is_no_failed_reply_and_is_done_at_the_next_start(
    service: Service, paper: PaperAdapter, record: Record, language: FailingModel
) -> None:
    language.rule = remembers
    language.error, language.failing = GenerationFailed("gone"), {MEMORY.name}
    await service.handle(say("나 에스파 좋아해"))
    assert paper.notices == []
    assert len(await record.turns.unremembered()) == 1
    language.failing = set()
    await service.recover()
    assert await nothing_is_left(record)
    assert len(await record.memories.items(MINA)) == 1


async def test_a_reply_that_a_platform_did_not_take_stays_undelivered_and_is_remembered(
    service: Service, paper: PaperAdapter, record: Record
) -> None:
    paper.torn = True
    await service.handle(say("안녕"))
    assert paper.replies == []
    assert len(await record.turns.undelivered()) == 1
    assert await record.turns.unremembered() == []


async def test_a_message_whose_apology_does_not_arrive_either_is_answered_at_the_next_start(
    service: Service, paper: PaperAdapter, record: Record, language: FailingModel
) -> None:
    language.error, language.failing, paper.torn = GenerationFailed("gone"), {OUTPUT_MESSAGE.name}, True
    await service.handle(say("안녕"))
    assert len(await record.turns.unanswered()) == 1
    language.failing, paper.torn = set(), False
    await service.recover()
    assert [reply.text for reply in paper.replies] == ["응, 듣고 있어!"]
    assert await nothing_is_left(record)


async def test_an_unanswered_message_that_fails_again_does_not_stop_the_start(
    service: Service, paper: PaperAdapter, record: Record, language: FailingModel
) -> None:
    await record.turns.receive(say("안녕"))
    language.error, language.failing = GenerationFailed("gone"), {OUTPUT_MESSAGE.name}

    async def unused(*_: object) -> str:
        raise AssertionError

    await service.run(Handlers(service.handle, unused, unused))  # type: ignore[arg-type]
    assert paper.ran
    assert paper.notices == ["fault"]
    assert await nothing_is_left(record)


@pytest.mark.parametrize(("recognises", "shown"), [(True, 1), (False, 0)])
async def test_an_undelivered_reply_is_sent_again_only_where_a_repetition_is_recognised(
    conversation: Conversation, record: Record, caplog: pytest.LogCaptureFixture, recognises: bool, shown: int
) -> None:
    asked = say("안녕")
    await record.turns.receive(asked)
    await record.turns.commit(await conversation.reply(asked))
    paper = PaperAdapter(recognises_repetition=recognises)
    with caplog.at_level(logging.WARNING):
        await Service(conversation, record.turns, [paper]).recover()
    assert len(paper.replies) == shown
    assert ("not sent again" in caplog.text) is not recognises
    assert await nothing_is_left(record)


async def test_a_message_of_a_platform_that_does_not_run_now_waits_for_it(
    conversation: Conversation, record: Record
) -> None:
    await record.turns.receive(say("안녕"))
    await Service(conversation, record.turns, []).recover()
    assert len(await record.turns.unanswered()) == 1

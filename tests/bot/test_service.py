"""The life of a turn: one reply to each message, in order, or an honest sentence."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from bot.moderation.casework import CaseWork
from bot.outbox import Outbox
from bot.service import Service
from bot.turns import HereTurns
from bot.waiting import Line
from core import Conversation
from core.errors import (
    DeliveryError,
    DeliveryRefused,
    EngineOverloaded,
    GenerationFailed,
    RecordError,
    RecordUnavailable,
)
from core.messages import IncomingMessage, PersonKey, Reply, Turn
from core.ports import Delivery, Prompt
from core.sanctions import Sanction
from core.tasks import MEMORY, OUTPUT_MESSAGE
from models.fakes import FakeClock, plain_rule
from storage.record import Record
from storage.turns import Turns
from tests.bot.conftest import (
    JUN,
    LOUNGE,
    MINA,
    NEW,
    PaperAdapter,
    PuppetModel,
    fates,
    handle,
    nothing_is_left,
    say,
)


def remembers(prompt: Prompt) -> str:
    return f"[좋아하는 가수: 에스파] {prompt.stop}" if prompt.task == MEMORY.name else plain_rule(prompt)


async def test_a_message_is_answered_delivered_and_remembered(
    service: Service, paper: PaperAdapter, record: Record, language: PuppetModel
) -> None:
    language.rule = remembers
    await handle(service, say("나 에스파 좋아해"))
    assert [reply.text for reply in paper.replies] == ["응, 듣고 있어!"]
    assert await fates(record) == ["delivered"]
    assert [item.text for item in await record.memories.items(MINA)] == ["[좋아하는 가수: 에스파]"]
    assert await nothing_is_left(record)


async def test_a_message_is_safe_before_anybody_thinks_about_it(
    service: Service, record: Record, language: PuppetModel
) -> None:
    language.gated = {OUTPUT_MESSAGE.name}
    turn = await service.receive(say("안녕"))
    assert await record.turns.unanswered() == [say("안녕")]
    assert not turn.done()
    language.gate.set()
    await turn


async def test_a_delivery_is_on_record_before_anything_is_shown(
    service: Service, paper: PaperAdapter, record: Record, clock: FakeClock
) -> None:
    paper.gate.clear()
    turn = await service.receive(say("안녕"))
    await paper.posting.wait()
    assert [left.begun for left in await record.turns.undelivered()] == [None]
    paper.fault = DeliveryError("the paper is torn")
    paper.gate.set()
    await turn
    assert [left.begun for left in await record.turns.undelivered()] == [clock.now()]


async def test_a_duplicate_message_starts_no_second_turn(
    service: Service, paper: PaperAdapter, language: PuppetModel
) -> None:
    await asyncio.gather(handle(service, say("안녕")), handle(service, say("안녕")))
    await handle(service, say("안녕"))
    assert len(paper.replies) == 1
    assert len(language.asked(OUTPUT_MESSAGE.name)) == 1


async def test_messages_sent_at_once_are_answered_in_order_for_each_person(
    service: Service, paper: PaperAdapter, record: Record
) -> None:
    people = [PersonKey("paper", str(number)) for number in range(4)]
    said = [say(str(number), 10 * index + number, person, LOUNGE)
            for number in range(5) for index, person in enumerate(people)]  # fmt: skip
    await asyncio.gather(*(handle(service, message) for message in said))
    for person in people:
        mine = [reply.to for reply in paper.replies if reply.to.person == person]
        assert mine == [message for message in said if message.person == person]
    assert await nothing_is_left(record)


async def test_a_new_person_is_introduced_once_however_fast_they_write(service: Service, paper: PaperAdapter) -> None:
    await asyncio.gather(*(handle(service, say("안녕", number, NEW)) for number in range(3)))
    assert paper.notices == ["introduction"]
    assert paper.replies[0].notices


async def test_a_blocked_person_who_was_told_gets_an_empty_reply_and_leaves_no_work(
    service: Service, paper: PaperAdapter, record: Record, language: PuppetModel, clock: FakeClock
) -> None:
    insult = say("…", 1)
    await record.turns.receive(insult)
    issued = (Sanction("insult", 1, clock.now(), timedelta(days=7)),)
    await record.turns.end(await record.turns.commit(Turn(Reply(insult, "그만해"), "…", issued)), Delivery.DELIVERED)
    for number in (2, 3, 4):
        await handle(service, say("응?", number))
    assert (paper.answered, paper.notices) == (["m2"], ["blocked"])
    assert [message.message_id for message in paper.cleared] == ["m3", "m4"]
    assert language.prompts == []
    assert await nothing_is_left(record)


@pytest.mark.parametrize(
    ("error", "notice"),
    [
        (GenerationFailed("the device process ended (-9)"), "fault"),
        (EngineOverloaded("256 requests are waiting"), "busy"),
        (RuntimeError("a bug"), "fault"),
    ],
)
async def test_an_error_gives_an_honest_sentence_and_leaves_no_half_written_turn(
    service: Service, paper: PaperAdapter, record: Record, language: PuppetModel, error: Exception, notice: str
) -> None:
    language.error, language.failing = error, {OUTPUT_MESSAGE.name}
    await handle(service, say("안녕"))
    assert paper.notices == [notice]
    assert paper.replies[0].text == ""
    assert await nothing_is_left(record)
    language.failing = set()
    await handle(service, say("다시 안녕", 2))
    assert paper.replies[1].text == "응, 듣고 있어!"


async def test_a_full_line_gives_a_polite_sentence_and_costs_no_thought(
    conversation: Conversation, record: Record, paper: PaperAdapter, language: PuppetModel, clock: FakeClock,
    casework: CaseWork,
) -> None:  # fmt: skip
    turns = HereTurns(conversation, record.turns, record.cases)
    service = Service(turns, record.turns, [paper], Outbox(record.turns, clock), Line(1), casework)
    language.gated = {OUTPUT_MESSAGE.name}
    first = await service.receive(say("하나", 1))
    await language.arrived.get()
    await handle(service, say("둘", 2, JUN))
    assert paper.notices == ["busy"]
    assert await record.turns.unanswered() == [say("하나", 1)]
    language.gate.set()
    await first
    assert len(language.asked(OUTPUT_MESSAGE.name)) == 1
    await handle(service, say("셋", 3, JUN))
    assert paper.answered == ["m2", "m1", "m3"]


async def test_a_record_that_takes_no_message_gives_an_honest_sentence(
    service: Service, paper: PaperAdapter, record: Record, language: PuppetModel
) -> None:
    await record.close()
    await handle(service, say("안녕"))
    assert paper.notices == ["fault"]
    assert language.prompts == []


async def test_who_was_told_of_a_fault_is_not_answered_later_though_the_record_was_away(
    service: Service, paper: PaperAdapter, record: Record, language: PuppetModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    language.error, language.failing = GenerationFailed("gone"), {OUTPUT_MESSAGE.name}
    away, asked = asyncio.Event(), []

    async def commit(*_: object) -> int:
        raise RecordUnavailable("the server is away")

    async def discard(message: IncomingMessage) -> None:
        asked.append(message)
        if len(asked) < 3:
            raise RecordUnavailable("the server is away")
        away.set()
        await Turns.discard(record.turns, message)

    monkeypatch.setattr(record.turns, "commit", commit)
    monkeypatch.setattr(record.turns, "discard", discard)
    turn = await service.receive(say("안녕"))
    await away.wait()
    await service.look_for_unanswered()
    await turn
    assert paper.notices == ["fault"]
    assert await nothing_is_left(record)


async def test_the_next_turn_waits_for_bookkeeping_that_the_record_did_not_take_at_once(
    service: Service, record: Record, language: PuppetModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    language.rule = remembers
    tried: list[int] = []

    async def remember(turn_id: int, *arguments: Any) -> None:
        tried.append(turn_id)
        if len(tried) < 3:
            raise RecordUnavailable("locked")
        await Turns.remember(record.turns, turn_id, *arguments)

    monkeypatch.setattr(record.turns, "remember", remember)
    await asyncio.gather(handle(service, say("나 에스파 좋아해", 1)), handle(service, say("안녕", 2)))
    assert tried == [1, 1, 1, 2]
    assert await nothing_is_left(record)


async def test_bookkeeping_that_the_models_did_not_do_comes_before_the_next_turn(
    service: Service, record: Record, language: PuppetModel
) -> None:
    language.rule = remembers
    language.error, language.failing = GenerationFailed("gone"), {MEMORY.name}
    await handle(service, say("나 에스파 좋아해", 1))
    language.failing = set()
    await handle(service, say("안녕", 2))
    assert [item.text for item in await record.memories.items(MINA)] == ["[좋아하는 가수: 에스파]"]
    asked = [prompt.task for prompt in language.prompts]
    assert asked.index(MEMORY.name) < len(asked) - 1 - asked[::-1].index(OUTPUT_MESSAGE.name)
    assert await nothing_is_left(record)


async def test_a_message_that_is_safe_nowhere_does_not_count_as_received_before_the_person_knows(
    service: Service, paper: PaperAdapter, record: Record
) -> None:
    await record.close()
    paper.gate.clear()
    receiving = asyncio.create_task(service.receive(say("안녕")))
    await paper.posting.wait()
    assert not receiving.done()
    paper.gate.set()
    await (await receiving)
    assert paper.notices == ["fault"]


async def test_a_delivery_is_marked_when_the_record_is_back(
    service: Service, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes: list[Delivery] = []

    async def end(turn_id: int, outcome: Delivery) -> None:
        outcomes.append(outcome)
        if len(outcomes) < 3:
            raise RecordUnavailable("the server is away")
        await Turns.end(record.turns, turn_id, outcome)

    monkeypatch.setattr(record.turns, "end", end)
    await handle(service, say("안녕"))
    assert outcomes == [Delivery.DELIVERED] * 3
    assert await nothing_is_left(record)


async def test_failed_bookkeeping_is_no_failed_reply(
    service: Service, paper: PaperAdapter, record: Record, language: PuppetModel
) -> None:
    language.error, language.failing = GenerationFailed("gone"), {MEMORY.name}
    await handle(service, say("나 에스파 좋아해"))
    assert paper.notices == []
    assert len(await record.turns.unremembered()) == 1


@pytest.mark.parametrize(
    ("fault", "fate"), [(DeliveryError("the paper is torn"), "waiting"), (DeliveryRefused("no such paper"), "refused")]
)
async def test_a_reply_that_did_not_arrive_is_remembered_and_not_apologised_for(
    service: Service, paper: PaperAdapter, record: Record, language: PuppetModel, fault: Exception, fate: str
) -> None:
    language.rule = remembers
    paper.fault = fault
    await handle(service, say("안녕"))
    assert await fates(record) == [fate]
    assert len(await record.memories.items(MINA)) == 1
    paper.fault = None
    await handle(service, say("또 안녕", 2))
    assert paper.answered == ["m2"]
    assert paper.notices == []


async def test_a_reply_that_the_record_does_not_let_begin_is_kept_and_not_apologised_for(
    service: Service, paper: PaperAdapter, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def locked(turn_id: int, now: object) -> None:
        raise RecordError("locked")

    monkeypatch.setattr(record.turns, "begin", locked)
    await handle(service, say("안녕"))
    assert paper.replies == []
    assert [left.begun for left in await record.turns.undelivered()] == [None]
    assert await record.turns.unremembered() == []


async def test_an_apology_that_may_not_have_arrived_is_left_for_the_next_start_as_a_reply_is(
    service: Service, paper: PaperAdapter, record: Record, language: PuppetModel
) -> None:
    language.error, language.failing = GenerationFailed("gone"), {OUTPUT_MESSAGE.name}
    paper.fault = DeliveryError("the paper is torn")
    await handle(service, say("안녕"))
    assert await record.turns.unanswered() == []
    (left,) = await record.turns.undelivered()
    assert [notice.kind.value for notice in left.reply.notices] == ["fault"]


async def test_the_next_turn_of_a_person_waits_for_the_bookkeeping_of_the_last(
    service: Service, paper: PaperAdapter, language: PuppetModel
) -> None:
    language.gated = {MEMORY.name}
    first = await service.receive(say("하나", 1))
    await language.arrived.get()
    second = await service.receive(say("둘", 2))
    others = await service.receive(say("나도", 9, JUN))
    await language.arrived.get()
    assert paper.answered == ["m1", "m9"]
    language.gate.set()
    await asyncio.gather(first, second, others)
    assert paper.answered == ["m1", "m9", "m2"]

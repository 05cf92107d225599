"""While a message waits for its reply: it may change, vanish, or be told how long it takes."""

import asyncio
from collections.abc import Iterator

import pytest

from bot.moderation.casework import CaseWork
from bot.outbox import Outbox
from bot.service import Service
from bot.turns import HereTurns
from bot.waiting import Line
from core import Conversation
from core.errors import DeliveryError, GenerationFailed
from core.messages import NoticeKind
from core.tasks import EYES_MOUTH_POSE, OUTPUT_MESSAGE
from models.fakes import FakeClock
from storage.record import Record
from tests.bot.conftest import (
    HOME,
    JUN,
    LOUNGE,
    MINA,
    PATIENCE_S,
    PaperAdapter,
    PuppetModel,
    fates,
    handle,
    nothing_is_left,
    say,
)

ANSWER, FACE = OUTPUT_MESSAGE.name, EYES_MOUTH_POSE.name


async def written(record: Record) -> list[str]:
    """The texts of Mina's messages as the record has them."""
    return [message["text"] for message in (await record.people.export(MINA))["messages"]]


class TestEdits:
    @pytest.mark.parametrize("stage", [ANSWER, FACE])
    async def test_the_newest_text_is_answered_and_stored(
        self, service: Service, paper: PaperAdapter, record: Record, language: PuppetModel, stage: str
    ) -> None:
        language.gated = {stage}
        turn = await service.receive(say("안녕"))
        await language.arrived.get()
        for text in ("잘 가", "잘 자"):
            await service.amend(HOME, "m1", text)
            await language.arrived.get()
        language.gate.set()
        await turn
        assert [reply.to.text for reply in paper.replies] == await written(record) == ["잘 자"]
        assert language.asked(ANSWER)[-1] == "잘 자 (답변 시작)"
        assert [reply["final_input"] for reply in (await record.people.export(MINA))["replies"]] == ["잘 자"]
        assert await nothing_is_left(record)

    async def test_a_message_that_is_not_its_turn_yet_is_asked_about_once(
        self, service: Service, paper: PaperAdapter, record: Record, language: PuppetModel
    ) -> None:
        language.gated = {ANSWER}
        first, second = await service.receive(say("하나", 1)), await service.receive(say("둘", 2))
        await language.arrived.get()
        await service.amend(HOME, "m2", "둘 반")
        language.gate.set()
        await asyncio.gather(first, second)
        assert [reply.to.text for reply in paper.replies] == await written(record) == ["하나", "둘 반"]
        assert [text for text in language.asked(ANSWER) if "둘" in text] == [
            "(오로라 답변 요약) 듣고 있다고 했다 (사용자 질문) 둘 반 (답변 시작)"
        ]

    async def test_the_same_text_again_is_no_change(self, service: Service, language: PuppetModel) -> None:
        language.gated = {ANSWER}
        turn = await service.receive(say("안녕"))
        await language.arrived.get()
        await service.amend(HOME, "m1", "안녕")
        language.gate.set()
        await turn
        assert language.arrived.empty()

    async def test_an_edit_after_the_reply_does_nothing(
        self, service: Service, paper: PaperAdapter, record: Record, language: PuppetModel
    ) -> None:
        await handle(service, say("안녕"))
        await service.amend(HOME, "m1", "잘 가")
        assert await written(record) == ["안녕"]
        assert len(paper.replies) == len(language.asked(ANSWER)) == 1

    async def test_an_edit_while_the_reply_leaves_comes_too_late(
        self, service: Service, paper: PaperAdapter, record: Record
    ) -> None:
        paper.gate.clear()
        turn = await service.receive(say("안녕"))
        await paper.posting.wait()
        await service.amend(HOME, "m1", "잘 가")
        await service.withdraw(HOME, "m1")
        paper.gate.set()
        await turn
        assert await written(record) == ["안녕"]
        assert (paper.answered, paper.cleared) == (["m1"], [])
        assert await nothing_is_left(record)

    async def test_only_the_message_of_that_chat_changes(
        self, service: Service, paper: PaperAdapter, language: PuppetModel
    ) -> None:
        language.gated = {ANSWER}
        turn = await service.receive(say("안녕"))
        await language.arrived.get()
        await service.amend(LOUNGE, "m1", "잘 가")
        await service.withdraw(LOUNGE, "m1")
        await service.withdraw(HOME, "m2")
        language.gate.set()
        await turn
        assert [reply.to.text for reply in paper.replies] == ["안녕"]


class TestDeletions:
    async def test_a_deleted_message_is_dropped(
        self, service: Service, paper: PaperAdapter, record: Record, language: PuppetModel
    ) -> None:
        language.gated = {ANSWER}
        turn = await service.receive(say("안녕"))
        await language.arrived.get()
        await service.withdraw(HOME, "m1")
        language.gate.set()
        await turn
        assert (paper.replies, paper.cleared) == ([], [say("안녕")])
        assert language.prompts == []
        assert await nothing_is_left(record)
        await handle(service, say("안녕"))
        assert paper.replies == []

    async def test_one_that_is_not_its_turn_yet_is_never_thought_about(
        self, service: Service, paper: PaperAdapter, record: Record, language: PuppetModel
    ) -> None:
        language.gated = {ANSWER}
        turns = [await service.receive(say(text, number)) for number, text in enumerate(("하나", "둘", "셋"))]
        await language.arrived.get()
        await service.withdraw(HOME, "m1")
        language.gate.set()
        await asyncio.gather(*turns)
        assert paper.answered == ["m0", "m2"]
        assert not [text for text in language.asked(ANSWER) if "둘" in text]
        assert await nothing_is_left(record)

    async def test_a_deletion_after_the_reply_does_nothing(
        self, service: Service, paper: PaperAdapter, record: Record
    ) -> None:
        await handle(service, say("안녕"))
        await service.withdraw(HOME, "m1")
        assert paper.cleared == []
        assert await fates(record) == ["delivered"]

    async def test_nobody_apologises_for_a_deleted_message(
        self, service: Service, paper: PaperAdapter, record: Record, language: PuppetModel
    ) -> None:
        language.gated, language.failing, language.error = {ANSWER}, {ANSWER}, GenerationFailed("gone")
        turn = await service.receive(say("안녕"))
        await language.arrived.get()
        shown = paper.posted
        paper.fault = DeliveryError("the paper is torn")
        await service.withdraw(HOME, "m1")
        language.gate.set()
        await turn
        assert shown
        assert all(reply.empty for reply in shown)
        assert await nothing_is_left(record)


class TestTheLine:
    @pytest.fixture
    def slow_line(self) -> Line:
        """One that moves every ten seconds."""
        moments: Iterator[float] = iter((0.0, 0.0, 10.0))
        line = Line(100, lambda: next(moments, 10.0), PATIENCE_S)
        line.leave(line.join())
        return line

    async def test_who_waits_is_told_the_place_in_line_and_the_time(
        self, conversation: Conversation, record: Record, paper: PaperAdapter, language: PuppetModel, clock: FakeClock,
        slow_line: Line, casework: CaseWork,
    ) -> None:  # fmt: skip
        turns = HereTurns(conversation, record.turns, record.cases)
        service = Service(turns, record.turns, [paper], Outbox(record.turns, clock), slow_line, casework)
        language.gated = {ANSWER}
        turns = [await service.receive(message) for message in (say("하나", 1), say("둘", 2, JUN))]
        held = [await paper.held.get() for _ in turns]
        assert [(message.message_id, notice.kind) for message, notice in held] == [
            ("m1", NoticeKind.SLOW), ("m2", NoticeKind.SLOW),
        ]  # fmt: skip
        assert ["대기 1번째야. 10초쯤" in held[0][1].text, "대기 2번째야. 20초쯤" in held[1][1].text] == [True, True]
        language.gate.set()
        await asyncio.gather(*turns)
        assert sorted(paper.answered) == ["m1", "m2"]
        assert paper.held.empty()

    async def test_who_waits_longer_than_expected_is_told_too(
        self, impatient: Service, paper: PaperAdapter, language: PuppetModel
    ) -> None:
        language.gated = {ANSWER}
        turn = await impatient.receive(say("안녕"))
        message, notice = await paper.held.get()
        assert (message, notice.kind) == (say("안녕"), NoticeKind.SLOW)
        assert "대기 1번째야. 1초쯤" in notice.text
        language.gate.set()
        await turn

    async def test_the_newest_text_is_what_waits(
        self, impatient: Service, paper: PaperAdapter, language: PuppetModel
    ) -> None:
        language.gated = {ANSWER}
        turn = await impatient.receive(say("안녕"))
        await impatient.amend(HOME, "m1", "잘 가")
        assert (await paper.held.get())[0].text == "잘 가"
        language.gate.set()
        await turn

    @pytest.mark.parametrize("fault", [DeliveryError("the paper is torn"), RuntimeError("a bug")])
    async def test_a_wait_that_cannot_be_shown_hurts_nothing(
        self, impatient: Service, paper: PaperAdapter, language: PuppetModel, fault: Exception,
        caplog: pytest.LogCaptureFixture,
    ) -> None:  # fmt: skip
        paper.hold_fault, language.gated = fault, {ANSWER}
        turn = await impatient.receive(say("안녕"))
        await paper.held.get()
        language.gate.set()
        await turn
        assert (paper.answered, paper.notices) == (["m1"], [])
        assert "its wait could not be shown" in caplog.text

    async def test_nothing_stands_for_a_reply_that_is_on_its_way(
        self, impatient: Service, paper: PaperAdapter, language: PuppetModel
    ) -> None:
        paper.gate.clear()
        turn = await impatient.receive(say("안녕"))
        await paper.posting.wait()
        running = [task.get_coro().__qualname__ for task in asyncio.all_tasks()]  # type: ignore[union-attr]
        assert not [name for name in running if "announc" in name]
        paper.gate.set()
        await turn
        assert paper.held.empty()

    async def test_a_deleted_message_takes_its_notice_with_it(
        self, impatient: Service, paper: PaperAdapter, language: PuppetModel
    ) -> None:
        language.gated = {ANSWER}
        turn = await impatient.receive(say("안녕"))
        await paper.held.get()
        await impatient.withdraw(HOME, "m1")
        await turn
        assert paper.cleared == [say("안녕")]

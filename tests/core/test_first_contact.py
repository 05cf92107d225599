"""What a person is told and when: what she is, that they are blocked; and what pausing means."""

from datetime import timedelta

import numpy as np
import pytest

from core.messages import NoticeKind, Turn
from core.recall import NO_CONTEXT, PersonaIndex, PersonaRow
from models.fakes import FakeEncoder
from storage.record import Record
from tests.core.talk import ELSEWHERE, JUN, MINA, SERVER, Talk, issued_to, script

INSULT, LOVE = "패드립", "사랑 고백/만남"
SINGER = "[좋아하는 가수: 에스파]"


def kinds(turn: Turn) -> list[NoticeKind]:
    return [notice.kind for notice in turn.reply.notices]


class TestTheIntroduction:
    async def test_everybody_is_told_once_what_she_is_wherever_they_write(self, record: Record) -> None:
        talk = Talk(record, strangers=True)
        said = [
            await talk.say("안녕"), await talk.say("안녕", JUN), await talk.say("안녕", chat=SERVER),
            await talk.say("또 안녕"), await talk.say("또 안녕", JUN, SERVER),
        ]  # fmt: skip
        assert [kinds(turn) for turn in said] == [[NoticeKind.INTRODUCTION], [NoticeKind.INTRODUCTION], [], [], []]
        assert said[0].reply.text == "응, 듣고 있어!"
        assert "/memory" in said[0].reply.notices[0].text

    async def test_a_restart_does_not_repeat_it(self, record: Record) -> None:
        await Talk(record, strangers=True).say("안녕")
        restarted = Talk(record, strangers=True)
        assert kinds(await restarted.say("안녕", chat=ELSEWHERE)) == []

    async def test_whoever_was_told_otherwise_is_not_told_again(self, record: Record) -> None:
        await record.people.introduce(MINA)
        assert kinds(await Talk(record, strangers=True).say("안녕")) == []

    async def test_a_reply_that_was_never_committed_introduced_nobody(self, record: Record) -> None:
        talk = Talk(record, strangers=True)
        lost = await talk.conversation.reply(talk.message("안녕"))
        assert kinds(lost) == kinds(await talk.say("안녕")) == [NoticeKind.INTRODUCTION]

    @pytest.mark.parametrize(
        ("text", "before"),
        [("", NoticeKind.EMPTY), ("가" * 100, NoticeKind.TOO_LONG), (INSULT, NoticeKind.BLOCK)],
        ids=["empty", "too long", "insult"],
    )
    async def test_it_comes_behind_whatever_else_is_due(self, record: Record, text: str, before: NoticeKind) -> None:
        talk = Talk(record, strangers=True)
        assert kinds(await talk.say(text)) == [before, NoticeKind.INTRODUCTION]
        assert NoticeKind.INTRODUCTION not in kinds(await talk.say("안녕"))

    async def test_it_is_in_the_persons_language(self, record: Record) -> None:
        turn = await Talk(record, strangers=True).say("hi", language="en")
        assert turn.reply.notices[0].text.startswith("By the way, I am an AI")


class TestTellingOfABlock:
    async def test_it_is_told_once_in_ten_minutes_and_costs_no_thought(self, record: Record) -> None:
        talk = Talk(record)
        await talk.say(INSULT)
        talk.language.prompts.clear()
        talk.memory_encoder.texts.clear()
        heard = []
        for minutes, seconds in ((0, 0), (0, 1), (9, 58), (0, 1), (0, 1), (10, 0)):
            talk.later(minutes=minutes, seconds=seconds)
            turn = await talk.say("왜 대답 안 해?", chat=SERVER)
            heard.append(kinds(turn))
            assert turn.reply.empty == (heard[-1] == [])
        assert heard == [[NoticeKind.BLOCKED], [], [], [NoticeKind.BLOCKED], [], [NoticeKind.BLOCKED]]
        assert talk.language.prompts == []
        assert talk.memory_encoder.texts == []
        assert await record.turns.undelivered() == []

    async def test_everybody_is_told_for_themselves(self, record: Record) -> None:
        talk = Talk(record)
        for person in (MINA, JUN):
            await talk.say(INSULT, person)
        told = [kinds(await talk.say("응?", person)) for person in (MINA, JUN, MINA, JUN)]
        assert told == [[NoticeKind.BLOCKED], [NoticeKind.BLOCKED], [], []]

    async def test_after_the_block_she_answers_again(self, record: Record) -> None:
        talk = Talk(record)
        await talk.say(INSULT)
        await talk.say("응?")
        talk.later(days=7)
        turn = await talk.say("안녕")
        assert (turn.reply.text, kinds(turn)) == ("응, 듣고 있어!", [])


class TestPausing:
    async def test_a_paused_person_is_neither_recalled_nor_remembered_until_they_resume(self, record: Record) -> None:
        talk = Talk(record, script(memory=[SINGER, "[취미: 노래]"], summary=["첫 요약", "둘째 요약"]))
        await talk.say("에스파!")
        await record.people.pause(MINA, True)
        for text in ("좋아하는 가수 누구게", "그래서"):
            turn = await talk.say(text)
            assert talk.asked()[-1].text == f"{text} (답변 시작)"
            assert turn.reply.text
            assert (turn.final_input, turn.to_remember) == ("", False)
        assert await talk.remembered() == [SINGER]
        assert await talk.summary() == "첫 요약"
        assert len(talk.asked("memory")) == len(talk.asked("summary")) == 1
        await record.people.pause(MINA, False)
        await talk.say("좋아하는 가수 누구게")
        assert talk.asked()[-1].text.startswith(SINGER)
        assert await talk.remembered() == [SINGER, "[취미: 노래]"]

    async def test_pausing_is_everybodys_own(self, record: Record) -> None:
        talk = Talk(record, script(memory=[SINGER]))
        await record.people.pause(JUN, True)
        for person in (MINA, JUN):
            await talk.say("에스파!", person)
        assert [await talk.remembered(person) for person in (MINA, JUN)] == [[SINGER], []]

    async def test_a_paused_person_is_judged_all_the_same(self, record: Record) -> None:
        talk = Talk(record, script("미안"))
        await record.people.pause(MINA, True)
        assert [kinds(await talk.say(LOVE)) for _ in range(2)] == [[NoticeKind.WARNING], [NoticeKind.BLOCK]]
        assert [one.period for one in await issued_to(MINA, record)] == [timedelta(0), timedelta(hours=1)]

    async def test_her_own_persona_is_no_memory_of_the_person(self, record: Record) -> None:
        vectors = await FakeEncoder().encode(["몇 살이야"])
        rows = PersonaIndex((PersonaRow("몇 살이야", "스물둘!", NO_CONTEXT),), vectors, np.zeros_like(vectors), 0.3)
        talk = Talk(record, recall=rows)
        await record.people.pause(MINA, True)
        await talk.say("몇 살이야")
        assert talk.asked()[0].text.startswith("(제공된 정보) 몇 살이야 → 스물둘!")

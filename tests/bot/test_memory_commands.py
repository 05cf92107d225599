"""/memory: what she remembers, and how to be rid of it."""

import json
from dataclasses import replace

import numpy as np
import pytest

from bot import commands as commands_module
from bot.adapters.desk import CommandDesk
from bot.app import App
from bot.service import Service
from core.memory import MemoryChange, MemoryItem
from core.messages import ChatKey, Reply, Turn
from core.ports import Prompt
from core.tasks import MEMORY, OUTPUT_MESSAGE
from models.fakes import plain_rule
from storage.record import Record
from tests.bot.asking import ask, button
from tests.bot.conftest import HOME, JUN, LOUNGE, MINA, PaperAdapter, PuppetModel, handle, say

GAMES, ELSEWHERE = replace(LOUNGE, chat_id="games"), ChatKey("paper", "lounge 2", False, "guild 2")


def remembers(prompt: Prompt) -> str:
    """A message "key: value" leaves that item."""
    if prompt.task != MEMORY.name:
        return plain_rule(prompt)
    said = prompt.text.removesuffix(" (요약 시작)").split("(사용자 질문) ")[-1]
    return f"[{said}] {prompt.stop}"


async def learn(record: Record, number: int, key: str) -> None:
    """One item of Mina's, as a turn leaves it."""
    message = say("안녕", number)
    item = MemoryItem(key, "노래", "", message.sent_at, np.zeros(1, np.float32))
    await record.turns.receive(message)
    turn_id = await record.turns.commit(Turn(Reply(message, "응"), "안녕"))
    await record.turns.remember(turn_id, lambda _: MemoryChange(add=item), None)


@pytest.fixture
def service(app: App, language: PuppetModel) -> Service:
    """What she is told as "key: value" she remembers."""
    language.rule = remembers
    return app.service


async def test_items_are_listed_by_number_forgotten_by_number_and_nobody_elses(
    commands: CommandDesk, service: Service, record: Record
) -> None:
    await handle(service, say("롤 티어: 실버", 1))
    await handle(service, say("좋아하는 가수: 에스파", 2))
    first, second = await record.memories.items(MINA)
    listed = (await commands.run(ask("memory"))).text.splitlines()
    assert listed[1:] == [f"{second.item_id}. {second.text}", f"{first.item_id}. {first.text}"]
    assert "롤" not in (await commands.run(ask("memory", person=JUN))).text
    forget = f"memory forget {first.item_id}"
    assert "없어" in (await commands.run(ask(forget, person=JUN))).text
    assert (await commands.run(ask(forget))).text == "1개를 잊었어."
    assert await record.memories.items(MINA) != []
    assert (await commands.run(ask("memory forget all 응"))).text == "1개를 잊었어."
    assert await record.memories.items(MINA) == []


@pytest.mark.parametrize(
    "words", ["memory forget all", "memory forget all?", "memory forget all 아니", "memory forget all no"]
)
async def test_everything_is_forgotten_only_with_the_word_that_the_question_names(
    commands: CommandDesk, service: Service, record: Record, words: str
) -> None:
    await handle(service, say("취미: 노래"))
    question = await commands.run(ask(words))
    assert question.text == "정말 너에 대한 기억 1개를 전부 잊을까? 되돌릴 수 없어."
    assert question.instead.endswith("/memory forget all 응")
    assert len(await record.memories.items(MINA)) == 1
    assert (await commands.run(ask("memory forget all YES", "en"))).text == "Forgot 1."
    assert await record.memories.items(MINA) == []


async def test_a_place_shows_what_may_be_used_there_and_a_private_chat_everything(
    commands: CommandDesk, service: Service
) -> None:
    said = [("취미: 노래", HOME), ("롤 티어: 실버", LOUNGE), ("별명: 미나리", ELSEWHERE)]
    for number, (text, chat) in enumerate(said):
        await handle(service, say(text, number, chat=chat))
    for chat, seen in ((HOME, [0, 1, 2]), (LOUNGE, [1]), (GAMES, [1]), (ELSEWHERE, [2])):
        shown = (await commands.run(ask("memory", chat=chat))).text
        assert [number for number, (text, _) in enumerate(said) if text in shown] == seen, chat


async def test_buttons_forget_turn_pages_and_ask_before_everything_goes(commands: CommandDesk, record: Record) -> None:
    for number in range(12):
        await learn(record, number, f"취미 {number}")
    page = await commands.run(ask("memory"))
    oldest = (await record.memories.items(MINA))[0]
    second = await commands.pressed(ask("unused"), button(page, "list 2"))
    assert oldest.text in second.text
    forgot = await commands.pressed(ask("unused"), button(second, f"forget {oldest.item_id}"))
    assert forgot.text == "1개를 잊었어."
    question = await commands.pressed(ask("unused"), button(page, "forget all"))
    assert "11개를 전부 잊을까?" in question.text
    assert len(await record.memories.items(MINA)) == 11
    assert "(11개)" in (await commands.pressed(ask("unused"), button(question, "list"))).text
    assert (await commands.pressed(ask("unused"), button(question, "forget all 응"))).text == "11개를 잊었어."
    assert await record.memories.items(MINA) == []


@pytest.mark.parametrize("task", [OUTPUT_MESSAGE.name, MEMORY.name])
async def test_nothing_said_before_is_learned_after_everything_was_forgotten(
    commands: CommandDesk, service: Service, record: Record, language: PuppetModel, paper: PaperAdapter, task: str
) -> None:
    language.gated = {task}
    turn = await service.receive(say("취미: 노래"))
    await language.arrived.get()
    assert (await commands.run(ask("memory forget all 응"))).text == "0개를 잊었어."
    language.gate.set()
    await turn
    assert paper.answered == ["m1"]
    assert await record.memories.items(MINA) == []
    await handle(service, say("별명: 미나리", 2))
    assert [item.text for item in await record.memories.items(MINA)] == ["[별명: 미나리]"]


async def test_looking_does_not_wait_long_for_a_busy_device(
    commands: CommandDesk, service: Service, language: PuppetModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    await handle(service, say("취미: 노래", 1))
    language.gated = {MEMORY.name}
    turn = await service.receive(say("별명: 미나리", 2))
    await language.arrived.get()
    monkeypatch.setattr(commands_module, "_LOOKS_WAIT_S", 0.0)
    assert "취미: 노래" in (await commands.run(ask("memory"))).text
    assert not turn.done()
    language.gate.set()
    await turn


@pytest.mark.parametrize(("spoken", "paused", "resumed"), [("ko", "알겠어", "좋아"), ("en", "All right", "Good")])
async def test_pausing_and_resuming_take_turns(
    commands: CommandDesk, service: Service, record: Record, spoken: str, paused: str, resumed: str
) -> None:
    assert (await commands.run(ask("memory pause", spoken))).text.startswith(paused)
    assert (await record.people.of(MINA)).paused
    await handle(service, say("취미: 노래"))
    assert await record.memories.items(MINA) == []
    page = await commands.run(ask("memory", spoken))
    resuming = await commands.pressed(ask("unused", spoken), button(page, "pause"))
    assert resuming.text.startswith(resumed)
    assert not (await record.people.of(MINA)).paused


async def test_the_export_is_a_file_of_json_with_everything_of_the_person_only(
    commands: CommandDesk, service: Service
) -> None:
    await handle(service, say("카나리아: 미나 \ud800", 1))
    await handle(service, say("카나리아: 준", 2, JUN))
    answer = await commands.run(ask("memory export"))
    (file,) = answer.files
    assert file.name == "aurora-export.json"
    content = file.content.decode()
    assert "카나리아: 미나" in content
    assert "준" not in content
    kept = json.loads(content)
    assert (kept["made_at"], kept["version"]) == ("2025-11-21T03:00:00+00:00", 2)
    assert kept["messages"][0]["text"] == "카나리아: 미나 \ud800"
    assert kept["replies"][0]["text"] == "응, 듣고 있어!"
    assert [(one["key"], one["value"]) for one in kept["memories"]] == [("카나리아", "미나")]
    assert kept["summaries"][0]["text"] == "듣고 있다고 했다"

"""What a person can ask about themselves."""

from datetime import timedelta

import pytest

from bot.adapters.base import Command
from bot.commands import Commands
from bot.service import Service
from core import Policy
from core.messages import PersonKey, Reply, Turn
from core.ports import Prompt
from core.sanctions import Sanction
from core.tasks import MEMORY
from models.fakes import FakeClock, plain_rule
from storage.record import Record
from tests.bot.conftest import MINA, FailingModel, say

OTHER = PersonKey("paper", "jun")


@pytest.fixture
def commands(record: Record, clock: FakeClock) -> Commands:
    return Commands(record, clock, Policy())


def remembers(prompt: Prompt) -> str:
    """A message "key: value" leaves that item."""
    if prompt.task != MEMORY.name:
        return plain_rule(prompt)
    said = prompt.text.removesuffix(" (요약 시작)").split("(사용자 질문) ")[-1]
    return f"[{said}] {prompt.stop}"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (Command("memory"), "I don't remember anything about you yet."),
        (Command("forget"), "Give a number as in /forget 3, or /forget all."),
        (Command("forget", "three"), "Give a number as in /forget 3, or /forget all."),
        (Command("forget", "٣"), "Give a number as in /forget 3, or /forget all."),
        (Command("forget", "-1"), "Give a number as in /forget 3, or /forget all."),
        (Command("forget", "9" * 100), "Give a number as in /forget 3, or /forget all."),
        (Command("forget", "7"), "I remember nothing under that number."),
        (Command("forget", "all"), "Forgot 0."),
        (Command("standing"), "No warnings, no blocks."),
        (Command("help"), "/memory what I remember"),
        (Command("dance"), "I don't know that command. /memory what I remember"),
        (Command(""), "I don't know that command."),
    ],
)
async def test_someone_new_gets_a_helpful_sentence(commands: Commands, command: Command, said: str) -> None:
    assert (await commands.run(MINA, command, "en")).startswith(said)


async def test_memories_are_listed_by_number_forgotten_by_number_and_nobody_elses(
    commands: Commands, service: Service, language: FailingModel, record: Record
) -> None:
    language.rule = remembers
    await service.handle(say("롤 티어: 실버", 1))
    await service.handle(say("좋아하는 가수: 에스파", 2))
    first, second = await record.memories.items(MINA)
    listed = await commands.run(MINA, Command("memory"), "ko")
    assert listed.splitlines()[1:] == [f"{first.item_id}. {first.text}", f"{second.item_id}. {second.text}"]
    assert "롤" not in await commands.run(OTHER, Command("memory"), "ko")
    assert "없어" in await commands.run(OTHER, Command("forget", str(first.item_id)), "ko")
    assert "1" in await commands.run(MINA, Command("forget", str(first.item_id)), "ko")
    assert [item.item_id for item in await record.memories.items(MINA)] == [second.item_id]
    await commands.run(MINA, Command("forget", "all"), "ko")
    assert await record.memories.items(MINA) == []


async def test_standing_shows_warnings_and_a_block_until_it_is_over(
    commands: Commands, record: Record, clock: FakeClock
) -> None:
    asked = say("사귀자")
    await record.turns.receive(asked)
    issued = (
        Sanction("love", 1, clock.now(), timedelta(0)),
        Sanction("hate", 1, clock.now(), timedelta(hours=24)),
    )
    await record.turns.commit(Turn(Reply(asked, "미안"), "사귀자", issued))
    shown = await commands.run(MINA, Command("standing"), "en")
    assert shown.splitlines()[:2] == ["love confession / dating: 1", "hate / improper: 1"]
    assert "Blocked until 2025-11-22 12:00" in shown
    clock.move(timedelta(hours=25))
    assert "Blocked" not in await commands.run(MINA, Command("standing"), "en")


async def test_a_record_that_fails_gives_an_honest_sentence(commands: Commands, record: Record) -> None:
    await record.close()
    assert "something went wrong" in await commands.run(MINA, Command("memory"), "en")

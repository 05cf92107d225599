"""What has to be well: each check over the real thing, while it is well, while it is not, and again."""

import asyncio
import socket
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.adapters.telegram import Webhook
from bot.observing.checks import connected, differ, models_answer, writable
from bot.observing.metrics import Metrics
from bot.observing.models import watched
from bot.observing.readiness import Check, Readiness
from core import Models
from core.errors import ConfigurationError, EngineOverloaded, GenerationFailed
from core.messages import PersonKey
from core.ports import Prompt
from core.tasks import MEMORY, TASKS
from models.fakes import FakeClock
from storage.record import Record
from tests.bot.conftest import PuppetModel
from tests.bot.observed import Watcher, watched_by
from tests.end_to_end import discord_house, telegram_house
from tests.end_to_end.discord_house import house as discord
from tests.end_to_end.telegram_house import house as telegram

__all__ = ["discord", "telegram"]


@asynccontextmanager
async def checking(metrics: Metrics | None = None, **checks: Check) -> AsyncIterator[Watcher]:
    """A watcher of these checks, each looked at anew whenever somebody asks."""
    readiness = Readiness(keep_s=0)
    async with watched_by(metrics or Metrics(), readiness) as watcher:
        with readiness.serving(checks):
            yield watcher


# The record


async def test_a_record_that_somebody_else_locks_is_not_writable_until_they_let_go(
    tmp_path: Path, clock: FakeClock
) -> None:
    file = tmp_path / "record.db"
    async with (
        await Record.open(f"sqlite+aiosqlite:///{file}", lock_wait=0.05) as record,
        checking(record=writable(record.notes, clock, "run")) as watcher,
    ):
        assert await watcher.states() == {"record": "ok"}
        other = sqlite3.connect(file, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        assert await watcher.states() == {"record": "failed"}
        other.execute("ROLLBACK")
        other.close()
        assert await watcher.states() == {"record": "ok"}


# Models


async def test_models_that_fail_are_asked_until_they_answer_again(thinking: Models, language: PuppetModel) -> None:
    metrics = Metrics()
    models = watched(thinking, metrics)
    language.failing, language.error = {MEMORY.name}, GenerationFailed("the device is gone")
    async with checking(metrics, models=models_answer(models, metrics)) as watcher:
        assert await watcher.states() == {"models": "failed"}
        language.failing.clear()
        assert await watcher.states() == {"models": "ok"}
    assert {prompt.task for prompt in language.prompts} == {task.name for task in TASKS}


async def test_who_answered_lately_is_not_asked(thinking: Models, language: PuppetModel) -> None:
    metrics = Metrics()
    models = watched(thinking, metrics)
    async with checking(metrics, models=models_answer(models, metrics, lately_s=60)) as watcher:
        assert await watcher.states() == {"models": "ok"}
        asked = len(language.prompts)
        assert await watcher.states() == {"models": "ok"}
        assert len(language.prompts) == asked
    async with checking(metrics, models=models_answer(models, metrics, lately_s=0)) as watcher:
        assert await watcher.states() == {"models": "ok"}
        assert len(language.prompts) == 2 * asked


async def test_questions_to_models_are_counted_by_task_and_outcome(thinking: Models, language: PuppetModel) -> None:
    metrics = Metrics()
    models = watched(thinking, metrics)
    prompt = Prompt(MEMORY.name, "안녕", MEMORY.stop, 24, 0.0, PersonKey("paper", "mina"))
    tokens = (await models.language.complete(prompt)).tokens
    await models.memory_encoder.encode(["안녕", "하이"])
    language.failing = {MEMORY.name}
    for error in (GenerationFailed("gone"), EngineOverloaded("full")):
        language.error = error
        with pytest.raises(type(error)):
            await models.language.complete(prompt)
    async with checking(metrics) as watcher:
        outcomes = {
            outcome: await watcher.value("ohlora_model_requests_total", task=MEMORY.name, outcome=outcome)
            for outcome in ("done", "failed", "overloaded")
        }
        assert outcomes == {"done": 1, "failed": 1, "overloaded": 1}
        assert await watcher.value("ohlora_model_tokens_total", task=MEMORY.name) == tokens
        assert await watcher.value("ohlora_model_seconds_count", task="memory_encoder") == 1
    assert models.language.count_tokens(MEMORY.name, "안녕하세요") == thinking.language.count_tokens("", "안녕하세요")


# Adapters of models


class Comparison:
    """models.openai_lm.verify: `done` after each, `error` where an adapter answers as its base."""

    def __init__(self) -> None:
        self.error: ConfigurationError | None = None
        self.bases: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.done = asyncio.Event()

    async def __call__(self, base: str) -> None:
        self.bases.append(base)
        await self.gate.wait()
        self.done.set()
        if self.error is not None:
            raise self.error


async def until_compared(comparison: Comparison) -> None:
    """Until the comparison under way has told its outcome."""
    comparison.done.clear()
    comparison.gate.set()
    await comparison.done.wait()
    await asyncio.sleep(0)


async def test_a_comparison_goes_on_behind_the_report_and_the_next_one_tells() -> None:
    comparison = Comparison()
    async with checking(adapters=differ(comparison, "base", every_s=0)) as watcher:
        assert await watcher.states() == {"adapters": "ok"}
        comparison.error = ConfigurationError("the adapter is not loaded there")
        comparison.gate.clear()
        for _ in range(3):  # as long as nobody knows better
            assert await watcher.states() == {"adapters": "ok"}
        assert comparison.bases == ["base", "base"]
        await until_compared(comparison)
        comparison.gate.clear()
        comparison.error = None
        assert await watcher.states() == {"adapters": "failed"}
        await until_compared(comparison)
        assert await watcher.states() == {"adapters": "ok"}


async def test_a_comparison_that_went_well_holds_for_a_while() -> None:
    comparison = Comparison()
    async with checking(adapters=differ(comparison, "base", every_s=60)) as watcher:
        for _ in range(3):
            assert await watcher.states() == {"adapters": "ok"}
    assert len(comparison.bases) == 1


# Platforms


async def until_states(watcher: Watcher, wanted: dict[str, str]) -> None:
    """Until the report says so; each request gives the adapter time to notice."""
    async with asyncio.timeout(20):
        while await watcher.states() != wanted:
            pass


async def test_discord_is_connected_while_its_gateway_tells_what_happens(discord: discord_house.House) -> None:
    adapter, gateway = discord.adapter(), discord.server.gateway
    async with checking(discord=connected(adapter)) as watcher:
        assert await watcher.states() == {"discord": "failed"}
        async with discord.served(adapter=adapter):
            await until_states(watcher, {"discord": "ok"})
            gateway.refusing = True
            gateway.drop()
            await until_states(watcher, {"discord": "failed"})
            gateway.refusing = False
            await until_states(watcher, {"discord": "ok"})
        assert await watcher.states() == {"discord": "failed"}


async def test_telegram_is_connected_while_its_messages_can_be_fetched(telegram: telegram_house.House) -> None:
    adapter = telegram.adapter()
    async with checking(telegram=connected(adapter)) as watcher:
        assert await watcher.states() == {"telegram": "failed"}
        async with telegram.served(adapter=adapter):
            assert await watcher.states() == {"telegram": "ok"}
            await telegram.settled()
            telegram.server.fault("getUpdates", times=1000, status=502)
            await telegram.server.say(telegram.person, telegram.private, "안녕")
            await until_states(watcher, {"telegram": "failed"})
            telegram.server.faults.clear()
            await until_states(watcher, {"telegram": "ok"})
            await telegram.spoken(telegram.private)
        assert await watcher.states() == {"telegram": "failed"}


async def test_telegram_is_connected_while_its_webhook_is_registered(telegram: telegram_house.House) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    adapter = telegram.adapter(webhook=Webhook(f"http://127.0.0.1:{port}", "127.0.0.1", port))
    async with checking(telegram=connected(adapter)) as watcher:
        async with telegram.served(adapter=adapter):
            await until_states(watcher, {"telegram": "ok"})
        assert await watcher.states() == {"telegram": "failed"}

"""What is counted while a real service answers over a real record, as Prometheus would read it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
import pytest_asyncio

from bot.app import assemble
from bot.config import Settings, TurnSettings
from bot.observing.metrics import Metrics
from bot.observing.models import watched
from bot.observing.readiness import Readiness
from bot.service import Service
from core import Models
from core.errors import DeliveryError, DeliveryRefused, EngineOverloaded, GenerationFailed, RecordError
from core.ethics import Thresholds
from core.messages import PersonKey
from core.tasks import MEMORY, OUTPUT_MESSAGE
from models.fakes import FakeClock
from storage.record import Record
from tests.bot.conftest import HOME, PaperAdapter, PuppetModel, handle, say
from tests.bot.observed import Watcher, watched_by
from tests.end_to_end.serving import FakeJudge

MEAN = "로라야 꺼져"


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def service(record: Record, thinking: Models, paper: PaperAdapter, clock: FakeClock, metrics: Metrics) -> Service:
    """With a line for two, and a judge who minds MEAN."""
    models = replace(thinking, ethics_encoder=FakeJudge(), ethics_thresholds=Thresholds())
    settings = Settings.model_construct(turn=TurnSettings(line=2))
    return assemble(settings, record, watched(models, metrics), [paper], clock, metrics).service


@pytest_asyncio.fixture
async def watcher(metrics: Metrics) -> AsyncIterator[Watcher]:
    async with watched_by(metrics, Readiness()) as opened:
        yield opened


async def counted(watcher: Watcher, name: str, label: str) -> dict[str, float]:
    """Value of the label → count, without zeros."""
    return {
        one.labels[label]: one.value for one in await watcher.samples() if one.name == f"ohlora_{name}" and one.value
    }


async def test_an_answered_turn_is_counted_once_and_timed_in_all_its_stages(service: Service, watcher: Watcher) -> None:
    await handle(service, say("안녕"))
    assert await counted(watcher, "turns_total", "outcome") == {"answered": 1}
    assert await counted(watcher, "turns_total", "platform") == {"paper": 1}
    assert await counted(watcher, "deliveries_total", "outcome") == {"delivered": 1}
    stages = ("line", "finding", "commit", "delivery", "bookkeeping", "whole")
    assert await counted(watcher, "stage_seconds_count", "stage") == dict.fromkeys(stages, 1)
    parts = {stage: await watcher.value("ohlora_stage_seconds_sum", stage=stage) for stage in stages}
    assert sum(parts[stage] for stage in ("line", "finding", "commit", "delivery")) <= parts["whole"] + 0.01
    assert await counted(watcher, "errors_total", "dependency") == {}


async def test_a_duplicate_and_a_message_without_words_are_told_apart_from_answers(
    service: Service, watcher: Watcher
) -> None:
    for message in (say("안녕"), say("안녕"), say("\u200b", 2)):
        await handle(service, message)
    assert await counted(watcher, "turns_total", "outcome") == {"answered": 1, "notice": 1}


async def test_a_sanction_is_counted_by_category_and_kind_and_whoever_is_blocked_gets_a_notice_then_silence(
    service: Service, watcher: Watcher, clock: FakeClock
) -> None:
    for number in range(3):
        await handle(service, say(MEAN, number))
        clock.move(timedelta(seconds=1))
    (sample,) = [one for one in await watcher.samples() if one.name == "ohlora_sanctions_total"]
    assert (sample.labels, sample.value) == ({"category": "hate", "kind": "block", "mode": "enforce"}, 1)
    assert await counted(watcher, "turns_total", "outcome") == {"answered": 1, "notice": 1, "silent": 1}


async def test_a_full_line_is_busy_and_a_withdrawn_message_dropped(
    service: Service, watcher: Watcher, language: PuppetModel
) -> None:
    language.gated = {OUTPUT_MESSAGE.name}
    turns = [await service.receive(say(str(number), number, PersonKey("paper", str(number)))) for number in range(3)]
    assert await watcher.value("ohlora_line") == 2
    await service.withdraw(HOME, "m0")
    language.gate.set()
    await asyncio.gather(*turns)
    assert await watcher.value("ohlora_line") == 0
    assert await counted(watcher, "turns_total", "outcome") == {"answered": 1, "busy": 1, "dropped": 1}
    assert await counted(watcher, "rejections_total", "reason") == {"line": 1}


@pytest.mark.parametrize(
    ("error", "outcome", "rejected", "dependency"),
    [
        (EngineOverloaded("late"), "busy", {"models": 1}, {}),
        (GenerationFailed("gone"), "failed", {}, {"models": 1}),
        (RecordError("locked"), "failed", {}, {"record": 1}),
        (ValueError("ours"), "failed", {}, {"own": 1}),
    ],
    ids=repr,
)
async def test_a_turn_without_an_answer_is_counted_with_whose_fault_it_was(
    service: Service, watcher: Watcher, language: PuppetModel, error: Exception, outcome: str,
    rejected: dict[str, float], dependency: dict[str, float],
) -> None:  # fmt: skip
    language.failing, language.error = {OUTPUT_MESSAGE.name}, error
    await handle(service, say("안녕"))
    assert await counted(watcher, "turns_total", "outcome") == {outcome: 1}
    assert await counted(watcher, "rejections_total", "reason") == rejected
    assert await counted(watcher, "errors_total", "dependency") == dependency


@pytest.mark.parametrize(
    ("fault", "outcome", "dependency"),
    [
        (DeliveryRefused("closed"), "refused", {}),
        (DeliveryError("cut"), "unsure", {"platform": 1}),
    ],
    ids=["refused", "unsure"],
)
async def test_a_reply_that_does_not_arrive_is_counted_by_what_became_of_it(
    service: Service, watcher: Watcher, paper: PaperAdapter, fault: Exception, outcome: str,
    dependency: dict[str, float],
) -> None:  # fmt: skip
    paper.fault = fault
    await handle(service, say("안녕"))
    assert await counted(watcher, "deliveries_total", "outcome") == {outcome: 1}
    assert await counted(watcher, "errors_total", "dependency") == dependency


async def test_bookkeeping_that_fails_is_the_dependencys_fault_and_the_turn_is_answered(
    service: Service, watcher: Watcher, language: PuppetModel
) -> None:
    language.failing, language.error = {MEMORY.name}, GenerationFailed("gone")
    await handle(service, say("안녕"))
    assert await counted(watcher, "turns_total", "outcome") == {"answered": 1}
    assert await counted(watcher, "errors_total", "dependency") == {"models": 1}
    assert "bookkeeping" not in await counted(watcher, "stage_seconds_count", "stage")


async def test_no_label_names_a_person_a_chat_or_a_message(service: Service, watcher: Watcher) -> None:
    for number in range(5):
        await handle(service, say(f"비밀{number}", number, PersonKey("paper", f"person-{number}")))
    values = {value for sample in await watcher.samples() for value in sample.labels.values()}
    assert "paper" in values
    assert not [value for value in values if "person-" in value or "비밀" in value or value in ("home", "m1")]

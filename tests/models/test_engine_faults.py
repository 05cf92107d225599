"""What a failing device does to requests: a real process that speaks the worker's protocol, without weights.

Every prompt carries a canary, and its answer has to bring it back.
"""

import asyncio
import gc
import logging
import tracemalloc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
import pytest

from core.errors import ConfigurationError, DeviceLost, EngineOverloaded, GenerationFailed
from models.device import DeviceProcess
from models.engine import Engine, Json, Lane
from models.weights import Weights

LANES = {"answer": Lane(0, batch=8), "summary": Lane(3, batch=8)}
# what a hung process is given; a healthy one that a busy machine holds up longer costs a retry, nothing else
SILENCE_S = 0.7
PEOPLE = 8


@asynccontextmanager
async def engine_on(folder: Path, **options: Any) -> AsyncIterator[tuple[Engine, DeviceProcess]]:
    options = {"silence_s": SILENCE_S, **options}
    device = DeviceProcess(Weights({}, {"folder": folder}), worker="tests.models.scripted_worker", **options)
    engine = Engine(device, LANES)
    try:
        yield engine, device
    finally:
        await engine.close()


async def ask(engine: Engine, person: int, **what: Any) -> str:
    """The answer, which has to be to this very question."""
    canary = uuid4().hex
    answer = await engine.submit("answer", {"say": canary, **what}, person)
    assert answer["text"] == canary
    return canary


def too_large(_: Path) -> Json:
    return {"fits": 1}


def hangs_once(folder: Path) -> Json:
    return {"fault": "hang", "once": str(folder / uuid4().hex)}


def dies_once(folder: Path) -> Json:
    return {"fault": "die", "once": str(folder / uuid4().hex)}


def poisoned(_: Path) -> Json:
    return {"refused": True}


@pytest.mark.parametrize(
    ("fault", "times", "served"),
    [(too_large, 50, True), (hangs_once, 10, True), (dies_once, 10, True), (poisoned, 50, False)],
)
async def test_a_fault_costs_nobody_else_their_answer(
    fault: Callable[[Path], Json], times: int, served: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)  # what is captured would count as our memory
    children = psutil.Process().children()
    async with engine_on(tmp_path) as (engine, device):
        await device.start()
        tracemalloc.start()
        try:
            early = 0
            for round_ in range(times):
                wicked = round_ % PEOPLE
                asked = [
                    ask(engine, person, **(fault(tmp_path) if person == wicked else {})) for person in range(PEOPLE)
                ]
                answers = await asyncio.gather(*asked, return_exceptions=True)
                failed = [person for person, answer in enumerate(answers) if not isinstance(answer, str)]
                assert failed == ([] if served else [wicked]), answers
                assert served or isinstance(answers[wicked], GenerationFailed)
                if round_ == 4:
                    early = used()
            assert used() - early < 100_000
        finally:
            tracemalloc.stop()
    assert psutil.Process().children() == children


def used() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


@pytest.mark.parametrize(("fault", "cause"), [("die", "ended"), ("hang", "no sign of life")])
async def test_what_kills_the_device_each_time_fails_alone_and_clearly(fault: str, cause: str, tmp_path: Path) -> None:
    async with engine_on(tmp_path) as (engine, _):
        asked = [ask(engine, person, **({"fault": fault} if person == 3 else {})) for person in range(PEOPLE)]
        answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [person for person, answer in enumerate(answers) if not isinstance(answer, str)] == [3]
    assert isinstance(answers[3], DeviceLost)
    assert cause in str(answers[3])


async def test_a_process_that_computes_long_but_gives_signs_of_life_is_left_alone(tmp_path: Path) -> None:
    async with engine_on(tmp_path, silence_s=3.0) as (engine, device):
        await device.start()
        pid = device.pid
        running = asyncio.create_task(engine.submit("answer", {"say": "late", "tokens": 10**12}))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(running, 4.0)
        assert device.pid == pid


async def test_who_gives_up_stops_what_is_written_for_them_between_two_tokens(tmp_path: Path) -> None:
    async with engine_on(tmp_path) as (engine, device):
        await device.start()
        endless = asyncio.create_task(engine.submit("answer", {"say": "never", "tokens": 10**12}))
        await asyncio.sleep(0.1)
        endless.cancel()
        assert await ask(engine, 1)
        with pytest.raises(EngineOverloaded, match="within"):
            await engine.submit("answer", {"say": "never", "tokens": 10**12}, within_s=0.1)
        pid = device.pid
        assert await ask(engine, 1)
        assert device.pid == pid


async def test_a_device_that_does_not_start_is_said_to_everybody_at_once(tmp_path: Path) -> None:
    (tmp_path / "broken").touch()
    async with engine_on(tmp_path) as (engine, _):
        answers = await asyncio.gather(*(ask(engine, person) for person in range(3)), return_exceptions=True)
        assert ["the folder says so" in str(answer) for answer in answers] == [True] * 3
        assert {type(answer) for answer in answers} == {GenerationFailed}
        (tmp_path / "broken").unlink()
        assert await ask(engine, 1)


async def test_models_that_never_finish_loading_stop_the_start(tmp_path: Path) -> None:
    (tmp_path / "stuck").touch()
    async with engine_on(tmp_path, loading_s=0.1) as (_, device):
        with pytest.raises(ConfigurationError, match="no sign of life"):
            await device.start()
        assert device.pid is None

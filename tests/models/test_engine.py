"""The engine over a device that computes when the test says so; who goes next is tested in test_queueing."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from functools import partial

import pytest
import pytest_asyncio
from prometheus_client import CollectorRegistry

from core.errors import ConfigurationError, EngineError, EngineOverloaded, GenerationFailed, OutOfMemory
from models.engine import Engine, Json, Lane

LANES = {"later": Lane(3, batch=4), "now": Lane(0, batch=4), "soon": Lane(1, batch=2)}


class GatedDevice:
    """Echoes requests, one batch for every `open()`; a request {"fail": …} fails its batch with that error."""

    def __init__(self) -> None:
        self.batches: list[tuple[str, list[Json]]] = []
        self.closed = False
        self.cancelled: list[int] = []
        self._gate = asyncio.Semaphore(0)

    def open(self, batches: int = 1) -> None:
        for _ in range(batches):
            self._gate.release()

    async def run(self, lane: str, requests: Sequence[Json]) -> list[Json]:
        self.batches.append((lane, list(requests)))
        await self._gate.acquire()
        for request in requests:
            if "fail" in request:
                raise request["fail"]
        return [request for request in requests if "lost" not in request]

    def cancel(self, row: int) -> None:
        self.cancelled.append(row)

    async def close(self) -> None:
        self.closed = True


@pytest.fixture
def device() -> GatedDevice:
    return GatedDevice()


@pytest_asyncio.fixture
async def engine(device: GatedDevice) -> AsyncIterator[Engine]:
    engine = Engine(device, LANES, limit=6)
    yield engine
    await engine.close()


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def submit(engine: Engine, lane: str, *requests: Json) -> list[asyncio.Task[Json]]:
    tasks = [asyncio.create_task(engine.submit(lane, request)) for request in requests]
    await settle()
    return tasks


async def test_what_arrives_during_a_batch_is_the_next_batch(engine: Engine, device: GatedDevice) -> None:
    first = await submit(engine, "now", {"n": 1})
    rest = await submit(engine, "now", {"n": 2}, {"n": 3}, {"n": 4})
    device.open(2)
    assert [await task for task in first + rest] == [{"n": n} for n in (1, 2, 3, 4)]
    assert [len(requests) for _, requests in device.batches] == [1, 3]


async def test_behind_a_batch_in_company_the_next_one_is_gathered_for_a_moment(device: GatedDevice) -> None:
    engine = Engine(device, LANES, window_s=0.2)
    tasks = [asyncio.create_task(engine.submit("now", {"n": n}, person=n)) for n in range(2)]
    await settle()
    device.open(2)
    await asyncio.gather(*tasks)
    first = asyncio.create_task(engine.submit("now", {"n": 2}, person=0))
    await settle()
    second = asyncio.create_task(engine.submit("now", {"n": 3}, person=1))
    await asyncio.gather(first, second)
    assert [len(requests) for _, requests in device.batches] == [2, 2]
    await engine.close()


async def test_a_cancelled_request_is_not_computed(engine: Engine, device: GatedDevice) -> None:
    running = await submit(engine, "now", {"n": 1})
    gone, kept = await submit(engine, "now", {"n": 2}, {"n": 3})
    gone.cancel()
    device.open(2)
    assert await running[0] == {"n": 1}
    assert await kept == {"n": 3}
    assert device.batches[1] == ("now", [{"n": 3}])


async def test_a_request_cancelled_while_it_is_computed_hurts_no_other(engine: Engine, device: GatedDevice) -> None:
    await submit(engine, "now", {"n": 0})
    gone, kept = await submit(engine, "now", {"n": 1}, {"n": 2})
    device.open()
    await settle()
    gone.cancel()
    await settle()
    assert device.cancelled == [0]
    device.open()
    assert await kept == {"n": 2}


async def test_too_many_waiting_requests_are_refused_at_once_and_later_ones_taken_again(
    engine: Engine, device: GatedDevice
) -> None:
    tasks = await submit(engine, "now", *({"n": n} for n in range(6)))
    tasks += await submit(engine, "now", *({"n": n} for n in range(4)))
    with pytest.raises(EngineOverloaded, match="6 requests are waiting") as refusal:
        await engine.submit("later", {"n": "too much"})
    assert refusal.value.position == 7
    device.open(9)
    await asyncio.gather(*tasks)
    assert await engine.submit("later", {"n": 7}) == {"n": 7}


async def test_what_is_not_done_in_time_leaves_the_queue_or_the_device(engine: Engine, device: GatedDevice) -> None:
    running = asyncio.create_task(engine.submit("now", {"n": 1}, within_s=0.02))
    await settle()
    with pytest.raises(EngineOverloaded, match="later: not done within"):
        await engine.submit("later", {"n": 2}, within_s=0.01)
    with pytest.raises(EngineOverloaded, match="now: not done within"):
        await running
    assert device.cancelled == [0]
    kept = await submit(engine, "now", {"n": 3})
    device.open(2)
    assert await kept[0] == {"n": 3}
    assert [requests for _, requests in device.batches] == [[{"n": 1}], [{"n": 3}]]


async def test_one_that_cannot_be_computed_fails_and_its_batch_does_not(engine: Engine, device: GatedDevice) -> None:
    first = await submit(engine, "now", {"n": 0})
    fine, failing, other = await submit(engine, "now", {"n": 1}, {"fail": OutOfMemory("too long")}, {"n": 2})
    device.open(9)
    await asyncio.gather(*first, fine, other)
    with pytest.raises(OutOfMemory, match="too long"):
        await failing


async def test_a_device_that_cannot_be_had_fails_the_whole_batch_once(engine: Engine, device: GatedDevice) -> None:
    first = await submit(engine, "now", {"n": 0})
    tasks = await submit(engine, "now", {"n": 1}, {"fail": ConfigurationError("no such folder")})
    device.open(2)
    await asyncio.gather(*first)
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert [str(outcome) for outcome in outcomes] == ["now: no such folder"] * 2
    assert len(device.batches) == 2


async def test_it_counts_what_it_does(device: GatedDevice) -> None:
    registry = CollectorRegistry()
    engine = Engine(device, LANES, limit=2, registry=registry)
    tasks = await submit(engine, "now", {"tokens": 5})
    tasks += await submit(engine, "soon", {"tokens": 7}, {"tokens": 8})
    with pytest.raises(EngineOverloaded):
        await engine.submit("soon", {})
    measured = partial(measure, registry)
    assert measured("ohlora_engine_waiting", task="soon") == 2
    device.open(2)
    await asyncio.gather(*tasks)
    assert measured("ohlora_engine_waiting", task="soon") == 0
    assert measured("ohlora_engine_wait_seconds_count", task="soon") == 2
    assert measured("ohlora_engine_batch_size_sum", task="soon") == 2
    assert measured("ohlora_engine_batch_seconds_count", task="soon") == 1
    assert [measured("ohlora_engine_tokens_total", task=task) for task in ("now", "soon")] == [5, 15]
    assert measured("ohlora_engine_requests_total", task="soon", outcome="done") == 2
    assert measured("ohlora_engine_requests_total", task="soon", outcome="refused") == 1
    await engine.close()


def measure(registry: CollectorRegistry, name: str, **labels: str) -> float | None:
    return registry.get_sample_value(name, labels)


@pytest.mark.parametrize(
    ("request_", "expected", "said"),
    [
        ({"fail": GenerationFailed("the device process ended (-9)")}, GenerationFailed, "ended"),
        ({"fail": EngineOverloaded("no memory")}, EngineOverloaded, "no memory"),
        ({"fail": RuntimeError("shape mismatch")}, GenerationFailed, "now: shape mismatch"),
        ({"lost": True}, GenerationFailed, "0 results for 1 requests"),
    ],
)
async def test_a_failed_batch_fails_its_own_callers_and_no_others(
    engine: Engine, device: GatedDevice, request_: Json, expected: type[EngineError], said: str
) -> None:
    (failing,) = await submit(engine, "now", request_)
    (fine,) = await submit(engine, "now", {"n": 2})
    device.open(2)
    with pytest.raises(expected, match=said):
        await failing
    assert await fine == {"n": 2}


async def test_closing_fails_what_runs_and_what_waits_and_what_comes_later(device: GatedDevice) -> None:
    engine = Engine(device, LANES)
    tasks = await submit(engine, "now", {"n": 1})
    tasks += await submit(engine, "later", {"n": 2}, {"n": 3})
    await engine.close()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [GenerationFailed] * 3
    assert device.closed
    with pytest.raises(GenerationFailed, match="closed"):
        await engine.submit("now", {"n": 4})


async def test_an_engine_that_nobody_asked_anything_closes_too(device: GatedDevice) -> None:
    await Engine(device, LANES).close()
    assert device.closed

"""The queue in front of the device, over a device that computes when the test says so."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest
import pytest_asyncio

from core.errors import EngineError, EngineOverloaded, GenerationFailed
from models.engine import Engine, Json, Lane

LANES = {"later": Lane(3, batch=4), "now": Lane(0, batch=4), "soon": Lane(1, batch=2)}


class GatedDevice:
    """Echoes requests, one batch for every `open()`; a request {"fail": …} fails its batch with that error."""

    def __init__(self) -> None:
        self.batches: list[tuple[str, list[Json]]] = []
        self.closed = False
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


async def test_a_batch_is_no_larger_than_its_lane_allows(engine: Engine, device: GatedDevice) -> None:
    tasks = await submit(engine, "soon", *({"n": n} for n in range(5)))
    device.open(5)
    await asyncio.gather(*tasks)
    assert max(len(requests) for _, requests in device.batches) == 2


async def test_the_most_urgent_lane_goes_next_whoever_came_first(engine: Engine, device: GatedDevice) -> None:
    tasks = await submit(engine, "later", {"n": 0})
    for lane in ("later", "soon", "now"):
        tasks += await submit(engine, lane, {"n": lane})
    device.open(4)
    await asyncio.gather(*tasks)
    assert [lane for lane, _ in device.batches] == ["later", "now", "soon", "later"]


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
    device.open()
    assert await kept == {"n": 2}


async def test_too_many_waiting_requests_are_refused_at_once_and_later_ones_taken_again(
    engine: Engine, device: GatedDevice
) -> None:
    tasks = await submit(engine, "now", *({"n": n} for n in range(6)))
    tasks += await submit(engine, "now", *({"n": n} for n in range(4)))
    with pytest.raises(EngineOverloaded, match="6 requests are waiting"):
        await engine.submit("later", {"n": "too much"})
    device.open(9)
    await asyncio.gather(*tasks)
    assert await engine.submit("later", {"n": 7}) == {"n": 7}


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

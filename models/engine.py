"""The queue in front of the device: everything that touches weights goes through it.

The seam is `list of requests → list of results`: a device computes one lane's batch at a time. While it is busy, what
arrives is gathered; when it is free, the most urgent lane goes next, all of it that fits in one batch.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from core.errors import EngineError, EngineOverloaded, GenerationFailed

log = logging.getLogger(__name__)

Json = Mapping[str, Any]


class Device(Protocol):
    """Computes one batch. Raises EngineError when it could not; then no result of the batch exists."""

    async def run(self, lane: str, requests: Sequence[Json]) -> list[Json]:
        """One result for each request, in order."""
        ...

    async def close(self) -> None:
        """Let go of the device."""
        ...


@dataclass(frozen=True, slots=True)
class Lane:
    """A queue of requests that may share a batch. A smaller `rank` goes first."""

    rank: int
    batch: int = 16


@dataclass(slots=True)
class _Waiting:
    request: Json
    result: asyncio.Future[Json]


class Engine:
    """Requests in, results out. `limit` bounds how many may wait."""

    def __init__(self, device: Device, lanes: Mapping[str, Lane], limit: int = 256) -> None:
        self._device = device
        self._lanes = dict(sorted(lanes.items(), key=lambda lane: lane[1].rank))
        self._queues: dict[str, deque[_Waiting]] = {name: deque() for name in self._lanes}
        self._limit = limit
        self._arrived = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    async def submit(self, lane: str, request: Json) -> Json:
        """The result of one request. Raises EngineOverloaded at once when too many wait, EngineError on failure."""
        if self._closed:
            raise GenerationFailed("the engine was closed")
        if sum(map(len, self._queues.values())) >= self._limit:
            raise EngineOverloaded(f"{self._limit} requests are waiting for the device already")
        if self._task is None:
            self._task = asyncio.create_task(self._work(), name="engine")
        waiting = _Waiting(request, asyncio.get_running_loop().create_future())
        self._queues[lane].append(waiting)
        self._arrived.set()
        return await waiting.result

    async def close(self) -> None:
        """Fail what still waits and let go of the device."""
        self._closed = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for queue in self._queues.values():
            while queue:
                _fail(queue.popleft(), GenerationFailed("the engine was closed"))
        await self._device.close()

    async def _work(self) -> None:
        while True:
            lane, batch = self._next_batch()
            if not batch:
                self._arrived.clear()
                await self._arrived.wait()
                continue
            await self._run(lane, batch)

    def _next_batch(self) -> tuple[str, list[_Waiting]]:
        for name, queue in self._queues.items():
            batch: list[_Waiting] = []
            while queue and len(batch) < self._lanes[name].batch:
                waiting = queue.popleft()
                if not waiting.result.done():  # its caller gave up
                    batch.append(waiting)
            if batch:
                return name, batch
        return "", []

    async def _run(self, lane: str, batch: list[_Waiting]) -> None:
        try:
            results = await self._device.run(lane, [waiting.request for waiting in batch])
            if len(results) != len(batch):
                raise GenerationFailed(f"{lane}: {len(results)} results for {len(batch)} requests")
        except asyncio.CancelledError:
            for waiting in batch:
                _fail(waiting, GenerationFailed("the engine was closed"))
            raise
        except Exception as error:
            log.exception("a batch of %d for %s failed", len(batch), lane)
            failure = error if isinstance(error, EngineError) else GenerationFailed(f"{lane}: {error}")
            for waiting in batch:
                _fail(waiting, failure)
            return
        for waiting, result in zip(batch, results, strict=True):
            if not waiting.result.done():
                waiting.result.set_result(result)


def _fail(waiting: _Waiting, error: EngineError) -> None:
    if not waiting.result.done():
        waiting.result.set_exception(error)

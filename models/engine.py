"""The queue in front of the device: everything that touches weights goes through it.

The seam is `list of requests → list of results`: a device computes one lane's batch at a time. Who goes next, and what
becomes of a batch that failed, is decided in models.queueing; here it is carried out.
"""

import asyncio
import logging
from collections.abc import Hashable, Mapping, Sequence
from contextlib import suppress
from contextvars import Context
from dataclasses import replace
from functools import partial
from typing import Protocol

from prometheus_client import CollectorRegistry

from core.errors import ConfigurationError, DeviceLost, EngineError, EngineOverloaded, GenerationFailed, OutOfMemory
from models.metrics import EngineMetrics
from models.queueing import WINDOW_S, Batch, Failure, Json, Lane, Queue, Ticket

__all__ = ["Device", "Engine", "Json", "Lane"]

log = logging.getLogger(__name__)


class Device(Protocol):
    """Computes one batch at a time."""

    async def run(self, lane: str, requests: Sequence[Json]) -> list[Json]:
        """One result for each request, in order; or an error, and then no result of the batch exists.

        DeviceLost and OutOfMemory say that the requests may not be to blame; ConfigurationError that the device cannot
        be had at all.
        """
        ...

    def cancel(self, row: int) -> None:
        """Nobody waits for this row of the running batch any more: it may end early, with any result."""
        ...

    async def close(self) -> None:
        """Let go of the device."""
        ...


class Engine:
    """Requests in, results out. `limit` bounds how many may wait; `registry` gets the metrics of this engine."""

    def __init__(
        self,
        device: Device,
        lanes: Mapping[str, Lane],
        limit: int = 256,
        registry: CollectorRegistry | None = None,
        window_s: float = WINDOW_S,
    ) -> None:
        self._device = device
        self._queue = Queue(lanes, limit, window_s)
        self._metrics = EngineMetrics(registry or CollectorRegistry())
        for lane in lanes:
            self._metrics.watch(lane, partial(self._queue.waiting, lane))
        self._results: dict[Ticket, asyncio.Future[Json]] = {}
        self._running: tuple[Ticket, ...] = ()
        self._arrived = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    async def submit(self, lane: str, request: Json, person: Hashable = None, within_s: float | None = None) -> Json:
        """The result of one request. `person`: whose turn it takes; after `within_s` nobody needs it any more.

        Raises EngineOverloaded at once when too many wait, or later when the time is over; EngineError on failure.
        """
        if self._closed:
            raise GenerationFailed("the engine was closed")
        if self._task is None:
            self._task = asyncio.create_task(self._work(), name="engine", context=Context())
        loop = asyncio.get_running_loop()
        try:
            ticket = self._queue.add(lane, person, request, loop.time())
        except EngineOverloaded:
            self._metrics.left(lane, "refused")
            raise
        result: asyncio.Future[Json] = loop.create_future()
        self._results[ticket] = result
        self._arrived.set()
        outcome = "cancelled"
        try:
            async with asyncio.timeout(within_s):
                answer = await result
            outcome = "done"
            return answer
        except TimeoutError as error:
            outcome = "late"
            raise EngineOverloaded(
                f"{lane}: not done within {within_s:g} s", len(self._queue), self._queue.estimate()
            ) from error
        except EngineError:
            outcome = "failed"
            raise
        finally:
            self._metrics.left(lane, outcome)
            self._leave(ticket)

    async def close(self) -> None:
        """Fail what still waits and let go of the device."""
        self._closed = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for ticket in filter(self._wanted, self._results):
            self._results[ticket].set_exception(GenerationFailed("the engine was closed"))
        await self._device.close()

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._arrived.clear()
            hold = self._queue.hold(loop.time()) if self._queue else None
            if hold != 0:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._arrived.wait(), hold)
            elif (batch := self._queue.next()) is not None:
                await self._run(batch)

    async def _run(self, batch: Batch) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        self._metrics.began(batch.lane, [(ticket.lane, began - ticket.arrived) for ticket in batch.tickets])
        self._running = batch.tickets
        try:
            results = await self._device.run(batch.lane, [ticket.request for ticket in batch.tickets])
            if len(results) != len(batch.tickets):
                raise GenerationFailed(f"{batch.lane}: {len(results)} results for {len(batch.tickets)} requests")
        except Exception as error:
            self._failed(batch, error, loop.time())
            return
        finally:
            self._running = ()
        seconds = loop.time() - began
        self._queue.done(batch, seconds, loop.time())
        tokens = [(ticket.lane, result.get("tokens", 0)) for ticket, result in zip(batch.tickets, results, strict=True)]
        self._metrics.ended(batch.lane, seconds, tokens)
        for ticket, result in zip(batch.tickets, results, strict=True):
            if self._wanted(ticket):
                self._results[ticket].set_result(result)

    def _failed(self, batch: Batch, error: Exception, now: float) -> None:
        wanted = replace(batch, tickets=tuple(ticket for ticket in batch.tickets if self._wanted(ticket)))
        if not wanted.tickets:
            return
        gone = isinstance(error, ConfigurationError)  # with one that cannot be started nothing is worth another try
        over = wanted.tickets if gone else self._queue.failed(wanted, _kind(error), now)
        if over:
            log.error("%s: %d requests failed", batch.lane, len(over), exc_info=error)
        else:
            size = len(wanted.tickets)
            log.warning("%s: a batch of %d failed and is tried again in parts: %s", batch.lane, size, error)
        failure = error if isinstance(error, EngineError) else GenerationFailed(f"{batch.lane}: {error}")
        for ticket in over:
            self._results[ticket].set_exception(failure)

    def _wanted(self, ticket: Ticket) -> bool:
        return ticket in self._results and not self._results[ticket].done()

    def _leave(self, ticket: Ticket) -> None:
        result = self._results.pop(ticket)
        if not result.cancelled():
            return
        if ticket in self._running:
            self._device.cancel(self._running.index(ticket))
        else:
            self._queue.discard(ticket)


def _kind(error: Exception) -> Failure:
    if isinstance(error, DeviceLost):
        return Failure.LOST
    return Failure.TOO_LARGE if isinstance(error, OutOfMemory) else Failure.REFUSED

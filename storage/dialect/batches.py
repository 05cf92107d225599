"""What is asked for while every worker is busy is carried out together: one commit, and one wait for the disk, for all
of it."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

from storage.dialect.work import Work

Result = TypeVar("Result")
# a commit takes a quarter of it; who waits for one is not kept waiting by it
_MOMENT_S = 0.01
Scrub = Callable[[Sequence[str]], Awaitable[None]]


class Outcome(NamedTuple):
    """What a piece of work returned, or raised."""

    result: Any = None
    error: Exception | None = None


class BatchWorker(Protocol):
    """Carries out several pieces of work as if each had a transaction of its own."""

    async def run(self, works: Sequence[Work[Any]]) -> list[Outcome]:
        """What became of each, in their order, once all that succeeded is on the disk."""
        ...

    async def close(self) -> Any:
        """Let go."""
        ...


class Batches:
    """Hands work to whichever worker is free. `most`: pieces of work at a time."""

    def __init__(self, workers: Sequence[BatchWorker], most: int) -> None:
        self._workers = workers
        self._idle = list(workers)
        self._most = most
        self._waiting: deque[tuple[Work[Any], asyncio.Future[Any]]] = deque()
        self._handing_out = False
        self._tasks: set[asyncio.Task[None]] = set()

    async def transact(self, work: Work[Result], *, soon: bool = True) -> Result:
        """What `work` returns, once it is committed; whatever it raises, with nothing of it written.

        Unless `soon`, nobody waits for it: it begins with whatever comes next, or after a moment.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        self._waiting.append((work, future))
        if not self._idle or self._handing_out:
            return await future
        if soon:
            self._handing_out = True
            loop.call_soon(self._hand_out)  # not at once: who asks in the same moment comes along
        else:
            loop.call_later(_MOMENT_S, self._hand_out)
        return await future

    async def close(self) -> None:
        """Finish what was asked for, then let go."""
        self._hand_out()
        await asyncio.gather(*self._tasks)
        await asyncio.gather(*(worker.close() for worker in self._workers))

    def _hand_out(self) -> None:
        self._handing_out = False
        if self._waiting and self._idle:
            task = asyncio.create_task(self._work_off(self._idle.pop()))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _work_off(self, worker: BatchWorker) -> None:
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
            try:
                outcomes = await worker.run([work for work, _ in batch])
            except Exception as error:  # who asked must hear of it
                outcomes = [Outcome(error=error)] * len(batch)
            for (_, future), outcome in zip(batch, outcomes, strict=True):
                if future.done():  # its caller was cancelled; the work is done all the same
                    continue
                if outcome.error is None:
                    future.set_result(outcome.result)
                else:
                    future.set_exception(outcome.error)
        self._idle.append(worker)


class Batched:
    """storage.dialect.work.Backend: one batch after another is written, so all of it in the order it was asked for."""

    def __init__(self, writer: Batches, readers: Batches, lookers: Batches, scrub: Scrub) -> None:
        """`lookers` may be the same as `readers`."""
        self._writer, self._readers, self._lookers = writer, readers, lookers
        self._scrub = scrub

    async def write(self, work: Work[Result], *, soon: bool = True) -> Result:
        """On the disk when this returns."""
        return await self._writer.transact(work, soon=soon)

    async def read(self, work: Work[Result]) -> Result:
        """On one state, with all that is committed now."""
        return await self._readers.transact(work)

    async def look(self, work: Work[Result]) -> Result:
        """With all that is committed now."""
        return await self._lookers.transact(work)

    async def scrub(self, tables: Sequence[str]) -> None:
        """Beside all of it, or between two batches."""
        await self._scrub(tables)

    async def close(self) -> None:
        """Finish, then let go of the database."""
        for batches in {self._writer, self._readers, self._lookers}:
            await batches.close()

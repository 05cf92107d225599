"""What many ask of Redis, in one round trip; it waits while Redis is away."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from itertools import islice
from typing import Generic, TypeVar

from core.errors import DispatchError

log = logging.getLogger(__name__)

Item = TypeVar("Item")
_MOST = 500
_PAUSE_S = 0.2


class Batches(Generic[Item]):
    """Hands items to `work`, in order, as many as there are when the last ones are done; again until that succeeds."""

    def __init__(self, work: Callable[[Sequence[Item]], Awaitable[None]]) -> None:
        self._work = work
        self._waiting: deque[tuple[Item, asyncio.Future[None]]] = deque()
        self._some = asyncio.Event()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, item: Item) -> asyncio.Future[None]:
        """Done once `work` has it. Whoever cancels that does not want it any more, unless it is on its way."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        self._some.set()
        return future

    def drop(self) -> None:
        """None of those that wait is wanted any more."""
        for _, future in self._waiting:
            future.cancel()
        self._waiting = deque()

    async def run(self) -> None:
        """For as long as this is not cancelled."""
        while True:
            await self._some.wait()
            waiting = self._waiting
            batch = list(islice(waiting, _MOST))
            wanted = [item for item, future in batch if not future.cancelled()]
            try:
                if wanted:
                    await self._work(wanted)
            except DispatchError as error:
                log.warning("%d entries wait: %s", len(self._waiting), error)
                await asyncio.sleep(_PAUSE_S)
                continue
            for _, future in batch:
                if not future.done():
                    future.set_result(None)
            if waiting is self._waiting:  # nobody dropped them meanwhile
                for _ in batch:
                    waiting.popleft()
            if not self._waiting:
                self._some.clear()

"""Who hears that something happened to a case: the review queue, and the person concerned."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from bot.moderation.review import ReviewQueue
from bot.moderation.telling import Teller
from core.cases import Case, Event

_GRACE_S = 5.0


class News:
    """Hands on at once, and never fails: the work is done apart, while `spreading`."""

    def __init__(self, queues: Mapping[str, ReviewQueue], teller: Teller) -> None:
        self._queues = queues
        self._teller = teller

    def look_at(self, number: int, platform: str) -> None:
        """The queue shows this case as it is now."""
        if (queue := self._queues.get(platform)) is not None:
            queue.changed(number)

    def happened(self, case: Case, event: Event) -> None:
        """An event of a case that is in the record."""
        self.look_at(case.number, case.person.platform)
        self._teller.happened(case, event)

    def look_again(self) -> None:
        """A review chat was chosen."""
        for queue in self._queues.values():
            queue.look_again()

    @asynccontextmanager
    async def spreading(self) -> AsyncIterator[None]:
        """While the adapters are open."""
        tasks = [asyncio.create_task(queue.run()) for queue in self._queues.values()]
        try:
            yield
        finally:
            await self._teller.close()
            for queue in self._queues.values():
                queue.stop()
            if tasks:
                await asyncio.wait(tasks, timeout=_GRACE_S)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

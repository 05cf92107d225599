"""Showing that she is writing, for as long as somebody waits."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from core.messages import ChatKey

log = logging.getLogger(__name__)


class Typing:
    """Shows it once per chat, however many wait there, and renews it `every_s` seconds.

    A reply that is there within `moment_s` needs no sign that it comes.
    """

    def __init__(self, show: Callable[[ChatKey], Awaitable[None]], every_s: float, moment_s: float = 0.3) -> None:
        self._show = show
        self._every_s = every_s
        self._moment_s = moment_s
        self._waiting: dict[ChatKey, int] = {}
        self._tasks: dict[ChatKey, asyncio.Task[None]] = {}

    @asynccontextmanager
    async def __call__(self, chat: ChatKey) -> AsyncIterator[None]:
        """For as long as the context lasts."""
        self._waiting[chat] = self._waiting.get(chat, 0) + 1
        if chat not in self._tasks:
            self._tasks[chat] = asyncio.create_task(self._keep_showing(chat))
        try:
            yield
        finally:
            self._waiting[chat] -= 1
            if not self._waiting[chat]:
                del self._waiting[chat]
                self._tasks.pop(chat).cancel()

    async def _keep_showing(self, chat: ChatKey) -> None:
        pause = self._moment_s
        while True:
            await asyncio.sleep(pause)
            pause = self._every_s
            try:
                await self._show(chat)
            except Exception as error:  # a sign is not worth a reply
                log.debug("%s: writing is not shown: %s", chat.platform, error)

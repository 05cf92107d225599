"""A message that waits for its reply, and may change or vanish while it does."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from core.messages import IncomingMessage, Turn


class OpenTurn:
    """The newest text counts until the reply is found."""

    def __init__(self, message: IncomingMessage) -> None:
        self.message = message
        self.dropped = False
        self._finding: asyncio.Future[Turn] | None = None

    def change(self, text: str) -> None:
        """Another text: whatever was found for the old one is void."""
        self.message = replace(self.message, text=text)
        self._stop()

    def drop(self) -> None:
        """The message is gone."""
        self.dropped = True
        self._stop()

    async def settle(self, find: Callable[[IncomingMessage], Awaitable[Turn]]) -> Turn | None:
        """What `find` makes of the newest text; None once the message is gone."""
        while not self.dropped:
            asked = self.message
            self._finding = asyncio.ensure_future(find(asked))
            try:
                await asyncio.wait([self._finding])
            finally:
                self._finding.cancel()  # ours was cancelled; nothing happens to one that is done
            if not self.dropped and asked is self.message:
                return self._finding.result()
        return None

    def _stop(self) -> None:
        if self._finding is not None:
            self._finding.cancel()

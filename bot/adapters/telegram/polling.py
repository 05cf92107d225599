"""Long polling. The next poll confirms what the last one brought, so it waits until that is safe."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import telegram
from telegram.error import Conflict, InvalidToken, TelegramError
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception

from bot.adapters.telegram.client import failure, pause
from bot.adapters.telegram.hearing import ALLOWED
from bot.adapters.telegram.startup import explained

log = logging.getLogger(__name__)

_POLL_S = 50
_GOODBYE_S = 3.0


class Poller:
    """Asks for updates until cancelled. `address`: of the Bot API; `scale` shortens the pauses after errors."""

    def __init__(self, bot: telegram.Bot, address: str, scale: float) -> None:
        self.connected = False
        self._bot = bot
        self._address = address
        self._alone = False  # no other program ended the first poll
        self._offset: int | None = None
        self._retrying = AsyncRetrying(
            retry=retry_if_exception(self._passes), wait=pause(scale), before_sleep=self._fails, reraise=True
        )

    async def run(self, hear: Callable[[Sequence[telegram.Update]], Awaitable[None]]) -> None:
        """Raises ConfigurationError for a token that is no longer good, or when another program polls already."""
        self.connected = True  # we have logged in
        try:
            while True:
                updates: Sequence[telegram.Update] = await self._retrying(self._poll)
                if updates:
                    await hear(updates)
                    self._offset = max(update.update_id for update in updates) + 1
        except (InvalidToken, Conflict) as error:
            raise explained(error, self._address) from None
        finally:
            self.connected = False
            await self._confirm()

    async def _poll(self) -> Sequence[telegram.Update]:
        # after a failure without waiting: a poll that waits would tell only at its end that Telegram is there again
        patience = _POLL_S if self.connected else 0
        updates = await self._bot.get_updates(self._offset, timeout=patience, allowed_updates=ALLOWED)
        self._alone = self._alone or self.connected
        self.connected = True
        return updates

    async def _confirm(self) -> None:
        """What was handed in need not come again at the next start: a command would be done twice."""
        if self._offset is not None:
            with suppress(TelegramError, TimeoutError):
                async with asyncio.timeout(_GOODBYE_S):
                    await self._bot.get_updates(self._offset, limit=1, timeout=0)

    def _passes(self, error: BaseException) -> bool:
        if isinstance(error, Conflict):
            return self._alone
        return isinstance(error, Exception) and not isinstance(error, InvalidToken)

    def _fails(self, state: RetryCallState) -> None:
        self.connected = False
        if state.attempt_number == 1:
            log.warning("Telegram's messages cannot be fetched, trying again: %s", failure(state))

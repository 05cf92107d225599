"""One request that shows something: at its time, and again as long as it certainly was not done."""

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from cachetools import LRUCache
from telegram.error import ChatMigrated, RetryAfter, TelegramError
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_delay

from bot.adapters.base import Begin
from bot.adapters.telegram.client import REFUSALS, failure, may_pass, nothing_done, pause
from bot.adapters.telegram.pacing import Pace

log = logging.getLogger(__name__)

Result = TypeVar("Result")

# while Telegram cannot be reached at all; a wait that it asks for itself has no limit
_OUTAGE_S = 15 * 60.0
# somebody waits for the answer to a question
_QUESTION_S = 30.0
_MOVED_CHATS = 10_000


class Showing:
    """One thing to show, in one request or more. `begin` hears of its first one; without it nobody has to know."""

    def __init__(self, begin: Begin | None = None) -> None:
        self._begin = begin
        self._left = False
        self._may_be_seen = False

    async def leaves(self) -> None:
        """A request leaves now."""
        if self._begin is not None and not self._left:
            self._left = True
            await self._begin()

    async def failed(self, error: BaseException | None) -> None:
        """It came back without success; where nothing can be seen yet, it is as if nothing had left."""
        self._may_be_seen |= error is None or not (nothing_done(error) or isinstance(error, REFUSALS))
        if self._begin is not None and self._left and not self._may_be_seen:
            self._left = False
            await self._begin(left=False)

    def succeeded(self) -> None:
        """Something is seen."""
        self._may_be_seen = True


class Sender:
    """Sends in Telegram's pace. Errors are the library's, once waiting does not help."""

    def __init__(self, scale: float) -> None:
        self._pace = Pace(scale)
        self._pause = pause(scale)
        self._moved: LRUCache[int, int] = LRUCache(_MOVED_CHATS)  # groups that became supergroups

    def idle(self, chat_id: int) -> bool:
        """Whether something less important than a reply may be written there."""
        return self._pace.idle(self._moved.get(chat_id, chat_id))

    async def send(
        self,
        chat_id: int,
        request: Callable[[int], Awaitable[Result]],
        showing: Showing,
        *,
        repeatable: bool = False,
    ) -> Result:
        """What `request` returns for the chat's present number. `repeatable`: a second time shows nothing new."""
        chat_id = self._moved.get(chat_id, chat_id)
        try:
            return await self._in_turn(chat_id, request, showing, repeatable)
        except ChatMigrated as moved:
            self._moved[chat_id] = moved.new_chat_id
            return await self._in_turn(moved.new_chat_id, request, showing, repeatable)

    async def ask(self, request: Callable[[], Awaitable[Result]]) -> Result:
        """What a request returns that writes nothing."""

        async def once() -> Result:
            return await request()

        stop = stop_after_delay(_QUESTION_S)
        return await AsyncRetrying(retry=retry_if_exception(may_pass), wait=self._pause, stop=stop, reraise=True)(once)

    async def _in_turn(
        self, chat_id: int, request: Callable[[int], Awaitable[Result]], showing: Showing, repeatable: bool
    ) -> Result:
        async def leave() -> Result:
            async with self._pace.leaving():
                await showing.leaves()
                result = await request(chat_id)
                showing.succeeded()
                return result

        async def waits(state: RetryCallState) -> None:
            if state.attempt_number == 1:
                log.info("a message waits: %s", failure(state))
            await showing.failed(failure(state))

        async with self._pace.chat(chat_id):  # also while Telegram lets us wait: nothing else of this chat goes first
            try:
                return await AsyncRetrying(
                    retry=retry_if_exception(may_pass if repeatable else nothing_done),
                    wait=self._pause,
                    stop=_too_long,
                    before_sleep=waits,
                    reraise=True,
                )(leave)
            except TelegramError as error:
                await showing.failed(error)
                raise


def _too_long(state: RetryCallState) -> bool:
    return not isinstance(failure(state), RetryAfter) and (state.seconds_since_start or 0.0) > _OUTAGE_S

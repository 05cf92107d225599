"""An honest sentence in the place of a reply."""

import logging
import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial

from bot.adapters.base import Adapter
from bot.observing.metrics import Metrics
from bot.open_turn import OpenTurn
from bot.outbox import Outbox
from bot.patience import until_it_is_back
from bot.waiting import Line
from core.errors import DeliveryRefused, EngineOverloaded, RecordError
from core.messages import IncomingMessage, Notice, NoticeKind, Reply, Turn
from core.notices import notice
from core.ports import TurnStore

log = logging.getLogger(__name__)


class Apologies:
    """`close`: from here on changes to the message come too late, and nobody answers it."""

    def __init__(
        self,
        store: TurnStore,
        outbox: Outbox,
        adapters: Mapping[str, Adapter],
        line: Line,
        metrics: Metrics,
        close: Callable[[OpenTurn], None],
    ) -> None:
        self._store = store
        self._outbox = outbox
        self._adapters = adapters
        self._line = line
        self._metrics = metrics
        self._close = close

    async def make(self, open_turn: OpenTurn, error: Exception, reason: str = "models") -> None:
        """An honest sentence in the place of a reply, which leaves as a reply does; not even a crash makes it two."""
        message, adapter = open_turn.message, self._adapters[open_turn.message.person.platform]
        if not open_turn.dropped:
            try:
                sorry = Turn(Reply(message, notices=(self._sorry(message, error),)))
                turn_id = await self._store.commit(sorry)
            except RecordError:  # it cannot be kept, or was given up: it is told all the same
                log.warning("message %s: its apology is not in the record", message.message_id)
            else:
                self._metrics.unanswered(message.chat.platform, error, reason)
                self._close(open_turn)
                await self._outbox.deliver(adapter, turn_id, sorry.reply)
                return
        if await self.say(open_turn, error, reason):
            await self.dismiss(open_turn)
        else:
            self._close(open_turn)

    async def say(self, open_turn: OpenTurn, error: Exception, reason: str = "models") -> bool:
        """Tell the person without the record; whether that went through, or never will."""
        message = open_turn.message
        self._metrics.unanswered(message.chat.platform, error, reason)
        reply = Reply(message, notices=() if open_turn.dropped else (self._sorry(message, error),))
        try:
            with suppress(DeliveryRefused):
                await self._adapters[message.person.platform].post(reply, nothing)
        except Exception:  # nobody is left to tell
            log.exception("message %s: not even the apology went through", message.message_id)
            return False
        return True

    def _sorry(self, message: IncomingMessage, error: Exception) -> Notice:
        if not isinstance(error, EngineOverloaded):
            return notice(message.language, NoticeKind.FAULT)
        seconds = math.ceil(max(error.wait_s, self._line.patience_s))
        return notice(message.language, NoticeKind.BUSY, position=max(1, error.position), seconds=seconds)

    async def dismiss(self, open_turn: OpenTurn) -> None:
        """It has no turn any more, though it may be in the inbox; only then it is closed, so that nobody answers it."""
        try:
            await until_it_is_back(partial(self._store.discard, open_turn.message))
        except RecordError:
            log.exception("message %s stays in the inbox", open_turn.message.message_id)
        finally:
            self._close(open_turn)


async def nothing(*, left: bool = True) -> None:
    """What is not in the outbox: nobody has to know when it left."""

"""Committed replies on their way: each delivered once, as far as its platform lets anybody know."""

import logging
from functools import partial

from bot.adapters.base import Adapter
from bot.observing.metrics import Metrics
from bot.patience import until_it_is_back
from core.errors import DeliveryError, DeliveryRefused, RecordError
from core.messages import Reply
from core.ports import Clock, Delivery, TurnStore, Undelivered

log = logging.getLogger(__name__)


class Outbox:
    """Delivers replies and notes what became of them. What is not certain stays for the next start."""

    def __init__(self, turns: TurnStore, clock: Clock, metrics: Metrics | None = None) -> None:
        self._turns = turns
        self._clock = clock
        self._metrics = metrics or Metrics()

    async def deliver(self, adapter: Adapter, turn_id: int, reply: Reply) -> None:
        """Post it; whatever fails is logged, for the person has nothing to do about it."""

        async def begin(*, left: bool = True) -> None:
            await self._turns.begin(turn_id, self._clock.now() if left else None)

        try:
            with self._metrics.stage("delivery"):
                await adapter.post(reply, begin)
            outcome = Delivery.DELIVERED
        except DeliveryRefused as error:
            log.error("turn %d: its reply is not wanted: %s", turn_id, error)
            outcome = Delivery.REFUSED
        except (DeliveryError, RecordError) as error:
            log.exception("turn %d: its reply may not have arrived", turn_id)
            self._metrics.delivered(adapter.platform, "unsure")
            self._metrics.error(error)
            return
        if not reply.empty:
            await self._end(adapter.platform, turn_id, outcome)

    async def resume(self, adapter: Adapter, undelivered: Undelivered) -> None:
        """After a restart: post what never left, or what the platform recognises as a repetition; give up the rest."""
        begun, turn_id = undelivered.begun, undelivered.turn_id
        if begun is None or self._clock.now() - begun < adapter.recognises_for:
            await self.deliver(adapter, turn_id, undelivered.reply)
        else:
            log.warning("turn %d: nobody can know whether its reply arrived; it is not sent again", turn_id)
            await self._end(adapter.platform, turn_id, Delivery.UNKNOWN)

    async def _end(self, platform: str, turn_id: int, outcome: Delivery) -> None:
        self._metrics.delivered(platform, outcome)
        try:
            await until_it_is_back(partial(self._turns.end, turn_id, outcome))
        except RecordError:  # the person has the reply: no apology, and the bookkeeping goes on
            log.exception("turn %d: its reply is %s, but the record did not take that", turn_id, outcome)

"""The life of a turn from inbox to bookkeeping, and of the service from start-up to its end (architecture.md)."""

import asyncio
import logging
from collections.abc import Mapping, Sequence

from bot.adapters.base import Adapter, Handlers
from core import Conversation, texts
from core.errors import DeliveryError, EngineOverloaded, RecordError
from core.messages import IncomingMessage, Notice, NoticeKind, Reply, Turn
from core.ports import TurnStore

log = logging.getLogger(__name__)


class Service:
    """Runs adapters over one conversation. Whatever fails before the reply is caught in `handle`, and only there."""

    def __init__(self, conversation: Conversation, turns: TurnStore, adapters: Sequence[Adapter]) -> None:
        self._conversation = conversation
        self._turns = turns
        self._adapters: Mapping[str, Adapter] = {adapter.platform: adapter for adapter in adapters}

    async def run(self, handlers: Handlers) -> None:
        """Finish what the last run left, then receive until every adapter is done."""
        await self.recover()
        try:
            async with asyncio.TaskGroup() as group:
                for adapter in self._adapters.values():
                    group.create_task(adapter.run(handlers), name=adapter.platform)
        except ExceptionGroup as failed:  # one adapter down takes the service down, with that adapter's own error
            raise failed.exceptions[0] from None

    async def handle(self, message: IncomingMessage, *, received: bool = False) -> None:
        """One message, all the way: inbox, reply, one transaction, delivery, bookkeeping.

        `received`: it is in the inbox already, since before a restart.
        """
        try:
            if received or await self._turns.receive(message):
                await self._turn(message)
        except Exception as error:  # the person gets an honest sentence, the log the cause
            log.exception("no reply to message %s", message.message_id)
            await self._apologise(message, error)

    async def recover(self) -> None:
        """Take up what a crash interrupted: replies not sent, bookkeeping not done, messages not answered."""
        for turn_id, reply in await self._turns.undelivered():
            adapter = self._adapters.get(reply.to.person.platform)
            if adapter is not None and adapter.recognises_repetition:
                await self._post(adapter, turn_id, reply)
            elif adapter is not None:
                log.warning("turn %d: nobody can know whether its reply arrived; it is not sent again", turn_id)
                await self._turns.delivered(turn_id, certain=False)
        for turn_id, turn in await self._turns.unremembered():
            async with self._conversation.exclusive(turn.message.person):
                await self._remember(turn_id, turn)
        for message in await self._turns.unanswered():
            if message.person.platform in self._adapters:
                log.warning("message %s was not answered before the last stop; answering it now", message.message_id)
                await self.handle(message, received=True)

    async def _turn(self, message: IncomingMessage) -> None:
        adapter = self._adapters[message.person.platform]
        async with self._conversation.exclusive(message.person):
            async with adapter.typing(message.chat):
                turn = await self._conversation.reply(message)
            turn_id = await self._turns.commit(turn)
            await self._post(adapter, turn_id, turn.reply)
            if turn.to_remember:
                await self._remember(turn_id, turn)

    async def _post(self, adapter: Adapter, turn_id: int, reply: Reply) -> None:
        try:
            await adapter.post(reply)
        except DeliveryError:
            log.exception("turn %d: its reply was not delivered", turn_id)
            return
        try:
            await self._turns.delivered(turn_id)
        except RecordError:  # the person has the reply: no apology, and the bookkeeping goes on
            log.exception("turn %d: its reply was delivered, but the record did not take that", turn_id)

    async def _remember(self, turn_id: int, turn: Turn) -> None:
        try:
            await self._conversation.remember(turn_id, turn)
        except Exception:  # the person has the reply; whatever failed here is no reason to apologise for it
            log.exception("turn %d: its bookkeeping failed and is taken up again at the next start", turn_id)

    async def _apologise(self, message: IncomingMessage, error: Exception) -> None:
        kind = NoticeKind.BUSY if isinstance(error, EngineOverloaded) else NoticeKind.FAULT
        notice = Notice(kind, texts.text(message.language, "notice", kind.value))
        try:
            await self._adapters[message.person.platform].post(Reply(message, notices=(notice,)))
            await self._turns.discard(message)
        except Exception:  # nobody is left to tell
            log.exception("message %s: not even the apology went through", message.message_id)

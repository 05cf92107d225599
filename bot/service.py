"""The life of a turn from inbox to delivery, and of the service from start-up to its end (architecture.md)."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any

from bot.adapters.base import Adapter, Host
from bot.apologies import Apologies, nothing
from bot.company import keeping_company
from bot.logs import of_turn
from bot.moderation.casework import CaseWork
from bot.observing.metrics import Metrics
from bot.open_turn import OpenTurn
from bot.outbox import Outbox
from bot.turns import Turns
from bot.waiting import Line
from core.errors import EngineOverloaded, GenerationFailed, RecordError, Superseded
from core.messages import ChatKey, IncomingMessage, MessageKey, PersonKey, Reply, Turn
from core.ports import TurnStore, Undelivered

log = logging.getLogger(__name__)

# turns under way when the service stops may take this long; what is not done then is taken up at the next start
DRAIN_S = 30.0


class Service:
    """Runs adapters over `turns`, which finds the replies; for them it is `bot.adapters.base.Messages`.

    What fails before a reply is caught in `_answer`, and only there.
    """

    def __init__(
        self,
        turns: Turns,
        store: TurnStore,
        adapters: Sequence[Adapter],
        outbox: Outbox,
        line: Line,
        casework: CaseWork,
        metrics: Metrics | None = None,
    ) -> None:
        self._turns = turns
        self._store = store
        self._adapters: Mapping[str, Adapter] = {adapter.platform: adapter for adapter in adapters}
        self._line = line
        self._casework = casework
        self._outbox = outbox
        self._metrics = metrics or Metrics()
        self._metrics.line(line.__len__)
        self._apologies = Apologies(store, outbox, self._adapters, line, self._metrics, self._close)
        self._open: dict[MessageKey, OpenTurn] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, host: Host, beside: Sequence[Callable[[], Coroutine[Any, Any, None]]] = ()) -> None:
        """Log in everywhere, take up what the last run left, and receive until every adapter is done.

        `beside`: what goes on meanwhile, and ends the service when it fails. Raises ConfigurationError when a platform
        does not let us in. A cancelled run finishes what is under way first.
        """
        async with AsyncExitStack() as stack:
            for adapter in self._adapters.values():
                stack.push_async_callback(adapter.close)
                await adapter.open(host)
            await stack.enter_async_context(self._casework.under_way())
            stack.push_async_callback(self._drain)
            await self.recover()
            try:
                async with asyncio.TaskGroup() as group:
                    meanwhile = [group.create_task(work()) for work in beside]
                    adapters = [group.create_task(one.run(), name=name) for name, one in self._adapters.items()]
                    await asyncio.wait(adapters)
                    for task in meanwhile:
                        task.cancel()
            except ExceptionGroup as failed:  # one adapter down takes the service down, with that adapter's own error
                raise failed.exceptions[0] from None

    async def receive(self, message: IncomingMessage) -> asyncio.Future[None]:
        """Into the inbox, and on its way; a duplicate gets no second turn."""
        if message.key in self._open:
            return _done()
        with of_turn(message.key):
            return await self._receive(message)

    async def _receive(self, message: IncomingMessage) -> asyncio.Future[None]:
        turn = self._open[message.key] = OpenTurn(message)
        try:
            new = await self._store.receive(message)
        except RecordError as error:
            log.exception("message %s did not get into the inbox", message.message_id)
            # whoever sent it takes it for safe when this returns, and it is safe nowhere: the person hears of it first
            await self._apologies.say(turn, error)
            return self._start(self._apologies.dismiss(turn))
        if not new:
            del self._open[message.key]
            return _done()
        for reason, check in (("line", self._line.check), ("backlog", self._turns.check)):
            try:
                check()
            except EngineOverloaded as error:
                return self._start(self._apologies.make(turn, error, reason))
        return self._start(self._answer(turn))

    async def amend(self, chat: ChatKey, message_id: str, text: str) -> None:
        """The newest text counts while the message waits for its reply."""
        turn = self._open.get(_key(chat, message_id))
        if turn is not None and text != turn.message.text:
            turn.change(text)
            await self._store.amend(turn.message)
            await self._turns.changed(turn)

    async def withdraw(self, chat: ChatKey, message_id: str) -> None:
        """A deleted message is dropped while it waits for its reply."""
        turn = self._open.get(_key(chat, message_id))
        if turn is not None:
            turn.drop()
            await self._store.discard(turn.message)
            await self._turns.changed(turn)

    async def recover(self) -> None:
        """Take up what a crash interrupted: replies not sent, bookkeeping not done, messages not answered.

        Each person's in their order, before anything new of theirs, and nobody waits for it here.
        """
        # in this order, for a worker may commit meanwhile: what is no more unanswered then is undelivered
        unanswered, due = await self._store.unanswered(), dict(await self._turns.unremembered())
        undelivered = {found.turn_id: found for found in await self._store.undelivered()}
        left = {turn_id: turn.message for turn_id, turn in due.items()}
        left |= {turn_id: found.reply.to for turn_id, found in undelivered.items()}
        for turn_id, message in sorted(left.items()):
            with of_turn(message.key):
                self._start(self._resume(message.person, undelivered.get(turn_id), turn_id, due.get(turn_id)))
        self._own_up(await self._turns.given_up())
        committed = {message.key for message in left.values()}
        self._take_up(message for message in unanswered if message.key not in committed)

    async def look_for_unanswered(self) -> None:
        """Take up messages of these platforms that wait in the inbox, and of which nobody knows here."""
        strangers = [message.key for message in await self._store.unanswered() if message.key not in self._open]
        # ours are closed behind their commit: what was not open then, and waits even now, is nobody's
        self._take_up(await self._store.waiting(strangers))
        self._own_up(await self._turns.given_up())

    def _own_up(self, messages: Iterable[IncomingMessage]) -> None:
        for message in messages:
            if message.person.platform in self._adapters and message.key not in self._open:
                with of_turn(message.key):
                    given_up = self._open[message.key] = OpenTurn(message)
                    self._start(self._apologies.make(given_up, GenerationFailed("nobody came to an end with it")))

    def _take_up(self, messages: Iterable[IncomingMessage]) -> None:
        for message in messages:
            if message.person.platform in self._adapters and message.key not in self._open:
                with of_turn(message.key):
                    log.warning("message %s was not answered before; answering it now", message.message_id)
                    waiting = self._open[message.key] = OpenTurn(message)
                    self._start(self._answer(waiting))

    async def _resume(
        self, person: PersonKey, undelivered: Undelivered | None, turn_id: int, turn: Turn | None
    ) -> None:
        async with self._turns.resume(person, turn_id, turn):
            if undelivered is not None and (adapter := self._adapters.get(person.platform)) is not None:
                await self._outbox.resume(adapter, undelivered)

    async def _answer(self, open_turn: OpenTurn) -> None:
        """One message all the way: reply, one transaction, delivery, bookkeeping."""
        adapter, began = self._adapters[open_turn.message.person.platform], time.monotonic()
        try:
            async with AsyncExitStack() as waiting:
                patience = await waiting.enter_async_context(keeping_company(adapter, open_turn, self._line))
                async with self._turns.turn(open_turn) as committed:
                    self._close(open_turn)
                    await patience.aclose()  # nothing may begin to stand for the reply once it is on its way
                    if committed is None:
                        self._metrics.dropped(adapter.platform)
                        await adapter.post(Reply(open_turn.message), nothing)
                        return
                    await self._outbox.deliver(adapter, committed.turn_id, committed.reply)
                    self._metrics.observe("whole", time.monotonic() - began)
                    self._metrics.answered(committed.reply)
                    self._casework.arose(committed.cases, adapter.platform)
                    await waiting.aclose()  # who still waits here waits for the bookkeeping only
        except Superseded:  # another process answers it
            log.warning("message %s was taken over by another process", open_turn.message.message_id)
            self._close(open_turn)
        except Exception as error:  # the person gets an honest sentence, the log the cause
            log.exception("no reply to message %s", open_turn.message.message_id)
            await self._apologies.make(open_turn, error)

    def _close(self, open_turn: OpenTurn) -> None:
        """From here on changes to the message come too late."""
        self._open.pop(open_turn.message.key, None)

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("work left from the last run failed; it is taken up again at the next start", exc_info=error)

    async def _drain(self) -> None:
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=DRAIN_S)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _key(chat: ChatKey, message_id: str) -> MessageKey:
    return MessageKey(chat.platform, chat.chat_id, message_id)


def _done() -> asyncio.Future[None]:
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    future.set_result(None)
    return future

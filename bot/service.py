"""The life of a turn from inbox to delivery, and of the service from start-up to its end (architecture.md)."""

import asyncio
import logging
import math
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from functools import partial
from typing import Any

from bot.adapters.base import Adapter, Host
from bot.company import keeping_company
from bot.logs import of_turn
from bot.moderation.casework import CaseWork
from bot.observing.metrics import Metrics
from bot.open_turn import OpenTurn
from bot.outbox import Outbox
from bot.patience import until_it_is_back
from bot.turns import Turns
from bot.waiting import Line
from core.errors import DeliveryRefused, EngineOverloaded, RecordError, Superseded
from core.messages import ChatKey, IncomingMessage, MessageKey, NoticeKind, PersonKey, Reply, Turn
from core.notices import notice
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
            await self._say_sorry(turn, error)
            return self._start(self._dismiss(turn))
        if not new:
            del self._open[message.key]
            return _done()
        for reason, check in (("line", self._line.check), ("backlog", self._turns.check)):
            try:
                check()
            except EngineOverloaded as error:
                return self._start(self._apologise(turn, error, reason))
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
        committed = {message.key for message in left.values()}
        self._take_up(message for message in unanswered if message.key not in committed)

    async def look_for_unanswered(self) -> None:
        """Take up messages of these platforms that wait in the inbox, and of which nobody knows here."""
        strangers = [message.key for message in await self._store.unanswered() if message.key not in self._open]
        # ours are closed behind their commit: what was not open then, and waits even now, is nobody's
        self._take_up(await self._store.waiting(strangers))

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
                        await adapter.post(Reply(open_turn.message), _nothing)
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
            await self._apologise(open_turn, error)

    async def _apologise(self, open_turn: OpenTurn, error: Exception, reason: str = "models") -> None:
        if await self._say_sorry(open_turn, error, reason):
            await self._dismiss(open_turn)
        else:
            self._close(open_turn)

    async def _say_sorry(self, open_turn: OpenTurn, error: Exception, reason: str = "models") -> bool:
        """An honest sentence in the place of a reply; whether it went through, or never will."""
        message = open_turn.message
        self._metrics.unanswered(message.chat.platform, error, reason)
        if isinstance(error, EngineOverloaded):
            seconds = math.ceil(max(error.wait_s, self._line.patience_s))
            said = notice(message.language, NoticeKind.BUSY, position=max(1, error.position), seconds=seconds)
        else:
            said = notice(message.language, NoticeKind.FAULT)
        reply = Reply(message, notices=() if open_turn.dropped else (said,))
        try:
            with suppress(DeliveryRefused):
                await self._adapters[message.person.platform].post(reply, _nothing)
        except Exception:  # nobody is left to tell
            log.exception("message %s: not even the apology went through", message.message_id)
            return False
        return True

    async def _dismiss(self, open_turn: OpenTurn) -> None:
        """It has no turn any more, though it may be in the inbox; only then it is closed, so that nobody answers it."""
        try:
            await until_it_is_back(partial(self._store.discard, open_turn.message))
        except RecordError:
            log.exception("message %s stays in the inbox", open_turn.message.message_id)
        finally:
            self._close(open_turn)

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


async def _nothing(*, left: bool = True) -> None:
    """An apology is not in the outbox: nobody has to know when it left."""

"""The life of a turn from inbox to delivery, and of the service from start-up to its end (architecture.md)."""

import asyncio
import logging
import math
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from bot.adapters.base import Adapter, Host
from bot.moderation.casework import CaseWork
from bot.open_turn import OpenTurn
from bot.outbox import Outbox
from bot.turns import Turns
from bot.waiting import Line
from core.errors import EngineOverloaded, RecordError, Superseded
from core.messages import ChatKey, IncomingMessage, MessageKey, NoticeKind, PersonKey, Reply, Turn
from core.notices import notice
from core.ports import Clock, TurnStore, Undelivered

log = logging.getLogger(__name__)

# turns under way when the service stops may take this long; what is not done then is taken up at the next start
DRAIN_S = 30.0
# before anyone is told to wait, those who need no device (too long, blocked) have their reply
_A_MOMENT_S = 1.0


class Service:
    """Runs adapters over `turns`, which finds the replies; for them it is `bot.adapters.base.Messages`.

    `patience_s`: who has to wait longer is told so. What fails before a reply is caught in `_answer`, and only there.
    """

    def __init__(
        self,
        turns: Turns,
        store: TurnStore,
        adapters: Sequence[Adapter],
        clock: Clock,
        line: Line,
        casework: CaseWork,
        patience_s: float = 5.0,
    ) -> None:
        self._turns = turns
        self._store = store
        self._adapters: Mapping[str, Adapter] = {adapter.platform: adapter for adapter in adapters}
        self._line = line
        self._casework = casework
        self._outbox = Outbox(store, clock)
        self._patience_s = patience_s
        self._open: dict[MessageKey, OpenTurn] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, host: Host) -> None:
        """Log in everywhere, take up what the last run left, and receive until every adapter is done.

        Raises ConfigurationError when a platform does not let us in. A cancelled run finishes what is under way first.
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
                    for adapter in self._adapters.values():
                        group.create_task(adapter.run(), name=adapter.platform)
            except ExceptionGroup as failed:  # one adapter down takes the service down, with that adapter's own error
                raise failed.exceptions[0] from None

    async def receive(self, message: IncomingMessage) -> asyncio.Future[None]:
        """Into the inbox, and on its way; a duplicate gets no second turn."""
        if message.key in self._open:
            return _done()
        turn = self._open[message.key] = OpenTurn(message)
        try:
            new = await self._store.receive(message)
        except RecordError as error:
            log.exception("message %s did not get into the inbox", message.message_id)
            return self._start(self._apologise(turn, error))
        if not new:
            del self._open[message.key]
            return _done()
        try:
            self._line.check()
            self._turns.check()
        except EngineOverloaded as error:
            return self._start(self._apologise(turn, error))
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
        turns = dict(await self._turns.unremembered())
        left: dict[int, tuple[PersonKey, Undelivered | None]] = {
            turn_id: (turn.message.person, None) for turn_id, turn in turns.items()
        }
        left |= {found.turn_id: (found.reply.to.person, found) for found in await self._store.undelivered()}
        for turn_id, (person, undelivered) in sorted(left.items()):
            self._start(self._resume(person, undelivered, turn_id, turns.get(turn_id)))
        await self.look_for_unanswered()

    async def look_for_unanswered(self) -> None:
        """Take up messages of these platforms that wait in the inbox, and of which nobody knows here."""
        for message in await self._store.unanswered():
            if message.person.platform in self._adapters and message.key not in self._open:
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
        adapter = self._adapters[open_turn.message.person.platform]
        try:
            async with AsyncExitStack() as waiting:
                patience = await waiting.enter_async_context(self._keeping_company(adapter, open_turn))
                async with self._turns.turn(open_turn) as committed:
                    self._close(open_turn)
                    await patience.aclose()  # nothing may begin to stand for the reply once it is on its way
                    if committed is None:
                        await adapter.post(Reply(open_turn.message), _nothing)
                        return
                    await self._outbox.deliver(adapter, committed.turn_id, committed.reply)
                    self._casework.arose(committed.cases, adapter.platform)
                    await waiting.aclose()  # who still waits here waits for the bookkeeping only
        except Superseded:  # another process answers it
            log.warning("message %s was taken over by another process", open_turn.message.message_id)
            self._close(open_turn)
        except Exception as error:  # the person gets an honest sentence, the log the cause
            log.exception("no reply to message %s", open_turn.message.message_id)
            await self._apologise(open_turn, error)

    @asynccontextmanager
    async def _keeping_company(self, adapter: Adapter, open_turn: OpenTurn) -> AsyncIterator[AsyncExitStack]:
        """For whoever waits: a place in line, the sign that she is writing, and after a while how long it will take.

        Entered without waiting for anything, so that a person's messages keep their order. What is given ends the
        announcements.
        """
        with self._line.place() as ticket:
            async with adapter.typing(open_turn.message.chat), AsyncExitStack() as patience:
                await patience.enter_async_context(self._announcing(adapter, open_turn, ticket))
                yield patience

    @asynccontextmanager
    async def _announcing(self, adapter: Adapter, open_turn: OpenTurn, ticket: int) -> AsyncIterator[None]:
        """Tells who has to wait longer than `patience_s` so, with their position and an estimate."""

        async def announce() -> None:
            long = self._line.estimate(ticket) > self._patience_s
            await asyncio.sleep(min(_A_MOMENT_S, self._patience_s) if long else self._patience_s)
            message, seconds = open_turn.message, max(self._line.estimate(ticket), self._patience_s)
            position = self._line.position(ticket)
            said = notice(message.language, NoticeKind.SLOW, position=position, seconds=math.ceil(seconds))
            await adapter.hold(message, said)

        task = asyncio.create_task(announce())
        try:
            yield
        finally:
            task.cancel()
            failed = (await asyncio.gather(task, return_exceptions=True))[0]
            if isinstance(failed, Exception):
                log.warning("message %s: its wait could not be shown: %s", open_turn.message.message_id, failed)

    async def _apologise(self, open_turn: OpenTurn, error: Exception) -> None:
        self._close(open_turn)
        message = open_turn.message
        if isinstance(error, EngineOverloaded):
            seconds = math.ceil(max(error.wait_s, self._patience_s))
            said = notice(message.language, NoticeKind.BUSY, position=max(1, error.position), seconds=seconds)
        else:
            said = notice(message.language, NoticeKind.FAULT)
        reply = Reply(message, notices=() if open_turn.dropped else (said,))
        try:
            await self._adapters[message.person.platform].post(reply, _nothing)
            await self._store.discard(message)
        except Exception:  # nobody is left to tell
            log.exception("message %s: not even the apology went through", message.message_id)

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

"""What a worker has in hand: errands from their delivery to what is said of them."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from bot.dispatch.batches import Batches
from bot.dispatch.holding import Partition
from bot.dispatch.ports import WorkerRecord
from bot.logs import of_turn
from bot.observing.metrics import Metrics
from bot.open_turn import OpenTurn
from bot.turns import HereTurns
from core.errors import EngineOverloaded, RecordUnavailable, Superseded
from core.messages import IncomingMessage, MessageKey, Turn
from core.order import Lines
from storage.errands import Delivered, Failure, Reference
from storage.streams import Streams

log = logging.getLogger(__name__)

_PAUSE_S = 0.5
Result = TypeVar("Result")


class Work:
    """An errand in hand, and the message as it reads now. `delivered`: its entry, and those of its repetitions."""

    def __init__(self, delivered: Delivered, partition: Partition, message: IncomingMessage) -> None:
        self.key = message.key
        self.delivered = [delivered]
        self.partition = partition
        self.open_turn = OpenTurn(message)

    def hear(self, again: Delivered, message: IncomingMessage | None) -> None:
        """What the record says of the message by now; None: it does not wait any more."""
        self.delivered.append(again)
        if message is None:
            self.open_turn.drop()
        elif message.text != self.open_turn.message.text:
            self.open_turn.change(message.text)


class Workbench:
    """Runs the turns of errands. One is finished behind its commit only: until then another worker may have it.

    `deliveries`: a message that workers had so often is set aside. What they had half as often is worked on one by
    one, for one of these may be what ends the process.
    """

    def __init__(
        self,
        streams: Streams,
        record: WorkerRecord,
        turns: HereTurns,
        deliveries: int,
        metrics: Metrics,
        stirred: asyncio.Event,
    ) -> None:
        """`stirred` is set whenever there may be room for more."""
        self._streams = streams
        self._record = record
        self._turns = turns
        self._deliveries = deliveries
        self._metrics = metrics
        self._stirred = stirred
        self._lines = Lines()
        self._alone = asyncio.Lock()
        self._works: dict[MessageKey, Work] = {}
        self.finished = Batches(streams.finish)
        self.tasks: set[asyncio.Task[None]] = set()

    def calm(self, delivered: Delivered) -> bool:
        """Whether nothing speaks against working on it beside others."""
        return 2 * delivered.before <= self._deliveries

    async def take(self, taken: Sequence[tuple[Partition, Delivered]]) -> None:
        """Begin with these, or hear what is new of those that are in hand already."""
        asked = [one.errand.key for _, one in taken]
        messages = {one.key: one for one in await self.patiently(lambda: self._record.turns.waiting(asked))}
        for partition, one in taken:
            key = one.errand.key
            partition.hands.add(one.entry)
            if (work := self._works.get(key)) is not None:
                work.hear(one, messages.get(key))
                continue
            with of_turn(key):
                if (message := messages.get(key)) is not None:
                    work = self._works[key] = Work(one, partition, message)
                    self._start(partition, self._carry_out(work), work.delivered)
                else:
                    self._start(partition, self._tell_again(partition, [one]), [one])

    def remember(self, partition: Partition, turn_id: int, turn: Turn) -> None:
        """Bookkeeping that another worker left, in the order of these calls and before anything new of the person."""
        person = turn.message.person

        async def remember() -> None:
            async with self._lines.of(person), self._turns.settled(person):
                await self._turns.remember(turn_id, turn, partition.right.fence)

        with of_turn(turn.message.key):
            self._start(partition, remember())

    async def patiently(self, ask: Callable[[], Awaitable[Result]]) -> Result:
        """What the record answers, as soon as it can. Raises RecordError for whatever waiting does not change."""
        while True:
            try:
                return await ask()
            except RecordUnavailable as error:
                log.warning("waiting for the record: %s", error)
                await asyncio.sleep(_PAUSE_S)

    async def _carry_out(self, work: Work) -> None:
        first = work.delivered[0]
        try:
            async with self._lines.of(work.open_turn.message.person):
                _require(work.partition)
                if self.calm(first):
                    await self._answer(work)
                elif first.before < self._deliveries:
                    async with self._alone:
                        _require(work.partition)  # it was a while
                        await self._streams.claim(work.partition.number, [first])
                        await self._answer(work)
                else:
                    await self._bury(work)
        except Superseded as error:
            log.warning("left to whoever has partition %d now: %s", work.partition.number, error)
            work.partition.right.doubt()
            work.partition.outdated = True
            work.partition.behind = True  # if it is ours all the same
        finally:
            self._forget(work)

    async def _answer(self, work: Work) -> None:
        """One turn, as often as the record is away meanwhile."""
        while True:
            try:
                async with self._turns.turn(work.open_turn, work.partition.right.fence) as committed:
                    if committed is None:
                        break
                    cases = None if committed.cases is None else tuple(committed.cases)
                    await self._finish(work, Reference(work.key, committed.turn_id, cases))
                return
            except Superseded:
                raise
            except RecordUnavailable as error:
                log.warning("its turn is tried again: %s", error)
                await asyncio.sleep(_PAUSE_S)
            except Exception as error:  # the gateway has the sentence for it
                log.exception("no reply")
                await self._finish(work, _failure(work.key, error))
                return
            waiting = await self.patiently(lambda: self._record.turns.waiting([work.key]))
            if not waiting:  # it was committed, and nobody could say so; or it was withdrawn
                await self._make_up(work)
                break
            work.open_turn = OpenTurn(waiting[0])
        self._forget(work)
        await self._tell_again(work.partition, work.delivered)

    async def _make_up(self, work: Work) -> None:
        """The bookkeeping of a turn that was committed, as far as there is one."""
        for turn_id, turn in await self.patiently(self._record.turns.unremembered):
            if turn.message.key == work.key:
                await self._turns.remember(turn_id, turn, work.partition.right.fence)

    async def _bury(self, work: Work) -> None:
        _require(work.partition)
        why = f"{self._deliveries} workers had it, and none came to its end"
        if await self.patiently(lambda: self._record.dead.bury(work.key, why)):
            log.error("set aside: %s; `ohlora dead` shows and retries it", why)
            self._metrics.dead_letter()
        await self._finish(work, Reference(work.key, failure=Failure.FAILED))

    async def _tell_again(self, partition: Partition, delivered: Sequence[Delivered]) -> None:
        """These do not wait in the record: all there is to say are their replies, as far as nobody has had them."""
        turns, cases = self._record.turns, self._record.cases
        left = {one.reply.to.key: one.turn_id for one in await self.patiently(turns.undelivered)}
        for one in delivered:
            reference = Reference(one.errand.key)
            if (turn_id := left.get(one.errand.key)) is not None:
                issued = await self.patiently(partial(cases.of_turn, turn_id))
                reference = replace(reference, turn_id=turn_id, cases=tuple(case.number for case in issued))
            await self._tell(partition, [one], reference)

    async def _finish(self, work: Work, reference: Reference) -> None:
        told = 0
        while told < len(work.delivered):  # a repetition that came meanwhile may be from someone who missed it
            left, told = work.delivered[told:], len(work.delivered)
            await self._tell(work.partition, left, reference)
        self._forget(work)

    async def _tell(self, partition: Partition, delivered: Sequence[Delivered], reference: Reference) -> None:
        """Raises Superseded where that is for somebody else to tell."""
        _require(partition)
        first, *repetitions = delivered
        told = [self.finished.put((first, reference)), *(self.finished.put((one, None)) for one in repetitions)]
        await asyncio.gather(*told)

    def _forget(self, work: Work) -> None:
        """From here on what is heard of it is news for the record only."""
        if self._works.get(work.key) is work:
            del self._works[work.key]

    def _start(
        self, partition: Partition, work: Coroutine[Any, Any, None], delivered: Sequence[Delivered] = ()
    ) -> None:
        task = asyncio.create_task(work)
        self.tasks.add(task)
        partition.tasks.add(task)
        task.add_done_callback(lambda ended: self._ended(ended, partition, delivered))

    def _ended(self, task: asyncio.Task[None], partition: Partition, delivered: Sequence[Delivered]) -> None:
        self.tasks.discard(task)
        partition.tasks.discard(task)
        partition.hands.difference_update(one.entry for one in delivered)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("errands were left; they are looked for again", exc_info=error)
            partition.behind = True
        self._stirred.set()


def _require(partition: Partition) -> None:
    if not partition.right.holds():
        raise Superseded(f"The lease of partition {partition.number} is over.")


def _failure(key: MessageKey, error: Exception) -> Reference:
    if isinstance(error, EngineOverloaded):
        return Reference(key, failure=Failure.OVERLOADED, position=error.position, wait_s=error.wait_s)
    return Reference(key, failure=Failure.FAILED)

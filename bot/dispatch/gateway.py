"""Turns that workers find: the gateway's end of the queue."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import TracebackType
from typing import Protocol, Self

from bot.dispatch.batches import Batches
from bot.dispatch.ending import ended
from bot.dispatch.limits import Limits
from bot.dispatch.rights import PlatformRights
from bot.observing.metrics import Metrics
from bot.open_turn import OpenTurn
from bot.turns import Committed
from core.errors import DispatchError, EngineError, EngineOverloaded, GenerationFailed, RecordError
from core.messages import IncomingMessage, MessageKey, PersonKey, Turn
from core.order import Lines
from core.partitions import partition_of
from core.ports import Leases, TurnStore
from storage.errands import Errand, Failure, Reference
from storage.streams import Streams

log = logging.getLogger(__name__)

_LISTEN_S = 1.0
_SURVEY_S = 0.5
_PAUSE_S = 0.2
# how often the record is asked for messages that wait and of which nobody knows here
_LOOK_S = 30.0


class GivenUp(Protocol):
    """Messages that were set aside; storage.dead_letters has them."""

    async def untold(self) -> Sequence[IncomingMessage]:
        """Those whose people do not know it yet. Raises RecordError."""
        ...


class RemoteTurns:
    """bot.turns.Turns over workers elsewhere. Between entering and leaving it this gateway has its platforms.

    Entering waits until no other gateway has one of them. While Redis is away, turns wait.
    """

    def __init__(
        self,
        streams: Streams,
        leases: Leases,
        store: TurnStore,
        platforms: Sequence[str],
        limits: Limits,
        dead: GivenUp,
        metrics: Metrics | None = None,
    ) -> None:
        self._dead = dead
        self._streams = streams
        self._store = store
        self._platforms = platforms
        self._limits = limits
        self._metrics = metrics or Metrics()
        self._rights = PlatformRights(leases, platforms, limits.lease_s)
        self._errands = Batches(self._hand_over)
        self._lines = Lines()
        self._found: dict[MessageKey, tuple[PersonKey, asyncio.Future[Committed | None]]] = {}
        self._left = 0  # errands in the streams when somebody looked
        self._sent = 0  # since then
        self._epoch = ""
        self.connected = False
        self._loops: list[asyncio.Task[None]] = []

    @property
    def backlog(self) -> int:
        """Messages that wait for workers, or are with them, of all gateways."""
        return self._left + self._sent

    @property
    def standing_by(self) -> bool:
        """Whether another gateway has one of the platforms."""
        return not self._rights.certain

    async def __aenter__(self) -> Self:
        """Once the platforms are ours."""
        await self._rights.acquire()
        await self._see()
        loops = [self._rights.keep(), self._errands.run(), self._survey()]
        loops += [self._listen(platform) for platform in self._platforms]
        self._loops = [asyncio.create_task(loop) for loop in loops]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Another gateway may have the platforms at once."""
        await ended(self._loops)
        await self._rights.release()

    async def watch(self, look: Callable[[], Awaitable[None]]) -> None:
        """Calls `look`, for messages that wait and of which nobody knows, every so often; never returns.

        Raises DispatchError when another gateway has one of the platforms now.
        """
        looking = asyncio.create_task(self._look(look))
        try:
            done, _ = await asyncio.wait([*self._loops, looking], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            await ended([looking])

    def check(self) -> None:
        """Raises EngineOverloaded when one more should be turned away."""
        if self.backlog >= self._limits.backlog:
            raise EngineOverloaded(f"{self.backlog} messages wait for workers", self.backlog + 1)

    @asynccontextmanager
    async def turn(self, open_turn: OpenTurn) -> AsyncIterator[Committed | None]:
        """The reply that a worker committed."""
        message = open_turn.message
        found: asyncio.Future[Committed | None] = asyncio.get_running_loop().create_future()
        self._found[message.key] = message.person, found
        self._send(message.person, message.key)
        try:
            async with self._lines.of(message.person):
                with self._metrics.stage("dispatch"):
                    committed = await found
                await self._rights.sure()
                yield committed
        finally:
            self._found.pop(message.key, None)

    async def changed(self, open_turn: OpenTurn) -> None:
        """The worker reads it again."""
        if (key := open_turn.message.key) in self._found:
            self._send(open_turn.message.person, key)

    async def unremembered(self) -> Sequence[tuple[int, Turn]]:
        """That is the workers'."""
        return ()

    async def given_up(self) -> Sequence[IncomingMessage]:
        """What workers set aside while no gateway of its platform was there to say so."""
        return await self._dead.untold()

    @asynccontextmanager
    async def resume(self, person: PersonKey, turn_id: int, turn: Turn | None) -> AsyncIterator[None]:
        """Before anything new of theirs."""
        async with self._lines.of(person):
            await self._rights.sure()
            yield

    def settled(self, person: PersonKey) -> AbstractAsyncContextManager[None]:
        """Bookkeeping elsewhere excluded; it finds what was forgotten in the record."""
        return self._lines.of(person)

    def _send(self, person: PersonKey, key: MessageKey) -> None:
        self._errands.put(Errand(partition_of(person, self._limits.partitions), key))
        self._sent += 1

    async def _survey(self) -> None:
        while True:
            await asyncio.sleep(_SURVEY_S)
            await self._see()

    async def _see(self) -> None:
        """How much is left to do; and whether what was sent is still there, else it is sent again."""
        try:
            epoch = await self._streams.epoch()
            self._left = await self._streams.backlog()
        except DispatchError as error:
            if self.connected:
                log.warning("messages wait in the record: %s", error)
            self.connected = False
            return
        if epoch != self._epoch:
            self._epoch = epoch
            self._send_again()
        self._sent = len(self._errands)
        self.connected = True

    def _send_again(self) -> None:
        """Everything that is open, in its order."""
        self._errands.drop()
        if self._found:
            log.warning("Redis was started anew or emptied: %d messages are sent again", len(self._found))
        for key, (person, _) in self._found.items():
            self._send(person, key)

    async def _hand_over(self, errands: Sequence[Errand]) -> None:
        if not await self._streams.send(errands, self._epoch):
            await self._see()

    async def _listen(self, platform: str) -> None:
        """What becomes of errands, as it comes."""
        handled: Collection[str] = ()
        while True:
            try:
                entries = await self._streams.references(platform, _LISTEN_S, handled)
                await self._resolve([reference for reference in entries.values() if reference is not None])
                handled = entries
            except (DispatchError, RecordError) as error:
                log.warning("replies for %s wait: %s", platform, error)
                await asyncio.sleep(_PAUSE_S)

    async def _resolve(self, references: Sequence[Reference]) -> None:
        """One reading of the record for all of them. Whoever nobody waits for was answered, or is a repetition."""
        wanted = {reference.turn_id for reference in references if reference.key in self._found} - {0}
        left = await self._store.undelivered(wanted) if wanted else ()
        replies = {(found.turn_id, found.reply.to.key): found.reply for found in left}
        for reference in references:
            _, found = self._found.pop(reference.key, (None, None))
            if found is None or found.done():
                continue
            if reference.failure is not None:
                found.set_exception(_error(reference))
            elif (reply := replies.get((reference.turn_id, reference.key))) is not None:
                found.set_result(Committed(reference.turn_id, reply, reference.cases))
            else:
                found.set_result(None)

    async def _look(self, look: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(_LOOK_S)
            try:
                await look()
            except RecordError as error:
                log.warning("whether messages wait is not known now: %s", error)


def _error(reference: Reference) -> EngineError:
    if reference.failure is Failure.OVERLOADED:
        return EngineOverloaded("the workers have too much to do", reference.position, reference.wait_s)
    return GenerationFailed("a worker found no reply; its log says why")

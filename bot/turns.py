"""Where replies are found: in this process, or by workers elsewhere (bot.dispatch)."""

import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from bot.observing.metrics import Metrics
from bot.open_turn import OpenTurn
from bot.patience import until_it_is_back
from core import Conversation
from core.case_store import CaseStore
from core.errors import Gone, RecordError, Superseded
from core.messages import IncomingMessage, PersonKey, Reply, Turn
from core.notices import numbered
from core.ports import Fence, TurnStore

log = logging.getLogger(__name__)

# what fails again and again does not grow
_LEFT_AT_MOST = 4


@dataclass(frozen=True, slots=True)
class Committed:
    """A turn that is in the record. `reply` names its cases to the person.

    `cases`: the numbers of all of them; None when the record did not tell.
    """

    turn_id: int
    reply: Reply
    cases: Sequence[int] | None = ()


class Turns(Protocol):
    """Finds replies. A person's turns come one after the other, in the order in which they are entered."""

    def check(self) -> None:
        """Raises EngineOverloaded, with position and estimate, when one more should be turned away."""
        ...

    def turn(self, open_turn: OpenTurn) -> AbstractAsyncContextManager[Committed | None]:
        """One turn of a person: its committed reply (None: the message is gone), to be delivered inside.

        Its place is taken before the first await of entering. At the end comes the bookkeeping. Raises whatever kept
        the reply from being found; nothing is committed then.
        """
        ...

    async def changed(self, open_turn: OpenTurn) -> None:
        """A message that waits for its turn has another text, or is gone; the record knows it already."""
        ...

    async def unremembered(self) -> Sequence[tuple[int, Turn]]:
        """Turns whose bookkeeping is left to this process, oldest first. Raises RecordError."""
        ...

    async def given_up(self) -> Sequence[IncomingMessage]:
        """Messages that nobody will answer, and whose people do not know it yet. Raises RecordError."""
        ...

    def resume(self, person: PersonKey, turn_id: int, turn: Turn | None) -> AbstractAsyncContextManager[None]:
        """A person's place in line for what a crash interrupted: its delivery inside, the bookkeeping at the end."""
        ...

    def settled(self, person: PersonKey) -> AbstractAsyncContextManager[None]:
        """When nothing of the person is under way here."""
        ...


class HereTurns:
    """Turns of this process's own conversation. `fence`: the right it works by, where others might have it."""

    def __init__(
        self, conversation: Conversation, store: TurnStore, cases: CaseStore, metrics: Metrics | None = None
    ) -> None:
        self._conversation = conversation
        self._store = store
        self._cases = cases
        self._metrics = metrics or Metrics()
        # bookkeeping that was not done; the person's next turn comes after it
        self._left: dict[PersonKey, deque[tuple[int, Turn]]] = {}

    def check(self) -> None:
        """Whoever asks keeps the only line."""

    @asynccontextmanager
    async def turn(self, open_turn: OpenTurn, fence: Fence | None = None) -> AsyncIterator[Committed | None]:
        """Reply, one transaction, whatever is done inside, bookkeeping."""
        began = time.monotonic()
        async with self._conversation.exclusive(open_turn.message.person):
            self._metrics.observe("line", time.monotonic() - began)
            for left in self._left.pop(open_turn.message.person, ()):
                await self.remember(*left, fence)
            with self._metrics.stage("finding"):
                turn = await open_turn.settle(self._conversation.reply)
            turn_id = None if turn is None else await self._commit(turn, fence)
            if turn is None or turn_id is None:
                yield None
                return
            self._metrics.sanctioned(turn.sanctions)
            yield await self._named(turn_id, turn)
            if turn.to_remember:
                await self.remember(turn_id, turn, fence)

    async def changed(self, open_turn: OpenTurn) -> None:
        """OpenTurn has told its finder itself."""

    async def unremembered(self) -> Sequence[tuple[int, Turn]]:
        """All that is due."""
        return await self._store.unremembered()

    async def given_up(self) -> Sequence[IncomingMessage]:
        """None: what fails here is told at once."""
        return ()

    @asynccontextmanager
    async def resume(self, person: PersonKey, turn_id: int, turn: Turn | None) -> AsyncIterator[None]:
        """Before anything new of theirs."""
        async with self._conversation.exclusive(person):
            yield
            if turn is not None:
                await self.remember(turn_id, turn)

    def settled(self, person: PersonKey) -> AbstractAsyncContextManager[None]:
        """Bookkeeping included."""
        return self._conversation.exclusive(person)

    async def remember(self, turn_id: int, turn: Turn, fence: Fence | None = None) -> None:
        """The bookkeeping of a turn; what fails is logged, for the person has the reply.

        While the record is away it waits, and with it the person's next turn, which could not be committed either.
        """
        try:
            with self._metrics.stage("bookkeeping"):
                await until_it_is_back(partial(self._conversation.remember, turn_id, turn, fence))
        except Gone:
            log.info("turn %d: its person had everything deleted", turn_id)
        except Superseded:
            log.warning("turn %d: its bookkeeping was taken over by another process", turn_id)
        except Exception as error:  # whatever failed here is no reason to apologise for it
            self._metrics.error(error)
            log.exception("turn %d: its bookkeeping failed", turn_id)
            left = self._left.setdefault(turn.message.person, deque(maxlen=_LEFT_AT_MOST))
            left.append((turn_id, turn))

    async def _commit(self, turn: Turn, fence: Fence | None) -> int | None:
        """None where the person had everything deleted meanwhile, this message too."""
        with self._metrics.stage("commit"):
            try:
                return await self._store.commit(turn, fence)
            except Gone:
                return None

    async def _named(self, turn_id: int, turn: Turn) -> Committed:
        """A turn that is in the record, with the numbers of its cases."""
        if not turn.sanctions:
            return Committed(turn_id, turn.reply)
        try:
            issued = await self._cases.of_turn(turn_id)
        except RecordError:  # /standing has the numbers, too
            log.exception("turn %d: its notice goes out without the numbers of its cases", turn_id)
            return Committed(turn_id, turn.reply, None)
        felt = [case.number for case in issued if case.sanction.felt]
        return Committed(turn_id, numbered(turn.reply, felt), [case.number for case in issued])

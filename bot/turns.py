"""Where replies are found: in this process, or by workers elsewhere (bot.dispatch)."""

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from bot.moderation.casework import CaseWork
from bot.open_turn import OpenTurn
from core import Conversation
from core.messages import PersonKey, Reply, Turn
from core.ports import Fence, TurnStore

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Committed:
    """A turn that is in the record. `reply` names its cases to the person; `cases`: the numbers of all of them."""

    turn_id: int
    reply: Reply
    cases: Sequence[int] = ()


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

    def resume(self, person: PersonKey, turn_id: int, turn: Turn | None) -> AbstractAsyncContextManager[None]:
        """A person's place in line for what a crash interrupted: its delivery inside, the bookkeeping at the end."""
        ...

    def settled(self, person: PersonKey) -> AbstractAsyncContextManager[None]:
        """When nothing of the person is under way here."""
        ...


class HereTurns:
    """Turns of this process's own conversation. `fence`: the right it works by, where others might have it."""

    def __init__(self, conversation: Conversation, store: TurnStore, casework: CaseWork) -> None:
        self._conversation = conversation
        self._store = store
        self._casework = casework

    def check(self) -> None:
        """Whoever asks keeps the only line."""

    @asynccontextmanager
    async def turn(self, open_turn: OpenTurn, fence: Fence | None = None) -> AsyncIterator[Committed | None]:
        """Reply, one transaction, whatever is done inside, bookkeeping."""
        async with self._conversation.exclusive(open_turn.message.person):
            turn = await open_turn.settle(self._conversation.reply)
            if turn is None:
                yield None
                return
            turn_id = await self._store.commit(turn, fence)
            reply, cases = await self._casework.named(turn_id, turn)
            yield Committed(turn_id, reply, cases)
            if turn.to_remember:
                await self.remember(turn_id, turn, fence)

    async def changed(self, open_turn: OpenTurn) -> None:
        """OpenTurn has told its finder itself."""

    async def unremembered(self) -> Sequence[tuple[int, Turn]]:
        """All that is due."""
        return await self._store.unremembered()

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
        """The bookkeeping of a turn; what fails is logged, for the person has the reply."""
        try:
            await self._conversation.remember(turn_id, turn, fence)
        except Exception:  # whatever failed here is no reason to apologise for it
            log.exception("turn %d: its bookkeeping failed and is taken up again at the next start", turn_id)

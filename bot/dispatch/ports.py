"""What a worker asks of the record."""

from typing import Protocol

from core.case_store import CaseStore
from core.messages import MessageKey
from core.ports import Fence, TurnStore


class Fences(Protocol):
    """storage.fences.Fences."""

    async def raise_to(self, fence: Fence) -> None:
        """Nothing is written by a lower token from now on."""
        ...


class DeadLetters(Protocol):
    """storage.dead_letters.DeadLetters."""

    async def bury(self, key: MessageKey, reason: str) -> bool:
        """Set a message aside; False when it does not wait."""
        ...


class WorkerRecord(Protocol):
    """The parts of the record that a worker needs."""

    @property
    def turns(self) -> TurnStore:
        """Turns."""
        ...

    @property
    def cases(self) -> CaseStore:
        """Cases."""
        ...

    @property
    def fences(self) -> Fences:
        """Fences."""
        ...

    @property
    def dead(self) -> DeadLetters:
        """Dead letters."""
        ...

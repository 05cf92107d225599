"""What core asks of others. Small protocols; implementations inherit nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.memory import MemoryChange, MemoryItem, Summary
from core.messages import ChatKey, IncomingMessage, PersonKey, Reply, Turn
from core.sanctions import Sanction

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Prompt:
    """One completion to write. `stop` is text; the completion ends before it. `person` is for fairness only."""

    task: str
    text: str
    stop: str
    max_new_tokens: int
    temperature: float
    person: PersonKey


@dataclass(frozen=True, slots=True)
class Completion:
    """What the model wrote before `stop`; `ended` is false when the limit came first. `tokens` counts all new ones."""

    text: str
    ended: bool
    tokens: int


class LanguageModel(Protocol):
    """Completes prompts. Raises EngineError."""

    async def complete(self, prompt: Prompt) -> Completion:
        """The completion of one prompt."""
        ...

    def count_tokens(self, task: str, text: str) -> int:
        """Tokens of `text` for the model of `task`; pure and quick."""
        ...


class Encoder(Protocol):
    """Sentences to unit vectors. Raises EngineError."""

    async def encode(self, texts: Sequence[str]) -> Vectors:
        """(len(texts), width), each row of length 1: the dot product is the cosine similarity."""
        ...


class TurnStore(Protocol):
    """The life of a turn. Every method is one transaction; all raise RecordError."""

    async def receive(self, message: IncomingMessage) -> bool:
        """Write the message to the inbox; False when (platform, chat, message id) is already there."""
        ...

    async def commit(self, turn: Turn) -> int:
        """Turn, sanctions and outgoing reply in one transaction; returns the turn's id."""
        ...

    async def discard(self, message: IncomingMessage) -> None:
        """Close an inbox entry that failed for good, so that a restart does not take it up again."""
        ...

    async def delivered(self, turn_id: int, *, certain: bool = True) -> None:
        """The reply reached the platform; `certain=False` marks a delivery nobody can know about."""
        ...

    async def remember(self, turn_id: int, change: MemoryChange, summary: Summary | None) -> None:
        """The second transaction: memory and summary, once."""
        ...

    async def unanswered(self) -> list[IncomingMessage]:
        """Messages in the inbox without a turn, oldest first."""
        ...

    async def undelivered(self) -> list[tuple[int, Reply]]:
        """Committed replies that were not marked, oldest first."""
        ...

    async def unremembered(self) -> list[tuple[int, Turn]]:
        """Turns whose second transaction did not happen, oldest first."""
        ...


class MemoryStore(Protocol):
    """Memories and last summaries. All raise RecordError."""

    async def items(self, person: PersonKey) -> list[MemoryItem]:
        """Everything stored about a person, oldest first, whatever its scope."""
        ...

    async def summary(self, person: PersonKey, chat: ChatKey) -> Summary | None:
        """The summary of the last turn of this person in this chat."""
        ...

    async def forget(self, person: PersonKey, item_id: int | None = None) -> int:
        """Delete one item, or with None all items and summaries; returns how many items went."""
        ...


class SanctionLog(Protocol):
    """The append-only log; sanctions enter it with their turn (TurnStore.commit). Raises RecordError."""

    async def of(self, person: PersonKey) -> list[Sanction]:
        """A person's sanctions, oldest first."""
        ...


class Record(Protocol):
    """The system of truth."""

    @property
    def turns(self) -> TurnStore:
        """Turns."""
        ...

    @property
    def memories(self) -> MemoryStore:
        """Memories and summaries."""
        ...

    @property
    def sanctions(self) -> SanctionLog:
        """Sanctions."""
        ...


class Clock(Protocol):
    """The time, so that tests can move it."""

    def now(self) -> datetime:
        """Aware, in UTC."""
        ...

"""What core asks of others. Small protocols; implementations inherit nothing."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from core.case_store import CaseStore
from core.cases import Case
from core.memory import MemoryChange, MemoryItem, Summary
from core.messages import ChatKey, IncomingMessage, MessageKey, PersonKey, PlaceKey, Reply, Turn
from core.people import Person, PlaceSettings

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Prompt:
    """One completion to write. `stop` is text; the completion ends before it. `person` is for fairness only.

    `temperature` 0 takes the likeliest token each time. `within_s`: nobody needs it later; None: always. `likely`:
    words the completion is probably made of; they change how long it takes, never what it says.
    """

    task: str
    text: str
    stop: str
    max_new_tokens: int
    temperature: float
    person: PersonKey
    within_s: float | None = None
    likely: str = ""


@dataclass(frozen=True, slots=True)
class Completion:
    """What the model wrote before `stop`; `ended` is false when the limit came first. `tokens` counts all new ones."""

    text: str
    ended: bool
    tokens: int


# a person's items, oldest first → what becomes of them
Change = Callable[[Sequence[MemoryItem]], MemoryChange]


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


@dataclass(frozen=True, slots=True)
class Past:
    """What a turn needs to know of before: the person, their enforced cases and items oldest first, the chat's
    summary, and what its place has set."""

    person: Person = field(default_factory=Person)
    cases: Sequence[Case] = ()
    items: Sequence[MemoryItem] = ()
    summary: Summary | None = None
    place: PlaceSettings = field(default_factory=PlaceSettings)


class Delivery(StrEnum):
    """What became of a reply. UNKNOWN: nobody can say whether it arrived; REFUSED: the platform will never take it."""

    DELIVERED = "delivered"
    UNKNOWN = "unknown"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Undelivered:
    """A committed reply that was not marked. `begun`: when its first delivery began, None when none did."""

    turn_id: int
    reply: Reply
    begun: datetime | None


@dataclass(frozen=True, slots=True)
class Fence:
    """A right that one process has at a time. Whoever got it later has a higher token, and ends what came before."""

    name: str
    token: int


class TurnStore(Protocol):
    """The life of a turn. Every method is one transaction; all raise RecordError."""

    async def receive(self, message: IncomingMessage) -> bool:
        """Write the message to the inbox; False when (platform, chat, message id) is already there."""
        ...

    async def past(self, person: PersonKey, chat: ChatKey) -> Past:
        """Everything a turn of this person in this chat needs to know, as of one moment."""
        ...

    async def amend(self, message: IncomingMessage) -> None:
        """The message's newest text, while it waits for its turn."""
        ...

    async def commit(self, turn: Turn, fence: Fence | None = None) -> int:
        """Turn, cases and outgoing reply, which names them, in one transaction; returns the turn's id.

        Raises Superseded, among the rest, when somebody else has the right of `fence` by now.
        """
        ...

    async def discard(self, message: IncomingMessage) -> None:
        """Close an inbox entry that failed for good, so that a restart does not take it up again."""
        ...

    async def begin(self, turn_id: int, now: datetime | None) -> None:
        """The reply is about to leave: from now on a crash leaves open whether it arrived. The first time counts.

        None takes that back: it certainly did not arrive.
        """
        ...

    async def end(self, turn_id: int, outcome: Delivery) -> None:
        """What became of the reply; the cases it tells of have a `noticed` event then."""
        ...

    async def remember(self, turn_id: int, change: Change, summary: Summary | None, fence: Fence | None = None) -> None:
        """The second transaction: what `change` makes of the person's items, and the summary, once.

        Nothing of a turn whose person had everything forgotten since its message came. Raises Superseded as `commit`.
        """
        ...

    async def waiting(self, keys: Sequence[MessageKey]) -> list[IncomingMessage]:
        """Those of these messages that still wait for their turn, as they read now, oldest first."""
        ...

    async def unanswered(self) -> list[IncomingMessage]:
        """Messages in the inbox without a turn, oldest first."""
        ...

    async def undelivered(self, turn_ids: Collection[int] | None = None) -> list[Undelivered]:
        """Committed replies that were not marked, oldest first; with `turn_ids` only those."""
        ...

    async def unremembered(self) -> list[tuple[int, Turn]]:
        """Turns whose second transaction did not happen, oldest first."""
        ...

    async def last_heard(self, platform: str) -> datetime | None:
        """When the newest message of a platform was sent."""
        ...

    async def private_chats(self, platform: str, since: datetime, limit: int) -> list[ChatKey]:
        """The private chats with a message sent after `since`, the most recent first."""
        ...


class MemoryStore(Protocol):
    """Memories, and how to be rid of them with the last summaries. All raise RecordError."""

    async def items(self, person: PersonKey) -> list[MemoryItem]:
        """Everything stored about a person, oldest first, whatever its scope."""
        ...

    async def forget(self, person: PersonKey, item_id: int | None = None) -> int:
        """Delete one item, or with None all items and summaries; returns how many items went.

        With None nothing is learned of what the person said before.
        """
        ...


class PeopleStore(Protocol):
    """What is known of people beside what they said. All raise RecordError."""

    async def of(self, person: PersonKey) -> Person:
        """A person; the defaults for one never met. `introduced` enters with a turn (TurnStore.commit)."""
        ...

    async def pause(self, person: PersonKey, paused: bool) -> None:
        """Stop remembering a person, also what was said and is not learned yet; or begin again."""
        ...

    async def introduce(self, person: PersonKey) -> None:
        """The person was told what 오로라 is, outside a turn."""
        ...

    async def export(self, person: PersonKey) -> dict[str, Any]:
        """Everything kept about a person, as JSON."""
        ...


class PlaceStore(Protocol):
    """Settings of servers, groups and private chats. Raises RecordError."""

    async def of(self, place: PlaceKey) -> PlaceSettings:
        """The settings of a place; the defaults where nobody changed any."""
        ...

    async def change(self, place: PlaceKey, settings: PlaceSettings) -> None:
        """Replace them."""
        ...

    async def move(self, old: PlaceKey, new: PlaceKey) -> None:
        """A place has another id now: its settings, and what was learned and said last in it, go along."""
        ...


class ButtonStore(Protocol):
    """Buttons under messages, each of one person. All raise RecordError."""

    async def make(self, person: PersonKey, commands: list[tuple[str, str]], now: datetime) -> list[int]:
        """One id for each (command, argument)."""
        ...

    async def pressed(self, person: PersonKey, button_id: int) -> tuple[str, str] | None:
        """(command, argument) of a button of this person; None for anybody else's, and for one that is gone."""
        ...


class Notes(Protocol):
    """Small facts an adapter keeps over restarts, by name. Raises RecordError."""

    async def read(self, name: str) -> str:
        """What was written last, "" when nothing was."""
        ...

    async def write(self, name: str, value: str) -> None:
        """Replace it."""
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
    def cases(self) -> CaseStore:
        """Cases."""
        ...

    @property
    def people(self) -> PeopleStore:
        """People."""
        ...

    async def erase(self, person: PersonKey, private_chat: str = "") -> Sequence[int]:
        """Everything kept about a person goes, and every trace of it; the numbers of their cases, which have no words
        any more. `private_chat`: one of theirs, by its id. Raises RecordError."""
        ...


class Counters(Protocol):
    """How often something happened lately. What it knows may be lost at any time."""

    async def count(self, name: str, within: timedelta) -> int:
        """One more, and how many there were since the first, which is forgotten after `within`. Never raises."""
        ...


class Leases(Protocol):
    """Rights of one process at a time, which end unless they are renewed. Raise DispatchError while nobody can tell."""

    async def acquire(self, name: str, ttl_s: float) -> Fence | None:
        """The right of that name for `ttl_s` seconds, with a token higher than any before; None while it is taken."""
        ...

    async def renew(self, fence: Fence, ttl_s: float) -> bool:
        """From now on for `ttl_s` seconds; False when the right is somebody else's, or nobody's, by now."""
        ...

    async def release(self, fence: Fence) -> None:
        """Somebody else may have it at once; nothing happens where it is somebody else's already."""
        ...


class Fences(Protocol):
    """Where rights are written down beside what they guard. Raises RecordError."""

    async def raise_to(self, fence: Fence) -> None:
        """Nothing is written by a lower token from now on. Raises Superseded where a higher one stands already."""
        ...


class Clock(Protocol):
    """The time, so that tests can move it."""

    def now(self) -> datetime:
        """Aware, in UTC."""
        ...

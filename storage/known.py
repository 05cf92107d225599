"""What a turn reads of a person beside the message, as of one revision (storage.revisions). Never changed, only
replaced: whoever has it may go on reading."""

from bisect import insort
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC

import numpy as np
from numpy.typing import NDArray

from core.cases import Case
from core.memory import MemoryItem, Summary
from core.messages import PersonKey


@dataclass(frozen=True, slots=True)
class LastTurn:
    """Of a person in a chat: the id of the turn that left the summary, and the summary."""

    turn_id: int
    summary: Summary


@dataclass(frozen=True, slots=True)
class Known:
    """All of a person at `revision`: enforced cases as far as a standing follows from them and items, oldest first;
    chat id → what was said last."""

    revision: int
    cases: Sequence[Case] = ()
    items: Sequence[MemoryItem] = ()
    last_turns: Mapping[str, LastTurn] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Learned:
    """What the bookkeeping of a turn made of a person; from the revision before to `revision`.

    `forgotten`: ids of items. `item` has its id. `summary`: None takes the chat's away, unless a later turn left it.
    """

    person: PersonKey
    revision: int
    forgotten: Collection[int]
    item: MemoryItem | None
    chat_id: str
    turn_id: int
    summary: Summary | None


def with_learned(known: Known, learned: Learned) -> Known:
    """The next revision."""
    items = known.items
    if learned.forgotten:
        gone = frozenset(learned.forgotten)
        items = [item for item in items if item.item_id not in gone]
    if learned.item is not None:
        items = [*items]
        insort(items, learned.item, key=lambda item: (item.learned_at, item.item_id))
    last_turns = known.last_turns
    if is_newest(known, learned):
        others = {chat_id: last for chat_id, last in last_turns.items() if chat_id != learned.chat_id}
        left = {} if learned.summary is None else {learned.chat_id: LastTurn(learned.turn_id, learned.summary)}
        last_turns = others | left
    return replace(known, revision=learned.revision, items=items, last_turns=last_turns)


def is_newest(known: Known, learned: Learned) -> bool:
    """Whether no later turn of the chat has left a summary."""
    last = known.last_turns.get(learned.chat_id)
    return last is None or last.turn_id <= learned.turn_id


def kept_item(item: MemoryItem, item_id: int) -> MemoryItem:
    """As the record would give it back."""
    aged = None if item.aged_vector is None else _of_its_own(item.aged_vector)
    learned_at = item.learned_at.astimezone(UTC)
    return replace(item, item_id=item_id, learned_at=learned_at, vector=_of_its_own(item.vector), aged_vector=aged)


def kept_summary(summary: Summary) -> Summary:
    """As the record would give it back."""
    return replace(summary, vector=_of_its_own(summary.vector))


def _of_its_own(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    """A row of a matrix would keep all of the matrix."""
    return np.array(vector, np.float32)

"""What both ways of inference are asked to do, and the little of a record that they need for it."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Protocol

import numpy as np

from core.memory import MemoryItem, Summary
from core.messages import ChatKey, IncomingMessage, PersonKey
from core.people import Person
from core.ports import Change, Completion, Fence, LanguageModel, Past, Prompt, Vectors
from core.tasks import NO_REPLY

Pairs = Sequence[Sequence[str]]
_PLATFORM = "bench"


@dataclass(frozen=True, slots=True)
class Finished:
    """One turn. `ready_s`: until its reply could be sent; `written_s`: until answer, face and verdict were there."""

    text: str
    written_s: float
    ready_s: float


@dataclass
class Counting:
    """core.ports.LanguageModel that counts the new tokens of all attempts."""

    model: LanguageModel
    tokens: int = 0

    async def complete(self, prompt: Prompt) -> Completion:
        """As the model does it."""
        completion = await self.model.complete(prompt)
        self.tokens += completion.tokens
        return completion

    def count_tokens(self, task: str, text: str) -> int:
        """As the model does it."""
        return self.model.count_tokens(task, text)


class Way(Protocol):
    """One of the two ways."""

    @property
    def language(self) -> Counting:
        """Its four tasks."""
        ...

    async def learn(self, memories: Pairs) -> None:
        """What is known of everybody from now on, as (key, value); nobody has said anything yet."""
        ...

    async def turn(self, message: IncomingMessage) -> Finished:
        """A whole turn, bookkeeping included."""
        ...

    async def close(self) -> None:
        """Let go of the models."""
        ...


class SystemClock:
    """core.ports.Clock."""

    def now(self) -> datetime:
        """Aware, in UTC."""
        return datetime.now(UTC)


@dataclass
class People:
    """core.ports.TurnStore as far as a conversation uses it. A turn's id is its person's number.

    What a turn learns is weighed against the items as ever and then left out: they stay as many as they were.
    """

    items: Sequence[MemoryItem] = ()
    summaries: dict[int, Summary] = field(default_factory=dict)

    def learn(self, memories: Pairs, vectors: Vectors) -> None:
        """Everybody's items; vectors: (memories, width)."""
        now = datetime.now(UTC)
        self.items = [
            MemoryItem(key, value, "", now, vector) for (key, value), vector in zip(memories, vectors, strict=True)
        ]
        self.summaries.clear()

    async def past(self, person: PersonKey, chat: ChatKey) -> Past:
        """Nobody was ever sanctioned."""
        del chat
        return Past(Person(introduced=True), (), self.items, self.summaries.get(int(person.user_id)))

    async def remember(self, turn_id: int, change: Change, summary: Summary | None, fence: Fence | None = None) -> None:
        """The summary is kept for the next turn."""
        change(self.items)
        if summary is not None:
            self.summaries[turn_id] = summary


def texts_of(memories: Pairs) -> list[str]:
    """`[key: value]` of each."""
    return [f"[{key}: {value}]" for key, value in memories]


def person(number: int) -> PersonKey:
    """Everybody has a number."""
    return PersonKey(_PLATFORM, str(number))


async def talk(way: Way, memories: Pairs, said: Pairs) -> Mapping[str, Any]:
    """Everybody at once says their messages (`said`: person → texts), each after the end of their last turn."""
    await way.learn(memories)
    tokens_before = way.language.tokens
    start = time.perf_counter()
    chains = await asyncio.gather(*(_chain(way, number, texts) for number, texts in enumerate(said)))
    seconds = time.perf_counter() - start
    finished = [turn for chain in chains for turn in chain]
    return {
        "turns": len(finished),
        "turns_per_s": len(finished) / seconds,
        "ready_s": float(np.median([turn.ready_s for turn in finished])),
        "written_s": float(np.median([turn.written_s for turn in finished])),
        "replied": sum(bool(turn.text) for turn in finished),
        "no_reply": sum(turn.text == NO_REPLY for turn in finished),
        "tokens": way.language.tokens - tokens_before,
    }


async def _chain(way: Way, number: int, texts: Sequence[str]) -> list[Finished]:
    chat = ChatKey(_PLATFORM, str(number), private=True)
    first = IncomingMessage(person(number), chat, "", "", datetime.now(UTC))
    return [
        await way.turn(replace(first, message_id=str(place), text=text, sent_at=datetime.now(UTC)))
        for place, text in enumerate(texts)
    ]

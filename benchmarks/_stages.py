"""Where the time of a turn goes: timing proxies on the ports of a wired service."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime

from benchmarks._proxies import TurnsProxy, here, put_between
from bot.app import App
from core import tasks
from core.messages import ChatKey, IncomingMessage, PersonKey, Turn
from core.ports import Completion, Delivery, Encoder, Fence, LanguageModel, Past, Prompt, Vectors

INBOX, PAST, ENCODE, ANSWER, EXPRESSION = "inbox", "past", "encode", "answer", "expression"
VERDICT, COMMIT, DELIVERY, BOOKKEEPING, OTHER = "verdict", "commit", "delivery", "bookkeeping", "other"
STAGES = (INBOX, PAST, ENCODE, ANSWER, EXPRESSION, VERDICT, COMMIT, DELIVERY, BOOKKEEPING, OTHER)

_TASK_STAGE = {tasks.OUTPUT_MESSAGE.name: ANSWER, tasks.EYES_MOUTH_POSE.name: EXPRESSION}


@dataclass
class TurnTimes:
    """Moments of one turn, in seconds of time.perf_counter. `answered`: the reply is her answer, not a notice only."""

    start: float
    posted: float = 0.0
    end: float = 0.0
    answered: bool = False
    spans: list[tuple[str, float, float]] = field(default_factory=list)

    @property
    def reply_s(self) -> float:
        """From the message's arrival to its reply."""
        return self.posted - self.start

    def stages(self) -> dict[str, float]:
        """Seconds of each stage; together they are the whole turn, bookkeeping included.

        The verdict is arithmetic and has no port: it is what lies between the expression and the commit. Bookkeeping is
        everything after delivery was marked.
        """
        seconds = {stage: self._covered(stage) for stage in STAGES}
        if self.answered:
            seconds[VERDICT] = self._first(COMMIT) - self._last(EXPRESSION)
        seconds[BOOKKEEPING] = self.end - max(self._last(DELIVERY), self.posted)
        return {**seconds, OTHER: self.end - self.start - sum(seconds.values())}

    def _covered(self, stage: str) -> float:
        """Seconds before the reply in which the stage ran, those in which it ran twice at a time counted once."""
        total, until = 0.0, self.start
        for name, start, end in sorted(self.spans, key=lambda span: span[1]):
            if name == stage and (start < self.posted or stage == DELIVERY):
                total += max(end - max(start, until), 0.0)
                until = max(until, end)
        return total

    def _first(self, stage: str) -> float:
        return min(start for name, start, _ in self.spans if name == stage)

    def _last(self, stage: str) -> float:
        return max((end for name, _, end in self.spans if name == stage), default=0.0)


@dataclass
class Stopwatch:
    """One turn at a time."""

    turns: list[TurnTimes] = field(default_factory=list)

    def begin(self) -> TurnTimes:
        """A message arrives."""
        self.turns.append(TurnTimes(time.perf_counter()))
        return self.turns[-1]

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """A part of the turn under way."""
        start = time.perf_counter()
        try:
            yield
        finally:
            if self.turns:
                self.turns[-1].spans.append((name, start, time.perf_counter()))


@dataclass(frozen=True)
class TimedTurns(TurnsProxy):
    """Bookkeeping is not timed here: it is what is left of the turn after delivery."""

    watch: Stopwatch

    async def receive(self, message: IncomingMessage) -> bool:
        """Timed."""
        with self.watch.stage(INBOX):
            return await self.inner.receive(message)

    async def past(self, person: PersonKey, chat: ChatKey) -> Past:
        """Timed."""
        with self.watch.stage(PAST):
            return await self.inner.past(person, chat)

    async def commit(self, turn: Turn, fence: Fence | None = None) -> int:
        """Timed."""
        with self.watch.stage(COMMIT):
            return await self.inner.commit(turn, fence)

    async def begin(self, turn_id: int, now: datetime | None) -> None:
        """Timed."""
        with self.watch.stage(DELIVERY):
            await self.inner.begin(turn_id, now)

    async def end(self, turn_id: int, outcome: Delivery) -> None:
        """Timed."""
        with self.watch.stage(DELIVERY):
            await self.inner.end(turn_id, outcome)


@dataclass(frozen=True)
class TimedModel:
    """core.ports.LanguageModel."""

    inner: LanguageModel
    watch: Stopwatch

    async def complete(self, prompt: Prompt) -> Completion:
        """Timed under the stage of its task; queueing for the device counts."""
        with self.watch.stage(_TASK_STAGE.get(prompt.task, BOOKKEEPING)):
            return await self.inner.complete(prompt)

    def count_tokens(self, task: str, text: str) -> int:
        """As it is."""
        return self.inner.count_tokens(task, text)


@dataclass(frozen=True)
class TimedEncoder:
    """core.ports.Encoder."""

    inner: Encoder
    watch: Stopwatch

    async def encode(self, texts: Sequence[str]) -> Vectors:
        """Timed."""
        with self.watch.stage(ENCODE):
            return await self.inner.encode(texts)


def time_stages(app: App, watch: Stopwatch) -> None:
    """Time a wired service, its models too; they are exchanged as the port is."""
    conversation = here(app)._conversation
    put_between(app, TimedTurns(conversation._turns, watch))
    models = conversation._models
    conversation._models = replace(
        models,
        language=TimedModel(models.language, watch),
        memory_encoder=TimedEncoder(models.memory_encoder, watch),
        ethics_encoder=TimedEncoder(models.ethics_encoder, watch),
    )

"""What has to be well before she can do her work. Whatever a check raises, something is wrong."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial
from math import inf
from typing import Protocol

from bot.observing.metrics import Metrics
from bot.observing.readiness import Check
from core import Models
from core.errors import DeliveryError
from core.messages import PersonKey
from core.ports import Clock, Encoder, Notes, Prompt
from core.tasks import TASKS

__all__ = ["Check", "Seldom", "connected", "differ", "models_answer", "writable"]

# whoever answered a turn so lately need not be asked
_LATELY_S = 30.0
# a comparison is two completions for each adapter and server
_SELDOM_S = 300.0
_NOBODY = PersonKey("check", "")
_WORDS = "안녕"


class Connected(Protocol):
    """An adapter, as far as it matters here."""

    platform: str

    @property
    def connected(self) -> bool:
        """Whether what people say there reaches us now."""
        ...


def connected(adapter: Connected) -> Check:
    """Its platform reaches us."""

    async def check() -> None:
        if not adapter.connected:
            raise DeliveryError(f"{adapter.platform} is not connected")

    return check


def writable(notes: Notes, clock: Clock, role: str) -> Check:
    """The record takes a transaction: a note of when it did last."""

    async def check() -> None:
        await notes.write(f"writable {role}", clock.now().isoformat())

    return check


def models_answer(models: Models, metrics: Metrics, lately_s: float = _LATELY_S) -> Check:
    """Every task and encoder answered lately, or does now. `models` are those that `metrics` watches."""

    async def complete(task: str, stop: str) -> None:
        await models.language.complete(Prompt(task, _WORDS, stop, 1, 0.0, _NOBODY))

    async def encode(encoder: Encoder) -> None:
        await encoder.encode([_WORDS])

    async def check() -> None:
        answered, since = metrics.calls.answered, time.monotonic() - lately_s
        encoders = {"memory_encoder": models.memory_encoder, "ethics_encoder": models.ethics_encoder}
        silent = [complete(task.name, task.stop) for task in TASKS if answered.get(task.name, -inf) < since]
        silent += [encode(one) for name, one in encoders.items() if answered.get(name, -inf) < since]
        await asyncio.gather(*silent)

    return check


def differ(verify: Callable[[str], Awaitable[None]], base: str, every_s: float = _SELDOM_S) -> Check:
    """The adapters on model servers answer otherwise than their bases, as models.openai_lm.verify finds out."""
    return Seldom(partial(verify, base), every_s)


class Seldom:
    """A check too slow to wait for: the last one counts, and behind it comes another every `every_s` seconds.

    One that failed is repeated at once.
    """

    def __init__(self, check: Check, every_s: float) -> None:
        self._check = check
        self._every_s = every_s
        self._began = 0.0
        self._last: asyncio.Future[None] | None = None
        self._next: asyncio.Future[None] | None = None

    async def __call__(self) -> None:
        """What became of it last; the first time, of it."""
        if self._next is None and (self._last is None or self._failed(self._last) or self._old()):
            self._began = time.monotonic()
            self._next = asyncio.ensure_future(self._check())
            self._next.add_done_callback(self._done)
        waited_for = self._last or self._next
        assert waited_for is not None  # one of them was there, or was just made
        await asyncio.shield(waited_for)

    def _old(self) -> bool:
        return time.monotonic() - self._began >= self._every_s

    @staticmethod
    def _failed(done: "asyncio.Future[None]") -> bool:
        return done.cancelled() or done.exception() is not None

    def _done(self, done: "asyncio.Future[None]") -> None:
        self._last, self._next = done, None

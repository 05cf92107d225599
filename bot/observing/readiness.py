"""Whether she can do her work now: what she depends on is looked at when somebody asks, and never twice at once."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

log = logging.getLogger(__name__)

# raises where something is wrong
Check = Callable[[], Awaitable[None]]

LIMIT_S = 3.0
KEEP_S = 3.0
# what hangs for so long is asked anew
_LONGEST_S = 30.0


@dataclass(frozen=True, slots=True)
class Seen:
    """What became of a check: "ok", "failed", or "late" when nobody knows yet. `at`: its end, by time.monotonic()."""

    state: str
    seconds: float
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Report:
    """`state`: "starting", "serving" or "stopping"."""

    state: str
    checks: Mapping[str, Seen]

    @property
    def ready(self) -> bool:
        """Whether everything is as it should be."""
        return self.state == "serving" and all(seen.state == "ok" for seen in self.checks.values())

    def to_json(self) -> dict[str, Any]:
        """For whoever asks; why something failed is in the log, where addresses may stand."""
        checks = {name: {"state": seen.state, "seconds": round(seen.seconds, 3)} for name, seen in self.checks.items()}
        return {"ready": self.ready, "state": self.state, "checks": checks}


class Readiness:
    """`limit_s`: how long a report waits for a check; `keep_s`: how long its result holds."""

    def __init__(self, limit_s: float = LIMIT_S, keep_s: float = KEEP_S) -> None:
        self._limit_s = limit_s
        self._keep_s = keep_s
        self._state = "starting"
        self._looks: dict[str, _Look] = {}

    @contextmanager
    def serving(self, checks: Mapping[str, Check]) -> Iterator[None]:
        """The start is over; at the end of the context the stop begins."""
        self._looks = {name: _Look(name, check, self._keep_s) for name, check in checks.items()}
        self._state = "serving"
        try:
            yield
        finally:
            self.stop()
            for look in self._looks.values():
                look.stop()
            self._looks = {}

    def stop(self) -> None:
        """From now on she only finishes what is under way."""
        self._state = "stopping"

    async def report(self) -> Report:
        """As of now; takes `limit_s` at most."""
        looks = dict(self._looks)
        seen = await asyncio.gather(*(look.see(self._limit_s) for look in looks.values()))
        return Report(self._state, dict(zip(looks, seen, strict=True)))


class _Look:
    """One check. One that takes too long goes on, and whoever asks next waits for the same one."""

    def __init__(self, name: str, check: Check, keep_s: float) -> None:
        self._name = name
        self._check = check
        self._keep_s = keep_s
        self._task: asyncio.Task[Seen] | None = None
        self._told = "ok"

    async def see(self, limit_s: float) -> Seen:
        """What it was lately, or is now."""
        if self._task is None or self._old(self._task):
            self._task = asyncio.create_task(self._look(), name=f"check {self._name}")
        await asyncio.wait([self._task], timeout=limit_s)
        if not self._task.done():
            self._tell("late", f"not done within {limit_s:g} s")
        elif not self._task.cancelled():
            return self._task.result()
        return Seen("late", limit_s)

    def _old(self, task: "asyncio.Task[Seen]") -> bool:
        return task.done() and not task.cancelled() and time.monotonic() - task.result().at >= self._keep_s

    def stop(self) -> None:
        """Nobody asks any more."""
        if self._task is not None:
            self._task.cancel()

    async def _look(self) -> Seen:
        began, state, cause = time.monotonic(), "ok", ""
        try:
            async with asyncio.timeout(_LONGEST_S):
                await self._check()
        except Exception as error:  # whatever it is, the report is about it
            state, cause = "failed", f"{type(error).__name__}: {error}"
        self._tell(state, cause)
        now = time.monotonic()
        return Seen(state, now - began, now)

    def _tell(self, state: str, cause: str) -> None:
        """When it changed."""
        if state == self._told:
            return
        self._told = state
        if state == "ok":
            log.warning("ready again: %s", self._name)
        else:
            log.warning("not ready: %s %s: %s", self._name, state, cause)

"""Telegram's rates, judged by the clock of whoever receives."""

import math
from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

TOLERANCE = 0.05
PER_GROUP, MINUTE = 20, 60.0
OVERALL, SECOND = 30, 1.0


class PacingBreak(NamedTuple):
    """A send that came too early; `wait` is how many seconds too early."""

    limit: str
    chat_id: int
    at: float
    wait: float


@dataclass
class _Window:
    """At most `most` sends in any `seconds` that roll."""

    most: int
    times: deque[float] = field(default_factory=deque)

    def wait(self, now: float, seconds: float) -> float:
        while self.times and now - self.times[0] >= seconds:
            self.times.popleft()
        return self.times[-self.most] + seconds - now if len(self.times) >= self.most else 0.0


class Pace:
    """Watches sends: 1/s in a private chat, 20 per rolling minute in a group, 30 per rolling second overall.

    `scale` 10 makes every limit ten times as fast. A send may come 5 % of an interval and `jitter` seconds early, once:
    what it gained, the next has to wait for. `answers` makes a break a 429 instead of only a note.
    `gap_in_groups` holds groups to 1/s as well.
    """

    def __init__(self, scale: float = 1.0, *, jitter: float = 0.02) -> None:
        self.scale = scale
        self.jitter = jitter
        self.answers = False
        self.gap_in_groups = False
        self.breaks: list[PacingBreak] = []
        self._due: dict[int, float] = {}
        self._groups: dict[int, _Window] = {}
        self._overall = _Window(OVERALL)

    def early(self, chat_id: int, now: float) -> list[PacingBreak]:
        """The limits that a send now would break."""
        return [PacingBreak(limit, chat_id, now, wait) for limit, wait in self._waits(chat_id, now) if wait > 0]

    def refusal(self, early: list[PacingBreak]) -> int:
        """Seconds of `retry_after` where breaks are answered, else 0."""
        if not early or not self.answers:
            return 0
        self.breaks += early
        return max(1, math.ceil(max(one.wait for one in early)))

    def accept(self, chat_id: int, now: float, early: list[PacingBreak]) -> None:
        """Count a send that was done."""
        self.breaks += early
        self._due[chat_id] = max(self._due.get(chat_id, now), now) + SECOND / self.scale
        self._overall.times.append(now)
        if chat_id < 0:
            self._groups[chat_id].times.append(now)

    def _waits(self, chat_id: int, now: float) -> list[tuple[str, float]]:
        waits = [("30 per second overall", self._overall.wait(now, self._allowed(SECOND)))]
        if chat_id > 0 or self.gap_in_groups:
            early = self._due.get(chat_id, now) - now
            waits.append(("1 per second in a chat", early - TOLERANCE * SECOND / self.scale - self.jitter))
        if chat_id < 0:
            window = self._groups.setdefault(chat_id, _Window(PER_GROUP))
            waits.append(("20 per minute in a group", window.wait(now, self._allowed(MINUTE))))
        return waits

    def _allowed(self, seconds: float) -> float:
        return seconds / self.scale * (1 - TOLERANCE) - self.jitter

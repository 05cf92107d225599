"""The line of turns under way: who is before whom, and how fast it moves."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from core.errors import EngineOverloaded

# the newest interval's share of the average
_SMOOTHING = 0.2


class Line:
    """Turns from their arrival to their end. `limit`: how many may be in it; `patience_s`: who waits longer is told."""

    def __init__(self, limit: int, clock: Callable[[], float] = time.monotonic, patience_s: float = 5.0) -> None:
        self.patience_s = patience_s
        self._limit = limit
        self._clock = clock
        self._joined: dict[int, float] = {}  # ticket → when, in the order of arrival
        self._tickets = 0
        self._left_at = clock()
        self._interval = 0.0  # seconds from one end to the next while there is work

    def __len__(self) -> int:
        """How many are in it."""
        return len(self._joined)

    def check(self) -> None:
        """Raises EngineOverloaded, with position and estimate, when one more should be turned away."""
        if (waiting := len(self._joined)) >= self._limit:
            behind = waiting + 1
            raise EngineOverloaded(f"{waiting} turns are under way", behind, behind * self._interval)

    def join(self) -> int:
        """A ticket for the next place."""
        self._tickets += 1
        self._joined[self._tickets] = self._clock()
        return self._tickets

    def leave(self, ticket: int) -> None:
        """This turn is over."""
        now, joined = self._clock(), self._joined.pop(ticket)
        busy = now - max(self._left_at, joined)
        self._interval += (busy - self._interval) * (_SMOOTHING if self._interval else 1.0)
        self._left_at = now

    @contextmanager
    def place(self) -> Iterator[int]:
        """A ticket for as long as the context lasts."""
        ticket = self.join()
        try:
            yield ticket
        finally:
            self.leave(ticket)

    def position(self, ticket: int) -> int:
        """1 for the turn that is next to end."""
        return 1 + sum(other < ticket for other in self._joined)

    def estimate(self, ticket: int) -> float:
        """Seconds until its end, as fast as the line moved lately; 0 before anything is known."""
        return self.position(ticket) * self._interval

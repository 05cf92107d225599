"""Ids as Discord makes them, which say when."""

import time
from datetime import UTC, datetime

EPOCH_MS = 1420070400000


class Snowflakes:
    """Ids as Discord makes them: milliseconds since 2015 and a counter; strictly increasing."""

    def __init__(self) -> None:
        self._last = 0

    def next(self) -> int:
        """A new id, later than every earlier one."""
        self._last = max(self._last + 1, (int(time.time() * 1000) - EPOCH_MS) << 22)
        return self._last


def stamp(snowflake: int) -> str:
    """ISO 8601 time of an id."""
    return datetime.fromtimestamp(((snowflake >> 22) + EPOCH_MS) / 1000, UTC).isoformat()

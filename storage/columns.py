"""Column types: how values of core become values of a database, and come back equal.

Each refuses what it could not give back (ValueError, TypeError); Database turns that into RecordError.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import BigInteger, DateTime, Dialect, LargeBinary, Text
from sqlalchemy.types import TypeDecorator

# Databases refuse lone surrogates, PostgreSQL refuses NUL too; SUB (U+001A) with four hex digits stands in for them.
_UNSTORABLE = re.compile("[\x00\x1a\ud800-\udfff]")
_STANDS_IN = re.compile("\x1a([0-9a-f]{4})")
_SURROGATE = re.compile("[\ud800-\udfff]")


class AnyText(TypeDecorator[str]):
    """Every Python string, lone surrogates and NUL included. Ordinary text is stored as it is."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Escape what a database would refuse."""
        return None if value is None else _UNSTORABLE.sub(lambda found: f"\x1a{ord(found[0]):04x}", value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """The string that was given."""
        return None if value is None else _STANDS_IN.sub(lambda found: chr(int(found[1], 16)), value)


class UtcTime(TypeDecorator[datetime]):
    """An aware moment; stored in UTC to the microsecond, given back aware in UTC. A naive one raises ValueError."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The same moment in UTC."""
        if value is not None and value.utcoffset() is None:
            raise ValueError(f"the time {value} has no time zone; give an aware one")
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Aware, in UTC, whether the database keeps zones or not."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Period(TypeDecorator[timedelta]):
    """A length of time, stored in whole microseconds."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: timedelta | None, dialect: Dialect) -> int | None:
        """Microseconds, exact: a float of seconds would not be."""
        return None if value is None else value // timedelta(microseconds=1)

    def process_result_value(self, value: int | None, dialect: Dialect) -> timedelta | None:
        """The length that was given."""
        return None if value is None else timedelta(microseconds=int(value))  # a sum may be no int


class Vector(TypeDecorator[NDArray[np.float32]]):
    """(width,) float32, stored little-endian. Another number of dimensions raises ValueError."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: NDArray[np.float32] | None, dialect: Dialect) -> bytes | None:
        """Four bytes per number."""
        if value is not None and np.ndim(value) != 1:
            raise ValueError(f"a vector has one dimension, not {np.ndim(value)}")
        return None if value is None else np.asarray(value, dtype="<f4").tobytes()

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> NDArray[np.float32] | None:
        """An array of its own, writable."""
        return None if value is None else np.frombuffer(value, dtype="<f4").astype(np.float32)


def to_json(value: object) -> str:
    """JSON that people can read in the database: Hangul as it is, lone surrogates as JSON escapes. Raises TypeError."""
    written = json.dumps(value, ensure_ascii=False, default=_plain)
    return _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", written)


def _plain(value: object) -> object:
    """What json does not know, in evidence: mappings that are no dict, and numbers of numpy."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} has no form in JSON")

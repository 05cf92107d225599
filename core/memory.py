"""What 오로라 remembers of a person: items, where they may be used, how they age, which one fits (behaviour.md §6).

Items age by arithmetic, not by a job at 04:00: what an item says now follows from when it was learned.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from operator import attrgetter
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

DAY_STARTS = timedelta(hours=4)
_TODAY, _TOMORROW = "오늘", "내일"
_VECTOR, _AGED_VECTOR = attrgetter("vector"), attrgetter("aged_vector")


@dataclass(frozen=True, slots=True, eq=False)
class MemoryItem:
    """`[key: value]` as learned. `vector` embeds `text`; `aged_vector` embeds what a `내일 …` item says a day later.

    `scope` is "" when it was learned in a private chat, else the id of the only group it may be used in.
    `item_id` is 0 until the record gives one.
    """

    key: str
    value: str
    scope: str
    learned_at: datetime
    vector: NDArray[np.float32]
    aged_vector: NDArray[np.float32] | None = None
    item_id: int = 0

    @property
    def text(self) -> str:
        """`[key: value]`."""
        return f"[{self.key}: {self.value}]"


@dataclass(frozen=True, slots=True, eq=False)
class Summary:
    """Of her last answer to one person in one chat, with its vector."""

    text: str
    vector: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class MemoryChange:
    """What a turn does to a person's items: ids to delete, and the item to add."""

    forget: tuple[int, ...] = ()
    add: MemoryItem | None = None


def local_day(moment: datetime, zone: ZoneInfo) -> date:
    """The day a moment belongs to for a person: it begins at 04:00."""
    return (moment.astimezone(zone) - DAY_STARTS).date()


def aged_text(key: str, value: str) -> str | None:
    """What `[내일 …: value]` will say tomorrow; None for items that do not age into another text."""
    return f"[{_TODAY}{key.removeprefix(_TOMORROW)}: {value}]" if _begins_with(key, _TOMORROW) else None


def aged(item: MemoryItem, now: datetime, zone: ZoneInfo) -> MemoryItem | None:
    """The item as it reads `now`: `내일 …` becomes `오늘 …` at the next 04:00, `오늘 …` is gone then (None)."""
    days = (local_day(now, zone) - local_day(item.learned_at, zone)).days
    if _begins_with(item.key, _TODAY):
        return item if days <= 0 else None
    if not _begins_with(item.key, _TOMORROW) or days <= 0:
        return item
    if days > 1 or item.aged_vector is None:
        return None
    return replace(item, key=_TODAY + item.key.removeprefix(_TOMORROW), vector=item.aged_vector)


def usable(items: Iterable[MemoryItem], scope: str, now: datetime, zone: ZoneInfo) -> list[MemoryItem]:
    """The items that may be used in `scope`, as they read now: all of them in private, a group's own in a group."""
    here = (item for item in items if scope in ("", item.scope))
    return [reading for item in here if (reading := aged(item, now, zone)) is not None]


def best(
    items: Sequence[MemoryItem],
    prompt: NDArray[np.float32],
    threshold: float,
    scope: str,
    now: datetime,
    zone: ZoneInfo,
) -> MemoryItem | None:
    """The usable item closest to the prompt's vector, as it reads now; of equals the newest.

    None where no cosine reaches the threshold. `items` oldest first, all vectors float32 and of one width.
    """
    aged_vectors = [(place, vector) for place, vector in enumerate(map(_AGED_VECTOR, items)) if vector is not None]
    vectors = [*map(_VECTOR, items), *(vector for _, vector in aged_vectors)]
    # joined bytes are a matrix several times as fast as np.stack; and only what is close enough is asked whether it
    # may be used: 10,000 items are ranked in every turn of a person who has them
    cosines = np.frombuffer(b"".join(vectors), np.float32).reshape(len(vectors), len(prompt)) @ prompt
    places = np.concatenate([np.arange(len(items)), np.array([place for place, _ in aged_vectors], int)])
    close = np.flatnonzero(cosines >= threshold)
    for index in close[np.lexsort((-places[close], -cosines[close]))]:
        item = items[places[index]]
        for reading in usable([item], scope, now, zone):
            if (reading is item) == (index < len(items)):  # it reads as this very vector says
                return reading
    return None


def change(items: Iterable[MemoryItem], new: MemoryItem | None, now: datetime, zone: ZoneInfo) -> MemoryChange:
    """Store `new` unless it is known where it was learned; it replaces its key there; whatever expired goes."""
    forget: list[int] = []
    known = False
    for item in items:
        reading = aged(item, now, zone)
        if reading is None:
            forget.append(item.item_id)
        elif new is not None and _same(reading.text, new.text) and new.scope in ("", item.scope):
            known = True
        elif new is not None and _same(reading.key, new.key) and new.scope == item.scope:
            forget.append(item.item_id)
    return MemoryChange(tuple(forget), None if known else new)


def _begins_with(key: str, day: str) -> bool:
    """`내일 일정` begins with 내일, `내일모레 일정` does not."""
    return key == day or key.startswith(f"{day} ")


def _same(first: str, second: str) -> bool:
    return re.sub(r"\s", "", first) == re.sub(r"\s", "", second)

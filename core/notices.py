"""What the service says beside her answer, or instead of it."""

from datetime import datetime, timedelta

from core import texts
from core.messages import Notice, NoticeKind, PersonKey
from core.sanctions import Sanction, block_period


class Reminder:
    """Tells each person something at most once in a while; forgets them afterwards."""

    def __init__(self, every: timedelta) -> None:
        self._every = every
        self._told: dict[PersonKey, datetime] = {}  # in the order of telling

    def due(self, person: PersonKey, now: datetime) -> bool:
        """Whether to tell the person now; if so, it counts as told."""
        while self._told and now - next(iter(self._told.values())) >= self._every:
            del self._told[next(iter(self._told))]
        if person in self._told:
            return False
        self._told[person] = now
        return True


def notice(language: str, kind: NoticeKind, **values: object) -> Notice:
    """The sentence of a kind, its gaps filled."""
    return Notice(kind, texts.text(language, "notice", kind.value, **values))


def sanction_notices(language: str, issued: tuple[Sanction, ...]) -> tuple[Notice, ...]:
    """One warning or one block for all sanctions of a turn."""
    if not issued:
        return ()
    total = block_period(issued)
    category = texts.categories(language, [sanction.category for sanction in issued])
    kind = NoticeKind.BLOCK if total else NoticeKind.WARNING
    return (notice(language, kind, category=category, period=texts.period(language, total)),)

"""What the service says beside her answer, or instead of it."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from core import texts
from core.messages import Notice, NoticeKind, PersonKey, Reply
from core.sanctions import Sanction, block_period


class Reminder:
    """Tells each person something at most once in a while; forgets them afterwards."""

    def __init__(self, every: timedelta) -> None:
        self._every = every
        self._told: dict[PersonKey, datetime] = {}  # in the order of telling

    def due(self, person: PersonKey, now: datetime) -> bool:
        """Whether to tell the person now; if so, it counts as told."""
        # one that lies ahead was noted by a clock that was set back since
        while self._told and not timedelta(0) <= now - next(iter(self._told.values())) < self._every:
            del self._told[next(iter(self._told))]
        if person in self._told:
            return False
        self._told[person] = now
        return True


def notice(language: str, kind: NoticeKind, **values: object) -> Notice:
    """The sentence of a kind, its gaps filled."""
    return Notice(kind, texts.text(language, "notice", kind.value, **values))


def sanction_notices(language: str, issued: Iterable[Sanction]) -> tuple[Notice, ...]:
    """One warning or one block for all sanctions of a turn that the person notices."""
    felt = [sanction for sanction in issued if sanction.felt]
    if not felt:
        return ()
    total = block_period(sanction.period for sanction in felt)
    category = texts.categories(language, [sanction.category for sanction in felt])
    kind = NoticeKind.BLOCK if total else NoticeKind.WARNING
    return (notice(language, kind, category=category, period=texts.period(language, total)),)


def numbered(reply: Reply, numbers: Sequence[int]) -> Reply:
    """The reply, whose warning or block names the cases it is about, so that the person can appeal."""
    if not numbers:
        return reply
    cases = texts.text(reply.to.language, "case", "numbers", numbers=", ".join(map(str, numbers)))
    told = (NoticeKind.WARNING, NoticeKind.BLOCK)
    notices = (replace(said, text=f"{said.text} {cases}") if said.kind in told else said for said in reply.notices)
    return replace(reply, notices=tuple(notices))

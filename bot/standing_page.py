"""What /standing shows: warnings, a block, and the cases behind them. Pure."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from core import cases, texts
from core.cases import Case
from core.messages import PlaceKey
from core.sanctions import WARNING

_SHOWN = 8


def standing_page(theirs: Sequence[Case], place: PlaceKey, now: datetime, zone: ZoneInfo, language: str) -> str:
    """A person's cases, oldest first, as they stand in `place` at `now`."""
    if not theirs:
        return texts.text(language, "standing", "clean")
    current = cases.standing(theirs, now, place)
    lines = [
        texts.text(language, "standing", "row", category=texts.categories(language, [name]), n=count)
        for name, count in current.counts.items()
    ] or [texts.text(language, "standing", "clean")]
    if current.blocked_until is not None:
        until = texts.moment(language, current.blocked_until, zone)
        category = texts.categories(language, current.reasons)
        lines.append(texts.text(language, "standing", "blocked", until=until, category=category))
    lines += [_line(case, language) for case in theirs[-_SHOWN:]]
    return "\n".join([*lines, texts.text(language, "standing", "appeal")])


def _line(case: Case, language: str) -> str:
    sanction = case.sanction
    period = texts.text(language, "mod", "warning")
    if sanction.period != WARNING:
        period = texts.period(language, sanction.period)
    return texts.text(
        language,
        "standing",
        "case",
        n=case.number,
        category=texts.categories(language, [sanction.category]),
        period=period,
        state=texts.text(language, "state", case.state),
    )

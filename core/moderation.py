"""Who may do what to a case. Pure: the case as it is in the record goes in, the event to append comes out, or Refused.

One decision per case and per appeal. A case has at most three appeals; the next one may come a week after the last one
was answered. Nobody acts on a case about themselves, and a place's moderators act on what arose in their place.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from core.cases import DECISIONS, Case, Event, Kind, State
from core.errors import OhLoraError
from core.messages import PersonKey, PlaceKey

APPEALS = 3
APPEAL_AGAIN_AFTER = timedelta(days=7)
TEXT_LENGTH = 1000


class Refusal(StrEnum):
    """Why not; each has its sentence in core.texts."""

    NO_CASE = "no_case"
    ABOUT_YOURSELF = "about_yourself"
    NOT_YOURS = "not_yours"
    DECIDED = "decided"
    OUTDATED = "outdated"
    NOT_SHORTER = "not_shorter"
    NOT_BLOCKING = "not_blocking"
    APPEAL_OPEN = "appeal_open"
    TOO_SOON = "too_soon"
    TOO_MANY = "too_many"
    NO_TEXT = "no_text"
    TOO_LONG = "too_long"


class Refused(OhLoraError):
    """Somebody asked for what they may not do, or what cannot be done any more.

    `event`: who was faster, and what they did. `until`: when it may be tried again.
    """

    def __init__(self, reason: Refusal, event: Event | None = None, until: datetime | None = None) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.event = event
        self.until = until


@dataclass(frozen=True, slots=True)
class Moderator:
    """Somebody with rights, found out just now. `place`: whose moderator they are; operators are everywhere's."""

    person: PersonKey
    place: PlaceKey | None = None
    operator: bool = False


def may_see(case: Case, by: Moderator) -> bool:
    """Whether the case is theirs to look at: it arose in their place, not in a private chat, or they are operators."""
    return by.operator or (case.place == by.place and not case.chat.private)


def issued(
    person: PersonKey, place: PlaceKey, by: Moderator, now: datetime, reason: str, *, everywhere: bool = False
) -> Event:
    """A moderator warns or blocks `person` in `place`; `everywhere` is the operators'."""
    if person == by.person:
        raise Refused(Refusal.ABOUT_YOURSELF)
    if not by.operator and (everywhere or place != by.place):
        raise Refused(Refusal.NOT_YOURS)
    return Event(Kind.ISSUED, now, by.person, _text(reason, needed=True))


def decided(
    case: Case,
    by: Moderator,
    kind: Kind,
    now: datetime,
    *,
    text: str = "",
    period: timedelta | None = None,
    appeal: int | None = None,
) -> Event:
    """A decision: `kind` is one of DECISIONS; SHORTENED needs `period`, counted from when the case was issued.

    `appeal`: how many appeals there were when the moderator looked, so that nobody answers one unseen; None: any.
    """
    if kind not in DECISIONS:
        raise ValueError(f"{kind} decides nothing")
    _check(case, by)
    if case.state not in (State.OPEN, State.APPEALED):
        raise Refused(Refusal.DECIDED, case.decision)
    if appeal is not None and appeal != case.appeals:
        raise Refused(Refusal.OUTDATED, case.events[-1])
    if kind is not Kind.SHORTENED:
        return Event(kind, now, by.person, _text(text))
    if period is None or not timedelta(0) <= period < case.period:
        raise Refused(Refusal.NOT_SHORTER)
    return Event(kind, now, by.person, _text(text), period)


def lifted(case: Case, by: Moderator, now: datetime, text: str = "") -> Event:
    """The case blocks no more, decided or not; it goes on counting for the next step, and its appeal stays open."""
    _check(case, by)
    if not (case.counts and case.period):
        ends = (event for event in reversed(case.events) if event.kind in (Kind.LIFTED, *DECISIONS))
        raise Refused(Refusal.NOT_BLOCKING, next(ends, None))
    return Event(Kind.LIFTED, now, by.person, _text(text))


def commented(case: Case, by: Moderator, now: datetime, text: str) -> Event:
    """A word to the other moderators, at any time."""
    _check(case, by)
    return Event(Kind.COMMENTED, now, by.person, _text(text, needed=True))


def appealed(case: Case, person: PersonKey, now: datetime, text: str) -> Event:
    """The person concerned asks to look at the case again, blocked or not."""
    if case.person != person or not case.sanction.felt:
        raise Refused(Refusal.NO_CASE)  # nobody learns whether there is one
    if case.state is State.APPEALED:
        raise Refused(Refusal.APPEAL_OPEN)
    if case.state is State.OVERTURNED:
        raise Refused(Refusal.DECIDED, case.decision)
    if case.appeals >= APPEALS:
        raise Refused(Refusal.TOO_MANY)
    if case.appeals and case.decision is not None and now < (again := case.decision.at + APPEAL_AGAIN_AFTER):
        raise Refused(Refusal.TOO_SOON, case.decision, again)
    return Event(Kind.APPEALED, now, person, _text(text, needed=True))


def _check(case: Case, by: Moderator) -> None:
    if not may_see(case, by):
        raise Refused(Refusal.NOT_YOURS)
    if case.person == by.person:
        raise Refused(Refusal.ABOUT_YOURSELF)


def _text(given: str, *, needed: bool = False) -> str:
    text = given.strip()
    if needed and not text:
        raise Refused(Refusal.NO_TEXT)
    if len(text) > TEXT_LENGTH:
        raise Refused(Refusal.TOO_LONG)
    return text

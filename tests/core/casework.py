"""Cases to judge, without a record."""

from datetime import UTC, datetime, timedelta

from core.cases import Case, Event, Kind
from core.messages import ChatKey, PersonKey
from core.moderation import Moderator
from core.sanctions import WARNING, Mode, Sanction

NOW = datetime(2025, 11, 21, 3, tzinfo=UTC)
HOUR, DAY, MOMENT = timedelta(hours=1), timedelta(days=1), timedelta(microseconds=1)
MINA, JUN = PersonKey("console", "mina"), PersonKey("console", "jun")
LOUNGE, ELSEWHERE = ChatKey("console", "lounge", False, "guild"), ChatKey("console", "lounge 2", False, "guild 2")
HOME = ChatKey("console", "home", True)
BORA = Moderator(PersonKey("console", "bora"), LOUNGE.place)
OPERATOR = Moderator(PersonKey("console", "operator"), operator=True)


def a_case(
    number: int = 1,
    category: str = "hate",
    period: timedelta = DAY,
    at: datetime = NOW,
    *events: Event,
    turn: int | None = 0,
    mode: Mode = Mode.ENFORCE,
    everywhere: bool = True,
    chat: ChatKey = LOUNGE,
) -> Case:
    """A case of MINA's, of a turn of its own unless one is named; None: issued by hand."""
    sanction = Sanction(category, 1, at, period, mode)
    log = (Event(Kind.ISSUED, at), *events)
    return Case(number, MINA, chat, sanction, log, turn=number if turn == 0 else turn, everywhere=everywhere)


def happened(kind: Kind, at: datetime = NOW, period: timedelta | None = None) -> Event:
    by = None if kind in (Kind.ISSUED, Kind.NOTICED) else MINA if kind is Kind.APPEALED else BORA.person
    return Event(kind, at, by, "", period)


OVERTURNED, UPHELD, APPEALED = happened(Kind.OVERTURNED), happened(Kind.UPHELD), happened(Kind.APPEALED)
LIFTED = happened(Kind.LIFTED)


def shortened(period: timedelta = WARNING) -> Event:
    return happened(Kind.SHORTENED, NOW, period)

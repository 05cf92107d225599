"""Cases in a record, and moderators who act on them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from core.cases import Case, Event, Kind
from core.messages import ChatKey, PersonKey, PlaceKey
from core.moderation import Moderator, appealed, decided
from core.sanctions import Mode, Sanction
from storage.record import Record
from tests.storage.samples import MINA, NOON, message, sanction, turn

DAY = timedelta(days=1)
LOUNGE = ChatKey("console", "lounge", False, "guild")
GAMES = ChatKey("console", "games", False, "guild")
OTHER = ChatKey("console", "lounge 2", False, "guild 2")
GUILD, OTHER_GUILD = LOUNGE.place, OTHER.place
OPERATOR = Moderator(PersonKey("console", "operator"), operator=True)


def moderator(name: str = "bora", place: PlaceKey = GUILD) -> Moderator:
    return Moderator(PersonKey("console", name), place)


async def offend(
    record: Record, number: int, *issued: Sanction, person: PersonKey = MINA, chat: ChatKey = LOUNGE
) -> list[Case]:
    """A turn that is sanctioned; its cases."""
    asked = message(number, person, chat)
    assert await record.turns.receive(asked)
    return await record.cases.of_turn(await record.turns.commit(turn(asked, *(issued or (sanction(),)))))


async def judge(
    record: Record, number: int, kind: Kind = Kind.UPHELD, now: datetime = NOON, by: Moderator = OPERATOR
) -> Case:
    return await record.cases.append(number, partial(decided, by=by, kind=kind, now=now, period=timedelta(0)))


async def appeal(record: Record, number: int, now: datetime = NOON, person: PersonKey = MINA) -> Case:
    return await record.cases.append(number, partial(appealed, person=person, now=now, text="억울해"))


async def note(record: Record, number: int, *events: Event) -> Case:
    """Append events, legal or not."""
    for event in events:
        await record.cases.append(number, lambda _, event=event: event)
    found = await record.cases.get(number)
    assert found is not None
    return found


def shadow(category: str = "love", period: timedelta = DAY, at: datetime = NOON) -> Sanction:
    return Sanction(category, 1, at, period, Mode.SHADOW)


def numbers(cases: Sequence[Case]) -> list[int]:
    return [case.number for case in cases]

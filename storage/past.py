"""What a turn reads of before: one statement where what is known of the person is at hand, else four."""

from typing import Any

from sqlalchemy import Connection, bindparam, literal, select

from core.messages import ChatKey, PersonKey
from core.people import Person, PlaceSettings
from core.ports import Past
from storage import rows
from storage.cases import cases_for_standing
from storage.known import Known
from storage.memories import items_of, last_turns_of
from storage.schema import people, places

# one row, whoever is or is not there
_WHO_AND_WHERE = select(people.c.introduced, people.c.paused, people.c.revision, places.c.settings).select_from(
    select(literal(1).label("one"))
    .subquery()
    .outerjoin(people, rows.theirs(people))
    .outerjoin(
        places, (places.c.platform == bindparam("their_platform")) & (places.c.place_id == bindparam("its_place"))
    )
)


def past_of(person: PersonKey, chat: ChatKey, known: Known | None, connection: Connection) -> tuple[Past, Known | None]:
    """As of one moment; and what is worth keeping, when `known` was not of that moment."""
    now = _now(person, chat, connection)
    fresh = None
    if known is None or known.revision != now.revision:
        known = Known(
            now.revision or 0,
            cases_for_standing(person, connection),
            items_of(person, connection),
            last_turns_of(person, connection),
        )
        fresh = known if known.revision else None
    return _past(known, now, chat), fresh


def past_if_known(person: PersonKey, chat: ChatKey, known: Known, connection: Connection) -> Past | None:
    """The same with one statement; None when `known` is of another revision than the record."""
    now = _now(person, chat, connection)
    return _past(known, now, chat) if known.revision == now.revision else None


def _now(person: PersonKey, chat: ChatKey, connection: Connection) -> Any:
    return connection.execute(_WHO_AND_WHERE, {**rows.whose(person), "its_place": chat.place.place_id}).one()


def _past(known: Known, now: Any, chat: ChatKey) -> Past:
    last = known.last_turns.get(chat.chat_id)
    settings = PlaceSettings() if now.settings is None else rows.to_settings(now.settings)
    who = Person(bool(now.introduced), bool(now.paused))
    return Past(who, known.cases, known.items, None if last is None else last.summary, settings)

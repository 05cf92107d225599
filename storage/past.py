"""What a turn reads of before: one statement where what is known of the person is at hand, else four."""

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
    asked = {**rows.whose(person), "its_place": chat.place.place_id}
    now = connection.execute(_WHO_AND_WHERE, asked).one()
    fresh = None
    if known is None or known.revision != now.revision:
        known = Known(
            now.revision or 0,
            cases_for_standing(person, connection),
            items_of(person, connection),
            last_turns_of(person, connection),
        )
        fresh = known if known.revision else None
    last = known.last_turns.get(chat.chat_id)
    settings = PlaceSettings() if now.settings is None else rows.to_settings(now.settings)
    who = Person(bool(now.introduced), bool(now.paused))
    return Past(who, known.cases, known.items, None if last is None else last.summary, settings), fresh

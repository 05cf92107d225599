"""What is known of a person as a hash of Redis: a field for the revision, one for all cases, one for each item and for
each chat; in JSON, vectors in base64. A hash of another version is not read."""

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.cases import Case, Event, Kind
from core.memory import MemoryItem, Summary
from core.messages import ChatKey, PersonKey
from core.sanctions import Sanction
from storage.known import Known, LastTurn

VERSION = "1"
_ITEM, _CHAT = "item:", "chat:"
_MICROSECOND = timedelta(microseconds=1)


def fields_of(known: Known) -> dict[str, str]:
    """But for revision and version."""
    items = {item_field(item.item_id): of_item(item) for item in known.items}
    chats = {chat_field(chat_id): of_last_turn(last) for chat_id, last in known.last_turns.items()}
    return {"cases": json.dumps([_of_case(case) for case in known.cases]), **items, **chats}


def to_known(person: PersonKey, fields: Mapping[str, str]) -> Known | None:
    """None where nothing is known, or nothing that this version can read."""
    if fields.get("v") != VERSION or "cases" not in fields:
        return None
    try:
        items = [_to_item(name, value) for name, value in fields.items() if name.startswith(_ITEM)]
        return Known(
            int(fields["revision"]),
            [_to_case(person, one) for one in json.loads(fields["cases"])],
            sorted(items, key=lambda item: (item.learned_at, item.item_id)),
            dict(_to_chat(name, value) for name, value in fields.items() if name.startswith(_CHAT)),
        )
    except (ValueError, KeyError, TypeError):
        return None


def item_field(item_id: int) -> str:
    """Where an item is."""
    return f"{_ITEM}{item_id}"


def chat_field(chat_id: str) -> str:
    """Where the last turn of a chat is; ids are any text."""
    return _CHAT + json.dumps(chat_id)


def of_item(item: MemoryItem) -> str:
    """The value of its field."""
    vectors = [_of_vector(vector) for vector in (item.vector, item.aged_vector) if vector is not None]
    return json.dumps([item.key, item.value, item.scope, item.learned_at.isoformat(), *vectors])


def of_last_turn(last: LastTurn) -> str:
    """The value of its field."""
    return json.dumps([last.turn_id, last.summary.text, _of_vector(last.summary.vector)])


def _to_item(name: str, value: str) -> MemoryItem:
    key, said, scope, learned_at, *vectors = json.loads(value)
    vector, aged = [*map(_to_vector, vectors), None][:2]
    if vector is None:
        raise ValueError("an item without a vector")
    item_id = int(name.removeprefix(_ITEM))
    return MemoryItem(key, said, scope, datetime.fromisoformat(learned_at), vector, aged, item_id)


def _to_chat(name: str, value: str) -> tuple[str, LastTurn]:
    turn_id, text, vector = json.loads(value)
    return json.loads(name.removeprefix(_CHAT)), LastTurn(turn_id, Summary(text, _to_vector(vector)))


def _of_case(case: Case) -> list[Any]:
    sanction = case.sanction
    return [
        case.number,
        [case.chat.chat_id, case.chat.private, case.chat.place_id],
        [sanction.category, sanction.step, sanction.at.isoformat(), sanction.period // _MICROSECOND],
        [_of_event(event) for event in case.events],
        case.turn,
        case.everywhere,
        case.language,
    ]


def _to_case(person: PersonKey, written: list[Any]) -> Case:
    number, chat, (category, step, at, period), log, turn, everywhere, language = written
    events = tuple(_to_event(*one) for one in log)
    sanction = Sanction(category, step, datetime.fromisoformat(at), period * _MICROSECOND)
    return Case(number, person, ChatKey(person.platform, *chat), sanction, events, turn, everywhere, language)


def _of_event(event: Event) -> list[Any]:
    lasts = None if event.period is None else event.period // _MICROSECOND
    return [event.kind.value, event.at.isoformat(), lasts]


def _to_event(kind: str, at: str, period: int | None) -> Event:
    lasts = None if period is None else period * _MICROSECOND
    return Event(Kind(kind), datetime.fromisoformat(at), period=lasts)


def _of_vector(vector: NDArray[np.float32]) -> str:
    return b64encode(vector.astype("<f4", copy=False).tobytes()).decode()


def _to_vector(written: str) -> NDArray[np.float32]:
    return np.frombuffer(b64decode(written), "<f4").astype(np.float32)

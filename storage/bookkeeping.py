"""What a turn leaves in memory: once, and nothing of what was said before its person had everything forgotten."""

from collections.abc import Sequence

from sqlalchemy import Connection, select

from core.errors import Gone
from core.memory import MemoryChange, MemoryItem, Summary
from core.messages import PersonKey
from core.ports import Change, Fence
from storage import fences, rows
from storage import turn_statements as sql
from storage.dialect import upsert
from storage.hot import HotState
from storage.known import Learned, kept_item, kept_summary
from storage.memories import items_of
from storage.revisions import bump
from storage.schema import summaries, turns


def keep_books(
    turn_id: int, change: Change, summary: Summary | None, fence: Fence | None, hot: HotState, connection: Connection
) -> Learned | None:
    """What was learned; None when nothing was due."""
    fences.require(fence, connection)
    said = connection.execute(sql.KEEP_BOOKS, {"of_turn": turn_id}).one_or_none()
    if said is None:
        require_turn(turn_id, connection)
        return None
    person = PersonKey(said.platform, said.user_id)
    revision = bump(person, connection)
    made = change(_items_before(revision, person, hot, connection))
    item = _change_items(person, turn_id, made, connection)
    learned = Learned(person, revision, made.forget, item, said.chat_id, turn_id, summary and kept_summary(summary))
    _replace_summary(learned, connection)
    return learned


def require_turn(turn_id: int, connection: Connection) -> None:
    """Raises Gone where there is none."""
    if connection.scalar(select(turns.c.id).where(turns.c.id == turn_id)) is None:
        raise Gone(f"There is no turn {turn_id} in the record: its person is gone, or it never was.")


def _items_before(revision: int, person: PersonKey, hot: HotState, connection: Connection) -> Sequence[MemoryItem]:
    known = hot.near(person)
    return known.items if known is not None and known.revision == revision - 1 else items_of(person, connection)


def _change_items(person: PersonKey, turn_id: int, change: MemoryChange, connection: Connection) -> MemoryItem | None:
    """The item that was added."""
    if change.forget:
        connection.execute(sql.FORGET, [{**rows.whose(person), "item_id": item_id} for item_id in change.forget])
    if change.add is None:
        return None
    new = {**rows.of_item(change.add), **rows.of_person(person), "turn_id": turn_id}
    return kept_item(change.add, connection.execute(sql.LEARN, new).scalar_one())


def _replace_summary(learned: Learned, connection: Connection) -> None:
    """Unless a later turn's is there: this bookkeeping was late."""
    person, chat_id, turn_id = learned.person, learned.chat_id, learned.turn_id
    if learned.summary is None:
        connection.execute(sql.NO_SUMMARY, {**rows.whose(person), "in_chat": chat_id, "until": turn_id})
        return
    values = {"chat_id": chat_id, "text": learned.summary.text, "vector": learned.summary.vector, "turn_id": turn_id}
    upsert(connection, summaries, {**rows.of_person(person), **values}, newest="turn_id")

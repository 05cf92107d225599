"""What 오로라 remembers of people: items, and the last summary per chat."""

from functools import partial

from sqlalchemy import Connection, bindparam, delete, select

from core.memory import MemoryItem, Summary
from core.messages import ChatKey, PersonKey
from storage import rows
from storage.database import Database
from storage.dialect import LARGEST_ID, one_at_a_time
from storage.schema import memories, summaries


class Memories:
    """A MemoryStore. Items and summaries enter it with their turn (Turns.remember)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def items(self, person: PersonKey) -> list[MemoryItem]:
        """Everything stored about a person, oldest first, whatever its scope."""
        return await self._database.read(partial(items_of, person))

    async def forget(self, person: PersonKey, item_id: int | None = None) -> int:
        """Delete one item, or with None all items and summaries; returns how many items went."""
        if item_id is not None and not 0 < item_id <= LARGEST_ID:
            return 0
        return await self._database.write(partial(_forget, person, item_id))


# statements of every turn are made once
_ITEMS = select(memories).where(rows.theirs(memories)).order_by(memories.c.learned_at, memories.c.id)
_SUMMARY = select(summaries.c.text, summaries.c.vector).where(
    rows.theirs(summaries), summaries.c.chat_id == bindparam("in_chat")
)


def memories_of(person: PersonKey) -> tuple[str, str, str]:
    """What one_at_a_time is given by everybody who changes somebody's memories after a look at them."""
    return ("memories", person.platform, person.user_id)


def items_of(person: PersonKey, connection: Connection) -> list[MemoryItem]:
    return [rows.to_item(row) for row in connection.execute(_ITEMS, rows.whose(person))]


def summary_of(person: PersonKey, chat: ChatKey, connection: Connection) -> Summary | None:
    row = connection.execute(_SUMMARY, {**rows.whose(person), "in_chat": chat.chat_id}).one_or_none()
    return None if row is None else Summary(row.text, row.vector)


def _forget(person: PersonKey, item_id: int | None, connection: Connection) -> int:
    one_at_a_time(connection, *memories_of(person))
    going = rows.belongs_to(memories, person)
    if item_id is None:
        connection.execute(delete(summaries).where(rows.belongs_to(summaries, person)))
    else:
        going &= memories.c.id == item_id
    return (connection.execute(delete(memories).where(going))).rowcount

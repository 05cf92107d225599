"""What 오로라 remembers of people: items, and the last summary per chat."""

from functools import partial

from sqlalchemy import Connection, delete, select

from core.memory import MemoryItem, Summary
from core.messages import PersonKey
from storage import rows
from storage.database import Database
from storage.dialect import LARGEST_ID
from storage.hot import HotState
from storage.known import LastTurn
from storage.revisions import bump
from storage.schema import memories, summaries
from storage.unlearned import leave_unlearned


class Memories:
    """A MemoryStore. Items and summaries enter it with their turn (Turns.remember)."""

    def __init__(self, database: Database, hot: HotState) -> None:
        self._database = database
        self._hot = hot

    async def items(self, person: PersonKey) -> list[MemoryItem]:
        """Everything stored about a person, oldest first, whatever its scope."""
        return await self._database.read(partial(items_of, person))

    async def forget(self, person: PersonKey, item_id: int | None = None) -> int:
        """Delete one item, or with None all items and summaries, and learn nothing of what was said before.

        Returns how many items went.
        """
        if item_id is not None and not 0 < item_id <= LARGEST_ID:
            return 0
        went, revision = await self._database.write(partial(_forget, person, item_id))
        await self._hot.forget(person, revision)
        return went


# statements of every turn are made once
_ITEMS = select(memories).where(rows.theirs(memories)).order_by(memories.c.learned_at, memories.c.id)
_LAST_TURNS = select(summaries.c.chat_id, summaries.c.turn_id, summaries.c.text, summaries.c.vector).where(
    rows.theirs(summaries)
)


def items_of(person: PersonKey, connection: Connection) -> list[MemoryItem]:
    return [rows.to_item(row) for row in connection.execute(_ITEMS, rows.whose(person))]


def last_turns_of(person: PersonKey, connection: Connection) -> dict[str, LastTurn]:
    """By the id of their chat."""
    found = connection.execute(_LAST_TURNS, rows.whose(person))
    return {row.chat_id: LastTurn(row.turn_id, Summary(row.text, row.vector)) for row in found}


def _forget(person: PersonKey, item_id: int | None, connection: Connection) -> tuple[int, int]:
    """How many items went, and the revision after that."""
    going = rows.belongs_to(memories, person)
    if item_id is None:
        leave_unlearned(person, connection)
    revision = bump(person, connection)
    if item_id is None:
        connection.execute(delete(summaries).where(rows.belongs_to(summaries, person)))
    else:
        going &= memories.c.id == item_id
    return connection.execute(delete(memories).where(going)).rowcount, revision

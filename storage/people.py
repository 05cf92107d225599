"""What is kept of a person: memories and last summaries, and the log of sanctions."""

from functools import partial

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from core.memory import MemoryItem, Summary
from core.messages import ChatKey, PersonKey
from core.sanctions import Sanction
from storage import rows
from storage.database import Database
from storage.dialect import LARGEST_ID
from storage.schema import memories, sanctions, summaries


class Memories:
    """A MemoryStore. Items and summaries enter it with their turn (Turns.remember)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def items(self, person: PersonKey) -> list[MemoryItem]:
        """Everything stored about a person, oldest first, whatever its scope."""
        return await self._database.read(partial(_items, person))

    async def summary(self, person: PersonKey, chat: ChatKey) -> Summary | None:
        """The summary of the last turn of this person in this chat."""
        return await self._database.read(partial(_summary, person, chat))

    async def forget(self, person: PersonKey, item_id: int | None = None) -> int:
        """Delete one item, or with None all items and summaries; returns how many items went."""
        if item_id is not None and not 0 < item_id <= LARGEST_ID:
            return 0
        return await self._database.write(partial(_forget, person, item_id))


class Sanctions:
    """A SanctionLog."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, person: PersonKey) -> list[Sanction]:
        """A person's sanctions, oldest first."""
        return await self._database.read(partial(_sanctions, person))


async def _items(person: PersonKey, connection: AsyncConnection) -> list[MemoryItem]:
    theirs = select(memories).where(rows.belongs_to(memories, person)).order_by(memories.c.learned_at, memories.c.id)
    return [rows.to_item(row) for row in await connection.execute(theirs)]


async def _summary(person: PersonKey, chat: ChatKey, connection: AsyncConnection) -> Summary | None:
    here = rows.belongs_to(summaries, person) & (summaries.c.chat_id == chat.chat_id)
    row = (await connection.execute(select(summaries).where(here))).one_or_none()
    return None if row is None else Summary(row.text, row.vector)


async def _forget(person: PersonKey, item_id: int | None, connection: AsyncConnection) -> int:
    going = rows.belongs_to(memories, person)
    if item_id is None:
        await connection.execute(delete(summaries).where(rows.belongs_to(summaries, person)))
    else:
        going &= memories.c.id == item_id
    return (await connection.execute(delete(memories).where(going))).rowcount


async def _sanctions(person: PersonKey, connection: AsyncConnection) -> list[Sanction]:
    theirs = rows.belongs_to(sanctions, person)
    log = select(sanctions).where(theirs).order_by(sanctions.c.at, sanctions.c.id)
    return [rows.to_sanction(row) for row in await connection.execute(log)]

"""The life of a turn: inbox, then turn with sanctions and reply, then delivery and bookkeeping."""

from collections import defaultdict
from functools import partial

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from core.errors import RecordError
from core.memory import MemoryChange, Summary
from core.messages import IncomingMessage, PersonKey, Reply, Turn
from core.sanctions import Sanction
from storage import rows
from storage.database import Database
from storage.dialect import insert_new, upsert
from storage.schema import (
    ANSWERED,
    DELIVERED,
    DISCARDED,
    DONE,
    DUE,
    NONE,
    UNKNOWN,
    WAITING,
    inbox,
    memories,
    outbox,
    sanctions,
    summaries,
    turns,
)


class Turns:
    """A TurnStore. Every method is one transaction and may be repeated without doing anything twice."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def receive(self, message: IncomingMessage) -> bool:
        """Write the message to the inbox; False when (platform, chat, message id) is already there."""
        return await self._database.write(partial(_receive, message))

    async def commit(self, turn: Turn) -> int:
        """Turn, sanctions and reply in one transaction; the turn's id, also when it was there already.

        Raises RecordError, among the rest, for a message that was never received.
        """
        return await self._database.write(partial(_commit, turn))

    async def discard(self, message: IncomingMessage) -> None:
        """Close an inbox entry that failed for good; one that has its turn stays as it is."""
        await self._database.write(partial(_discard, message))

    async def delivered(self, turn_id: int, *, certain: bool = True) -> None:
        """Mark the reply as delivered, or as unknown; a certain delivery stays certain."""
        await self._database.write(partial(_delivered, turn_id, DELIVERED if certain else UNKNOWN))

    async def remember(self, turn_id: int, change: MemoryChange, summary: Summary | None) -> None:
        """Apply the change, replace the chat's summary (None takes it away), once per turn; later calls do nothing."""
        await self._database.write(partial(_remember, turn_id, change, summary))

    async def unanswered(self) -> list[IncomingMessage]:
        """Messages in the inbox without a turn, oldest first."""
        return await self._database.read(_unanswered)

    async def undelivered(self) -> list[tuple[int, Reply]]:
        """Committed replies that were not marked, oldest first."""
        return await self._database.read(_undelivered)

    async def unremembered(self) -> list[tuple[int, Turn]]:
        """Turns whose bookkeeping did not happen, oldest first."""
        return await self._database.read(_unremembered)


async def _receive(message: IncomingMessage, connection: AsyncConnection) -> bool:
    values = {**rows.of_message(message), "state": WAITING}
    unique = (inbox.c.platform, inbox.c.chat_id, inbox.c.message_id)
    return await insert_new(connection, inbox, values, unique) is not None


async def _commit(turn: Turn, connection: AsyncConnection) -> int:
    inbox_id = await connection.scalar(select(inbox.c.id).where(rows.same_message(turn.message)))
    if inbox_id is None:
        raise RecordError(f"Message {turn.message.message_id!r} is not in the inbox; receive it before its turn.")
    values = {
        "inbox_id": inbox_id,
        "final_input": turn.final_input,
        "ethics_scores": turn.ethics_scores,
        "bookkeeping": DUE if turn.to_remember else NONE,
    }
    turn_id = await insert_new(connection, turns, values, (turns.c.inbox_id,))
    if turn_id is None:
        there: int = (await connection.execute(select(turns.c.id).where(turns.c.inbox_id == inbox_id))).scalar_one()
        return there
    await connection.execute(insert(outbox).values({**rows.of_reply(turn.reply), "turn_id": turn_id, "state": WAITING}))
    whose = {**rows.of_person(turn.message.person), "turn_id": turn_id}
    if turn.sanctions:
        log = [{**rows.of_sanction(issued), **whose} for issued in turn.sanctions]
        await connection.execute(insert(sanctions), log)
    await connection.execute(update(inbox).where(inbox.c.id == inbox_id).values(state=ANSWERED))
    return turn_id


async def _discard(message: IncomingMessage, connection: AsyncConnection) -> None:
    still_open = rows.same_message(message) & (inbox.c.state == WAITING)
    await connection.execute(update(inbox).where(still_open).values(state=DISCARDED))


async def _delivered(turn_id: int, state: str, connection: AsyncConnection) -> None:
    unsure = (outbox.c.turn_id == turn_id) & (outbox.c.state != DELIVERED)
    marked = await connection.execute(update(outbox).where(unsure).values(state=state))
    if not marked.rowcount:
        await _require_turn(turn_id, connection)


async def _remember(turn_id: int, change: MemoryChange, summary: Summary | None, connection: AsyncConnection) -> None:
    due = (turns.c.id == turn_id) & (turns.c.bookkeeping == DUE)
    if not (await connection.execute(update(turns).where(due).values(bookkeeping=DONE))).rowcount:
        await _require_turn(turn_id, connection)
        return
    of_turn = select(inbox.c.platform, inbox.c.user_id, inbox.c.chat_id).join(turns).where(turns.c.id == turn_id)
    platform, user_id, chat_id = (await connection.execute(of_turn)).one()
    person = PersonKey(platform, user_id)
    await _change_items(person, turn_id, change, connection)
    await _replace_summary(person, chat_id, summary, connection)


async def _change_items(person: PersonKey, turn_id: int, change: MemoryChange, connection: AsyncConnection) -> None:
    if change.forget:
        one = rows.belongs_to(memories, person) & (memories.c.id == bindparam("item_id"))
        await connection.execute(delete(memories).where(one), [{"item_id": item_id} for item_id in change.forget])
    if change.add is not None:
        values = {**rows.of_item(change.add), **rows.of_person(person), "turn_id": turn_id}
        await connection.execute(insert(memories).values(values))


async def _replace_summary(
    person: PersonKey, chat_id: str, summary: Summary | None, connection: AsyncConnection
) -> None:
    if summary is None:
        old = rows.belongs_to(summaries, person) & (summaries.c.chat_id == chat_id)
        await connection.execute(delete(summaries).where(old))
        return
    values = {**rows.of_person(person), "chat_id": chat_id, "text": summary.text, "vector": summary.vector}
    await upsert(connection, summaries, values)


async def _require_turn(turn_id: int, connection: AsyncConnection) -> None:
    if await connection.scalar(select(turns.c.id).where(turns.c.id == turn_id)) is None:
        raise RecordError(f"There is no turn {turn_id} in the record; use the id that commit gave.")


async def _unanswered(connection: AsyncConnection) -> list[IncomingMessage]:
    waiting = rows.select_messages().where(inbox.c.state == WAITING).order_by(inbox.c.id)
    return [rows.to_message(row) for row in await connection.execute(waiting)]


async def _undelivered(connection: AsyncConnection) -> list[tuple[int, Reply]]:
    waiting = rows.select_replies().where(outbox.c.state == WAITING).order_by(outbox.c.turn_id)
    return [(row.turn_id, rows.to_reply(row)) for row in await connection.execute(waiting)]


async def _unremembered(connection: AsyncConnection) -> list[tuple[int, Turn]]:
    due = turns.c.bookkeeping == DUE
    issued: dict[int, list[Sanction]] = defaultdict(list)
    theirs = select(sanctions).join(turns).where(due).order_by(sanctions.c.id)
    for row in await connection.execute(theirs):
        issued[row.turn_id].append(rows.to_sanction(row))
    waiting = rows.select_replies().where(due).order_by(turns.c.id)
    return [(row.turn_id, rows.to_turn(row, issued[row.turn_id])) for row in await connection.execute(waiting)]

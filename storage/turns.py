"""The life of a turn: inbox, then turn with cases and reply, then delivery and bookkeeping."""

from collections import defaultdict
from datetime import datetime
from functools import partial

from sqlalchemy import Connection, func, select

from core.cases import Event, Kind
from core.errors import RecordError
from core.memory import MemoryChange, Summary
from core.messages import ChatKey, IncomingMessage, NoticeKind, PersonKey, Turn
from core.notices import numbered
from core.ports import Change, Delivery, Past, Undelivered
from core.sanctions import Sanction
from storage import rows
from storage import turn_statements as sql
from storage.cases import append_event, cases_of, cases_of_turn, open_cases
from storage.database import Database
from storage.dialect import insert_new, one_at_a_time, upsert
from storage.memories import items_of, memories_of, summary_of
from storage.people import change_person, person_of, settings_of
from storage.schema import (
    DELIVERED,
    DUE,
    NONE,
    WAITING,
    cases,
    inbox,
    outbox,
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

    async def past(self, person: PersonKey, chat: ChatKey) -> Past:
        """Everything a turn of this person in this chat needs to know, as of one moment."""
        return await self._database.read(partial(_past, person, chat))

    async def amend(self, message: IncomingMessage) -> None:
        """The message's newest text, while it waits for its turn."""
        await self._database.write(partial(_amend, message))

    async def commit(self, turn: Turn) -> int:
        """Turn, cases and reply in one transaction; the turn's id, also when it was there already.

        Raises RecordError, among the rest, for a message that was never received.
        """
        return await self._database.write(partial(_commit, turn))

    async def discard(self, message: IncomingMessage) -> None:
        """Close an inbox entry that failed for good; one that has its turn stays as it is."""
        await self._database.write(partial(_discard, message))

    async def begin(self, turn_id: int, now: datetime | None) -> None:
        """The reply is about to leave; the first time counts. None: it did not leave after all."""
        await self._database.write(partial(_begin, turn_id, now))

    async def end(self, turn_id: int, outcome: Delivery) -> None:
        """What became of the reply; a certain delivery stays certain."""
        await self._database.write(partial(_end, turn_id, outcome.value))

    async def remember(self, turn_id: int, change: Change, summary: Summary | None) -> None:
        """Apply the change, replace the chat's summary (None takes it away), once per turn; later calls do nothing."""
        await self._database.write(partial(_remember, turn_id, change, summary))

    async def unanswered(self) -> list[IncomingMessage]:
        """Messages in the inbox without a turn, oldest first."""
        return await self._database.read(_unanswered)

    async def undelivered(self) -> list[Undelivered]:
        """Committed replies that were not marked, oldest first."""
        return await self._database.read(_undelivered)

    async def unremembered(self) -> list[tuple[int, Turn]]:
        """Turns whose bookkeeping did not happen, oldest first."""
        return await self._database.read(_unremembered)

    async def last_heard(self, platform: str) -> datetime | None:
        """When the newest message of a platform was sent."""
        return await self._database.read(partial(_last_heard, platform))

    async def private_chats(self, platform: str, since: datetime, limit: int) -> list[ChatKey]:
        """The private chats with a message sent after `since`, the most recent first."""
        return await self._database.read(partial(_private_chats, platform, since, limit))


def _receive(message: IncomingMessage, connection: Connection) -> bool:
    values = {**rows.of_message(message), "state": WAITING}
    unique = (inbox.c.platform, inbox.c.chat_id, inbox.c.message_id)
    return insert_new(connection, inbox, values, unique) is not None


def _past(person: PersonKey, chat: ChatKey, connection: Connection) -> Past:
    return Past(
        person_of(person, connection),
        cases_of(person, connection),
        items_of(person, connection),
        summary_of(person, chat, connection),
        settings_of(chat.place, connection),
    )


def _amend(message: IncomingMessage, connection: Connection) -> None:
    connection.execute(sql.AMEND, {**rows.which(message), "new": message.text})


def _commit(turn: Turn, connection: Connection) -> int:
    inbox_id = connection.scalar(sql.CLOSE, rows.which(turn.message))
    if inbox_id is None:
        raise RecordError(f"Message {turn.message.message_id!r} is not in the inbox; receive it before its turn.")
    values = {
        "inbox_id": inbox_id,
        "final_input": turn.final_input,
        "ethics_scores": turn.ethics_scores,
        "bookkeeping": DUE if turn.to_remember else NONE,
    }
    turn_id = insert_new(connection, turns, values, (turns.c.inbox_id,))
    if turn_id is None:
        there: int = connection.execute(sql.TURN_OF, {"its_inbox_id": inbox_id}).scalar_one()
        return there
    state = DELIVERED if turn.reply.empty else WAITING
    reply = numbered(turn.reply, open_cases(turn_id, turn.message, turn.sanctions, connection))
    connection.execute(sql.REPLY, {**rows.of_reply(reply), "turn_id": turn_id, "state": state})
    if any(notice.kind is NoticeKind.INTRODUCTION for notice in turn.reply.notices):
        change_person(turn.message.person, connection, introduced=True)
    return turn_id


def _discard(message: IncomingMessage, connection: Connection) -> None:
    connection.execute(sql.DISCARD, rows.which(message))


def _begin(turn_id: int, now: datetime | None, connection: Connection) -> None:
    if now is None:
        connection.execute(sql.TAKE_BACK, {"of_turn": turn_id})
    else:
        connection.execute(sql.BEGIN, {"of_turn": turn_id, "now": now})


def _end(turn_id: int, state: str, connection: Connection) -> None:
    marked = connection.execute(sql.MARK, {"of_turn": turn_id, "outcome": state}).one_or_none()
    if marked is None:
        _require_turn(turn_id, connection)
        return
    for case in cases_of_turn(turn_id, connection, to_change=True) if marked.issued else ():
        if case.sanction.felt:
            told = Event(Kind.NOTICED, marked.begun_at or case.sanction.at, None, state)
            append_event(case, told, connection)


def _remember(turn_id: int, change: Change, summary: Summary | None, connection: Connection) -> None:
    inbox_id = connection.scalar(sql.KEEP_BOOKS, {"of_turn": turn_id})
    if inbox_id is None:
        _require_turn(turn_id, connection)
        return
    platform, user_id, chat_id = connection.execute(sql.WHERE_SAID, {"its_id": inbox_id}).one()
    person = PersonKey(platform, user_id)
    one_at_a_time(connection, *memories_of(person))
    _change_items(person, turn_id, change(items_of(person, connection)), connection)
    _replace_summary(person, turn_id, chat_id, summary, connection)


def _change_items(person: PersonKey, turn_id: int, change: MemoryChange, connection: Connection) -> None:
    if change.forget:
        connection.execute(sql.FORGET, [{**rows.whose(person), "item_id": item_id} for item_id in change.forget])
    if change.add is not None:
        connection.execute(sql.LEARN, {**rows.of_item(change.add), **rows.of_person(person), "turn_id": turn_id})


def _replace_summary(
    person: PersonKey, turn_id: int, chat_id: str, summary: Summary | None, connection: Connection
) -> None:
    """Unless a later turn's is there: this bookkeeping was late."""
    if summary is None:
        connection.execute(sql.NO_SUMMARY, {**rows.whose(person), "in_chat": chat_id, "until": turn_id})
        return
    values = {"chat_id": chat_id, "text": summary.text, "vector": summary.vector, "turn_id": turn_id}
    upsert(connection, summaries, {**rows.of_person(person), **values}, newest="turn_id")


def _require_turn(turn_id: int, connection: Connection) -> None:
    if connection.scalar(select(turns.c.id).where(turns.c.id == turn_id)) is None:
        raise RecordError(f"There is no turn {turn_id} in the record; use the id that commit gave.")


def _unanswered(connection: Connection) -> list[IncomingMessage]:
    waiting = rows.select_messages().where(inbox.c.state == WAITING).order_by(inbox.c.id)
    return [rows.to_message(row) for row in connection.execute(waiting)]


def _undelivered(connection: Connection) -> list[Undelivered]:
    waiting = rows.select_replies().where(outbox.c.state == WAITING).order_by(outbox.c.turn_id)
    return [Undelivered(row.turn_id, rows.to_reply(row), row.begun_at) for row in connection.execute(waiting)]


def _last_heard(platform: str, connection: Connection) -> datetime | None:
    newest = select(inbox.c.sent_at).where(inbox.c.platform == platform).order_by(inbox.c.sent_at.desc()).limit(1)
    found: datetime | None = connection.scalar(newest)
    return found


def _private_chats(platform: str, since: datetime, limit: int, connection: Connection) -> list[ChatKey]:
    recent = (inbox.c.platform == platform) & (inbox.c.sent_at > since) & inbox.c.private
    last = func.max(inbox.c.sent_at)
    chats = select(inbox.c.chat_id).where(recent).group_by(inbox.c.chat_id).order_by(last.desc()).limit(limit)
    return [ChatKey(platform, row.chat_id, private=True) for row in connection.execute(chats)]


def _unremembered(connection: Connection) -> list[tuple[int, Turn]]:
    due = turns.c.bookkeeping == DUE
    issued: dict[int, list[Sanction]] = defaultdict(list)
    theirs = select(cases).join(turns).where(due).order_by(cases.c.number)
    for row in connection.execute(theirs):
        issued[row.turn_id].append(rows.to_sanction(row))
    waiting = rows.select_replies().where(due).order_by(turns.c.id)
    return [(row.turn_id, rows.to_turn(row, issued[row.turn_id])) for row in connection.execute(waiting)]

"""The life of a turn: inbox, then turn with cases and reply, then delivery and bookkeeping."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from functools import partial
from itertools import chain, repeat

from sqlalchemy import Connection, func, select

from core.cases import Event, Kind
from core.errors import Gone
from core.memory import Summary
from core.messages import ChatKey, IncomingMessage, MessageKey, NoticeKind, PersonKey, Turn
from core.notices import numbered
from core.ports import Change, Delivery, Fence, Past, Undelivered
from core.sanctions import Sanction
from storage import fences, rows
from storage import turn_statements as sql
from storage.bookkeeping import keep_books, require_turn
from storage.cases import append_event, cases_of_turn, open_cases
from storage.database import Database
from storage.dialect import insert_new
from storage.hot import HotState
from storage.past import past_if_known, past_of
from storage.people import change_person
from storage.schema import DELIVERED, DUE, NONE, WAITING, cases, inbox, turns

# messages or replies that one statement asks for; databases take no number of parameters
_AT_ONCE = 1000


class Turns:
    """A TurnStore. Every method is one transaction and may be repeated without doing anything twice."""

    def __init__(self, database: Database, hot: HotState) -> None:
        self._database = database
        self._hot = hot

    async def receive(self, message: IncomingMessage) -> bool:
        """Write the message to the inbox; False when (platform, chat, message id) is already there."""
        return await self._database.write(partial(_receive, message))

    async def past(self, person: PersonKey, chat: ChatKey) -> Past:
        """Everything a turn of this person in this chat needs to know, as of one moment."""
        known = await self._hot.recall(person)
        if known is not None:
            found = await self._database.look(partial(past_if_known, person, chat, known))
            if found is not None:
                self._database.watch.hot(True)
                return found
        past, fresh = await self._database.read(partial(past_of, person, chat, known))
        self._database.watch.hot(known is not None and fresh is None)
        if fresh is not None:
            await self._hot.keep(person, fresh)
        return past

    async def amend(self, message: IncomingMessage) -> None:
        """The message's newest text, while it waits for its turn."""
        await self._database.write(partial(_amend, message))

    async def commit(self, turn: Turn, fence: Fence | None = None) -> int:
        """Turn, cases and reply in one transaction; the turn's id, also when it was there already.

        Raises RecordError, among the rest, for a message that was never received.
        """
        return await self._database.write(partial(_commit, turn, fence))

    async def discard(self, message: IncomingMessage) -> None:
        """Close an inbox entry that failed for good; one that has its turn stays as it is."""
        await self._database.write(partial(_discard, message))

    async def begin(self, turn_id: int, now: datetime | None) -> None:
        """The reply is about to leave; the first time counts. None: it did not leave after all."""
        await self._database.write(partial(_begin, turn_id, now))

    async def end(self, turn_id: int, outcome: Delivery) -> None:
        """What became of the reply; a certain delivery stays certain."""
        await self._database.write(partial(_end, turn_id, outcome.value), soon=False)

    async def remember(self, turn_id: int, change: Change, summary: Summary | None, fence: Fence | None = None) -> None:
        """Apply the change, replace the chat's summary (None takes it away), once per turn; later calls do nothing."""
        learned = await self._database.write(
            partial(keep_books, turn_id, change, summary, fence, self._hot), soon=False
        )
        if learned is not None:
            await self._hot.learn(learned)

    async def waiting(self, keys: Sequence[MessageKey]) -> list[IncomingMessage]:
        """Those of these messages that still wait for their turn, oldest first."""
        return await self._database.look(partial(_waiting, keys)) if keys else []

    async def unanswered(self) -> list[IncomingMessage]:
        """Messages in the inbox without a turn, oldest first."""
        return await self._database.read(_unanswered)

    async def undelivered(self, turn_ids: Collection[int] | None = None) -> list[Undelivered]:
        """Committed replies that were not marked, oldest first; with `turn_ids` only those."""
        return await (self._database.read if turn_ids is None else self._database.look)(partial(_undelivered, turn_ids))

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


def _amend(message: IncomingMessage, connection: Connection) -> None:
    connection.execute(sql.AMEND, {**rows.which(message), "new": message.text})


def _commit(turn: Turn, fence: Fence | None, connection: Connection) -> int:
    fences.require(fence, connection)
    asked = connection.execute(sql.CLOSE, rows.which(turn.message)).one_or_none()
    if asked is None:
        raise Gone(f"Message {turn.message.message_id!r} is not in the inbox: its person is gone, or it never came.")
    values = {
        "inbox_id": asked.id,
        "final_input": turn.final_input,
        "ethics_scores": turn.ethics_scores,
        "bookkeeping": DUE if turn.to_remember and asked.learn else NONE,
    }
    turn_id = insert_new(connection, turns, values, (turns.c.inbox_id,))
    if turn_id is None:
        there: int = connection.execute(sql.TURN_OF, {"its_inbox_id": asked.id}).scalar_one()
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
        require_turn(turn_id, connection)
        return
    for case in cases_of_turn(turn_id, connection, to_change=True) if marked.issued else ():
        if case.sanction.felt:
            told = Event(Kind.NOTICED, marked.begun_at or case.sanction.at, None, state)
            append_event(case, told, connection)


def _waiting(keys: Sequence[MessageKey], connection: Connection) -> list[IncomingMessage]:
    found: dict[int, rows.AnyRow] = {}
    for begin in range(0, len(keys), sql.SIZES[-1]):
        some = keys[begin : begin + sql.SIZES[-1]]
        size = next(size for size in sql.SIZES if size >= len(some))
        asked = {
            f"{column.name}{place}": getattr(key, column.name)
            for place, key in zip(range(size), chain(some, repeat(some[-1])), strict=False)
            for column in rows.KEY
        }
        found |= {row.id: row for row in connection.execute(sql.received(size), asked) if row.state == WAITING}
    return [rows.to_message(found[inbox_id]) for inbox_id in sorted(found)]


def _unanswered(connection: Connection) -> list[IncomingMessage]:
    return [rows.to_message(row) for row in connection.execute(sql.UNANSWERED)]


def _undelivered(turn_ids: Collection[int] | None, connection: Connection) -> list[Undelivered]:
    if turn_ids is None:
        found = list(connection.execute(sql.UNDELIVERED))
    else:
        wanted = sorted(turn_ids)
        some = (wanted[begin : begin + _AT_ONCE] for begin in range(0, len(wanted), _AT_ONCE))
        found = [row for ids in some for row in connection.execute(sql.UNDELIVERED_OF, {"turn_ids": ids})]
    return [Undelivered(row.turn_id, rows.to_reply(row), row.begun_at) for row in found]


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

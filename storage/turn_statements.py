"""The statements of a turn, made once: to build one takes longer than to carry it out."""

from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, case, delete, exists, insert, or_, select, update

from storage import rows
from storage.schema import (
    ANSWERED,
    DEAD,
    DELIVERED,
    DISCARDED,
    DONE,
    DUE,
    TOLD,
    WAITING,
    cases,
    inbox,
    memories,
    outbox,
    summaries,
    turns,
)

_STILL_OPEN = rows.this_message() & (inbox.c.state == WAITING)
_REPLY_OF = outbox.c.turn_id == bindparam("of_turn")

AMEND = update(inbox).where(_STILL_OPEN).values(text=bindparam("new"))
DISCARD = (
    update(inbox)
    .where(rows.this_message(), inbox.c.state.in_((WAITING, DEAD)))
    .values(state=case((inbox.c.state == WAITING, DISCARDED), else_=TOLD))
)

# the message's inbox id, and whether anything may be learned from it; nothing when it was never received, or given up
CLOSE = (
    update(inbox)
    .where(rows.this_message(), inbox.c.state.not_in((DEAD, TOLD)))
    .values(state=ANSWERED)
    .returning(inbox.c.id, inbox.c.learn)
)
TURN_OF = select(turns.c.id).where(turns.c.inbox_id == bindparam("its_inbox_id"))
REPLY = insert(outbox)

BEGIN = update(outbox).where(_REPLY_OF, outbox.c.begun_at.is_(None)).values(begun_at=bindparam("now"))
TAKE_BACK = update(outbox).where(_REPLY_OF, outbox.c.state == WAITING).values(begun_at=None)

# begun_at, and whether the turn has cases; nothing where the outcome is known already
MARK = (
    update(outbox)
    .where(_REPLY_OF, outbox.c.state != DELIVERED, outbox.c.state != bindparam("outcome"))
    .values(state=bindparam("outcome"))
    .returning(outbox.c.begun_at, exists().where(cases.c.turn_id == bindparam("of_turn")).label("issued"))
)


def _said(column: ColumnElement[str]) -> ColumnElement[str]:
    return select(column).where(inbox.c.id == turns.c.inbox_id).scalar_subquery().label(column.key)


# who said it, and where, of a turn whose bookkeeping was due
KEEP_BOOKS = (
    update(turns)
    .where(turns.c.id == bindparam("of_turn"), turns.c.bookkeeping == DUE)
    .values(bookkeeping=DONE)
    .returning(*(_said(column) for column in (inbox.c.platform, inbox.c.user_id, inbox.c.chat_id)))
)
FORGET = delete(memories).where(rows.theirs(memories), memories.c.id == bindparam("item_id"))
LEARN = insert(memories).returning(memories.c.id)
NO_SUMMARY = delete(summaries).where(
    rows.theirs(summaries), summaries.c.chat_id == bindparam("in_chat"), summaries.c.turn_id <= bindparam("until")
)

UNANSWERED = rows.select_messages().where(inbox.c.state == WAITING).order_by(inbox.c.id)
UNDELIVERED = rows.select_replies().where(outbox.c.state == WAITING).order_by(outbox.c.turn_id)
UNDELIVERED_OF = UNDELIVERED.where(outbox.c.turn_id.in_(bindparam("turn_ids", expanding=True)))

# messages that one statement asks for; few sizes, for each is made once
SIZES = (1, 8, 64)


@cache
def received(number: int) -> Select[Any]:
    """So many messages, whatever their state: to look for it, databases might read all that wait."""
    return rows.select_messages().where(
        or_(*(and_(*(column == bindparam(f"{column.name}{place}") for column in rows.KEY)) for place in range(number)))
    )

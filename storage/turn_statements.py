"""The statements of a turn, made once: to build one takes longer than to carry it out."""

from sqlalchemy import bindparam, delete, exists, insert, select, update

from storage import rows
from storage.schema import (
    ANSWERED,
    DELIVERED,
    DISCARDED,
    DONE,
    DUE,
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
DISCARD = update(inbox).where(_STILL_OPEN).values(state=DISCARDED)

# the message's inbox id; None when it was never received
CLOSE = update(inbox).where(rows.this_message()).values(state=ANSWERED).returning(inbox.c.id)
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

# the inbox id of a turn whose bookkeeping was due
KEEP_BOOKS = (
    update(turns)
    .where(turns.c.id == bindparam("of_turn"), turns.c.bookkeeping == DUE)
    .values(bookkeeping=DONE)
    .returning(turns.c.inbox_id)
)
WHERE_SAID = select(inbox.c.platform, inbox.c.user_id, inbox.c.chat_id).where(inbox.c.id == bindparam("its_id"))
FORGET = delete(memories).where(rows.theirs(memories), memories.c.id == bindparam("item_id"))
LEARN = insert(memories)
NO_SUMMARY = delete(summaries).where(
    rows.theirs(summaries), summaries.c.chat_id == bindparam("in_chat"), summaries.c.turn_id <= bindparam("until")
)

"""What was said before somebody had everything forgotten, or paused."""

from sqlalchemy import Connection, exists, select, update

from core.messages import PersonKey
from storage import rows
from storage.schema import DEAD, DUE, NONE, TOLD, WAITING, inbox, turns


def leave_unlearned(person: PersonKey, connection: Connection) -> None:
    """Nothing a person said so far is learned any more, whether it waits, may wait again, or has its answer."""
    waits = rows.belongs_to(inbox, person) & inbox.c.state.in_((WAITING, DEAD, TOLD))
    connection.execute(update(inbox).where(waits).values(learn=False))
    theirs = exists(select(inbox.c.id).where(inbox.c.id == turns.c.inbox_id, rows.belongs_to(inbox, person)))
    connection.execute(update(turns).where(turns.c.bookkeeping == DUE, theirs).values(bookkeeping=NONE))

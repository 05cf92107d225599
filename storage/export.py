"""Everything kept about one person, as JSON that people and programs can read."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, select

from core.cases import Kind
from core.messages import PersonKey
from storage import rows
from storage.schema import case_events, cases, inbox, memories, outbox, people, summaries, turns

# vectors are computed from the texts beside them; ids of other rows say nothing; who moderates is their own affair
_LEFT_OUT = {
    "vector",
    "aged_vector",
    "inbox_id",
    "turn_id",
    "platform",
    "user_id",
    "via",
    "period_us",
    "week",
    "answered",
    "waited_us",
    "longest_us",
}


def everything(person: PersonKey, connection: Connection) -> dict[str, Any]:
    """One list of objects per kind of thing, oldest first; times in ISO 8601, UTC."""
    turn_columns = (inbox.c.id, inbox.c.message_id, turns.c.final_input, turns.c.ethics_scores)
    reply_columns = (outbox.c.text, outbox.c.eyes, outbox.c.mouth, outbox.c.pose, outbox.c.notices, outbox.c.state)
    theirs = rows.belongs_to(inbox, person)
    event_columns = (case_events.c[name] for name in ("number", "kind", "at", "text"))
    parts: dict[str, Select[Any]] = {
        "person": select(people).where(rows.belongs_to(people, person)),
        "messages": select(inbox).where(theirs).order_by(inbox.c.id),
        "replies": select(*turn_columns, *reply_columns)
        .select_from(turns)
        .join(inbox)
        .join(outbox)
        .where(theirs)
        .order_by(turns.c.id),
        "memories": select(memories).where(rows.belongs_to(memories, person)).order_by(memories.c.id),
        "summaries": select(summaries).where(rows.belongs_to(summaries, person)).order_by(summaries.c.chat_id),
        "cases": select(cases, cases.c.period_us.label("period_s"))
        .where(rows.belongs_to(cases, person))
        .order_by(cases.c.number),
        "case_events": select(*event_columns, case_events.c.period_us.label("period_s"))
        .join(cases)
        .where(rows.belongs_to(cases, person), case_events.c.kind != Kind.COMMENTED.value)
        .order_by(case_events.c.number, case_events.c.position),
    }
    kept: dict[str, Any] = {"platform": person.platform, "user_id": person.user_id}
    for name, selected in parts.items():
        found = (connection.execute(selected)).mappings()
        kept[name] = [{key: _plain(row[key]) for key in row if key not in _LEFT_OUT} for row in found]
    return kept


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return value.total_seconds() if isinstance(value, timedelta) else value

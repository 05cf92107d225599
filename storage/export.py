"""Everything kept about one person, as JSON that people and programs can read."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, select

from core.cases import Kind
from core.messages import PersonKey
from storage import rows
from storage.erasure import private_places
from storage.schema import buttons, case_events, cases, inbox, memories, outbox, people, places, summaries, turns

# of the form of an export: another number when whoever reads one would have to change
VERSION = 2

# vectors are computed from the texts beside them; ids of other rows and figures for lists follow from the rest; who
# moderates is their own affair
LEFT_OUT = {
    "vector",
    "aged_vector",
    "inbox_id",
    "turn_id",
    "platform",
    "user_id",
    "via",
    "revision",
    "period_us",
    "week",
    "answered",
    "waited_us",
    "longest_us",
}


def everything(person: PersonKey, connection: Connection) -> dict[str, Any]:
    """One list of objects per kind of thing, oldest first; times in ISO 8601, UTC.

    `judged`: what the person did as a moderator. What moderators comment about the person is between them.
    """
    kept: dict[str, Any] = {"version": VERSION, "platform": person.platform, "user_id": person.user_id}
    for name, selected in (_said(person) | _judged(person) | _settings(person, connection)).items():
        found = connection.execute(selected).mappings()
        kept[name] = [{key: _plain(row[key]) for key in row if key not in LEFT_OUT} for row in found]
    return kept


def _said(person: PersonKey) -> dict[str, Select[Any]]:
    """What was said, what came of it, and what she learned."""
    theirs = rows.belongs_to(inbox, person)
    turn_columns = (inbox.c.id, inbox.c.message_id, turns.c.final_input, turns.c.ethics_scores, turns.c.bookkeeping)
    replies = select(*turn_columns, *outbox.c).select_from(turns).join(inbox).join(outbox).where(theirs)
    return {
        "person": select(people).where(rows.belongs_to(people, person)),
        "messages": select(inbox).where(theirs).order_by(inbox.c.id),
        "replies": replies.order_by(turns.c.id),
        "memories": select(memories).where(rows.belongs_to(memories, person)).order_by(memories.c.id),
        "summaries": select(summaries).where(rows.belongs_to(summaries, person)).order_by(summaries.c.chat_id),
    }


def _judged(person: PersonKey) -> dict[str, Select[Any]]:
    """The person's cases, and their part in those of others."""
    theirs = rows.belongs_to(cases, person)
    by_them = (case_events.c.by_platform == person.platform) & (case_events.c.by_user_id == person.user_id)
    columns = (case_events.c[name] for name in ("number", "kind", "at", "text"))
    events = select(*columns, _seconds(case_events)).join(cases)
    events = events.order_by(case_events.c.number, case_events.c.position)
    return {
        "cases": select(cases, _seconds(cases)).where(theirs).order_by(cases.c.number),
        "case_events": events.where(theirs, case_events.c.kind != Kind.COMMENTED.value),
        "judged": events.where(by_them, ~theirs),
    }


def _settings(person: PersonKey, connection: Connection) -> dict[str, Select[Any]]:
    private = places.c.place_id.in_(private_places(person, connection))
    return {
        "private_settings": select(places).where(places.c.platform == person.platform, private),
        "buttons": select(buttons).where(rows.belongs_to(buttons, person)).order_by(buttons.c.id),
    }


def _seconds(table: Table) -> ColumnElement[Any]:
    return table.c.period_us.label("period_s")


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return value.total_seconds() if isinstance(value, timedelta) else value

"""Sanctions become cases: each with its events, and with what moderators see of it."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from alembic import op

from storage.columns import AnyText, UtcTime
from storage.dialect import ID, NEVER_REUSE_IDS

revision = "0003"
down_revision = "0002"

_AT_ONCE = 500

# the rows that are carried over, as this version of the schema has them
_sanctions = sa.table(
    "sanctions",
    sa.column("id"), sa.column("turn_id"), sa.column("platform"), sa.column("user_id"), sa.column("category"),
    sa.column("step"), sa.column("at", UtcTime), sa.column("period_us"), sa.column("evidence", sa.JSON),
    sa.column("overturned"),
)  # fmt: skip
_turns = sa.table("turns", sa.column("id"), sa.column("inbox_id"))
_inbox = sa.table(
    "inbox",
    sa.column("id"), sa.column("chat_id"), sa.column("place_id"), sa.column("private"), sa.column("language"),
)  # fmt: skip
_cases = sa.table(
    "cases",
    *(sa.column(name) for name in (
        "number", "turn_id", "platform", "user_id", "chat_id", "place_id", "private", "language", "everywhere",
        "category", "step", "period_us", "mode", "blanked", "answered", "waited_us", "longest_us", "encoder", "state",
    )),
    sa.column("at", UtcTime), sa.column("ends_at", UtcTime), sa.column("week", sa.Date),
    sa.column("prompt", AnyText), sa.column("answer", AnyText),
    sa.column("scores", sa.JSON), sa.column("thresholds", sa.JSON),
)  # fmt: skip
_events = sa.table(
    "case_events",
    sa.column("number"), sa.column("position"), sa.column("kind"), sa.column("at", UtcTime), sa.column("text"),
)  # fmt: skip


def upgrade() -> None:
    """Make the new tables, carry the sanctions over, and drop their table."""
    _make_cases()
    _make_events_and_messages()
    _carry_over()
    op.drop_table("sanctions")


def _make_cases() -> None:
    op.create_table(
        "cases",
        sa.Column("number", ID, nullable=False),
        sa.Column("turn_id", ID),
        sa.Column("platform", sa.Text, nullable=False),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("chat_id", sa.Text, nullable=False),
        sa.Column("place_id", sa.Text, nullable=False),
        sa.Column("private", sa.Boolean, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("everywhere", sa.Boolean, nullable=False),
        sa.Column("category", sa.Text, nullable=False),
        sa.Column("step", sa.Integer, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("period_us", sa.BigInteger, nullable=False),
        sa.Column("mode", sa.String(16), nullable=False),
        sa.Column("prompt", sa.Text, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("blanked", sa.Boolean, nullable=False),
        sa.Column("scores", sa.JSON, nullable=False),
        sa.Column("thresholds", sa.JSON, nullable=False),
        sa.Column("encoder", sa.Text, nullable=False),
        sa.Column("week", sa.Date, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered", sa.Integer, nullable=False),
        sa.Column("waited_us", sa.BigInteger, nullable=False),
        sa.Column("longest_us", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_cases"),
        sa.ForeignKeyConstraint(["turn_id"], ["turns.id"], name="fk_cases_turn_id"),
        sa.UniqueConstraint("turn_id", "category", name="uq_cases_turn_id_category"),
        **NEVER_REUSE_IDS,
    )
    for columns in (
        ["platform", "user_id", "mode", "number"],
        ["platform", "place_id", "number"],
        ["platform", "place_id", "state", "number"],
        ["platform", "place_id", "category", "number"],
        ["state", "number"],
        ["category", "number"],
        ["at", "number"],
        ["blanked", "ends_at"],
    ):
        op.create_index(f"ix_cases_{'_'.join(columns)}", "cases", columns)
    counted = ["week", "category", "mode", "state", "answered", "waited_us", "longest_us"]
    op.create_index("ix_cases_stats_of_place", "cases", ["platform", "place_id", *counted])
    op.create_index("ix_cases_stats", "cases", counted)


def _make_events_and_messages() -> None:
    op.create_table(
        "case_events",
        sa.Column("number", ID, nullable=False, autoincrement=False),
        sa.Column("position", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_platform", sa.Text),
        sa.Column("by_user_id", sa.Text),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("period_us", sa.BigInteger),
        sa.PrimaryKeyConstraint("number", "position", name="pk_case_events"),
        sa.ForeignKeyConstraint(["number"], ["cases.number"], name="fk_case_events_number"),
    )
    op.create_table(
        "case_messages",
        sa.Column("number", ID, nullable=False, autoincrement=False),
        sa.Column("appeal", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("chat_id", sa.Text, nullable=False),
        sa.Column("message_id", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("number", "appeal", "chat_id", name="pk_case_messages"),
        sa.ForeignKeyConstraint(["number"], ["cases.number"], name="fk_case_messages_number"),
    )


def _carry_over() -> None:
    """Each sanction keeps its id as the number of its case; where it arose, its message tells."""
    connection = op.get_bind()
    where = (_inbox.c.chat_id, _inbox.c.place_id, _inbox.c.private, _inbox.c.language)
    joined = _sanctions.join(_turns, _turns.c.id == _sanctions.c.turn_id).join(_inbox, _inbox.c.id == _turns.c.inbox_id)
    kept = sa.select(_sanctions, *where).select_from(joined).order_by(_sanctions.c.id)
    for rows in connection.execute(kept).mappings().partitions(_AT_ONCE):
        connection.execute(sa.insert(_cases), [_case(row) for row in rows])
        connection.execute(sa.insert(_events), [event for row in rows for event in _log(row)])


def _case(row: sa.RowMapping) -> dict[str, Any]:
    evidence, at = row["evidence"], row["at"]
    moved = ("turn_id", "platform", "user_id", "chat_id", "private", "language", "category", "step", "at", "period_us")
    return {
        **{name: row[name] for name in moved},
        "number": row["id"],
        "place_id": row["place_id"] or row["chat_id"],
        "everywhere": True,
        "mode": "enforce",
        "prompt": str(evidence.get("prompt") or ""),
        "answer": str(evidence.get("answer") or ""),
        "blanked": False,
        "scores": evidence.get("scores") or {},
        "thresholds": evidence.get("thresholds") or {},
        "encoder": str(evidence.get("model") or ""),
        "week": _monday(at),
        "state": "overturned" if row["overturned"] else "open",
        "answered": 0,
        "waited_us": 0,
        "longest_us": 0,
        # an overturned block was over when it was overturned; nobody wrote down when
        "ends_at": at if row["overturned"] else at + timedelta(microseconds=row["period_us"]),
    }


def _monday(at: datetime) -> date:
    day = at.astimezone(UTC).date()
    return day - timedelta(days=day.weekday())


def _log(row: sa.RowMapping) -> list[dict[str, Any]]:
    kinds = ("issued", "overturned") if row["overturned"] else ("issued",)
    return [
        {"number": row["id"], "position": position, "kind": kind, "at": row["at"], "text": ""}
        for position, kind in enumerate(kinds)
    ]

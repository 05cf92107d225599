"""The first schema: inbox, turns, outbox, sanctions, memories, summaries."""

import sqlalchemy as sa
from alembic import op

from storage.dialect import ID, NEVER_REUSE_IDS

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make all tables."""
    _inbox()
    _turns_and_outbox()
    _sanctions()
    _memories_and_summaries()


def _inbox() -> None:
    op.create_table(
        "inbox",
        sa.Column("id", ID, nullable=False),
        sa.Column("platform", sa.Text, nullable=False),
        sa.Column("chat_id", sa.Text, nullable=False),
        sa.Column("message_id", sa.Text, nullable=False),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("private", sa.Boolean, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_inbox"),
        sa.UniqueConstraint("platform", "chat_id", "message_id", name="uq_inbox_platform_chat_id_message_id"),
        **NEVER_REUSE_IDS,
    )
    op.create_index("ix_inbox_state_id", "inbox", ["state", "id"])


def _turns_and_outbox() -> None:
    op.create_table(
        "turns",
        sa.Column("id", ID, nullable=False),
        sa.Column("inbox_id", ID, nullable=False),
        sa.Column("final_input", sa.Text, nullable=False),
        sa.Column("ethics_scores", sa.JSON, nullable=False),
        sa.Column("bookkeeping", sa.String(16), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_turns"),
        sa.ForeignKeyConstraint(["inbox_id"], ["inbox.id"], name="fk_turns_inbox_id"),
        sa.UniqueConstraint("inbox_id", name="uq_turns_inbox_id"),
        **NEVER_REUSE_IDS,
    )
    op.create_index("ix_turns_bookkeeping_id", "turns", ["bookkeeping", "id"])
    op.create_table(
        "outbox",
        sa.Column("turn_id", ID, nullable=False, autoincrement=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("eyes", sa.String(16)),
        sa.Column("mouth", sa.String(16)),
        sa.Column("pose", sa.String(16)),
        sa.Column("notices", sa.JSON, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.PrimaryKeyConstraint("turn_id", name="pk_outbox"),
        sa.ForeignKeyConstraint(["turn_id"], ["turns.id"], name="fk_outbox_turn_id"),
    )
    op.create_index("ix_outbox_state_turn_id", "outbox", ["state", "turn_id"])


def _sanctions() -> None:
    op.create_table(
        "sanctions",
        sa.Column("id", ID, nullable=False),
        sa.Column("turn_id", ID, nullable=False),
        sa.Column("platform", sa.Text, nullable=False),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("category", sa.Text, nullable=False),
        sa.Column("step", sa.Integer, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("period_us", sa.BigInteger, nullable=False),
        sa.Column("evidence", sa.JSON, nullable=False),
        sa.Column("overturned", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sanctions"),
        sa.ForeignKeyConstraint(["turn_id"], ["turns.id"], name="fk_sanctions_turn_id"),
        sa.UniqueConstraint("turn_id", "category", name="uq_sanctions_turn_id_category"),
        **NEVER_REUSE_IDS,
    )
    op.create_index("ix_sanctions_platform_user_id_at_id", "sanctions", ["platform", "user_id", "at", "id"])


def _memories_and_summaries() -> None:
    op.create_table(
        "memories",
        sa.Column("id", ID, nullable=False),
        sa.Column("turn_id", ID, nullable=False),
        sa.Column("platform", sa.Text, nullable=False),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("learned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("vector", sa.LargeBinary, nullable=False),
        sa.Column("aged_vector", sa.LargeBinary),
        sa.PrimaryKeyConstraint("id", name="pk_memories"),
        sa.ForeignKeyConstraint(["turn_id"], ["turns.id"], name="fk_memories_turn_id"),
        sa.UniqueConstraint("turn_id", name="uq_memories_turn_id"),
        **NEVER_REUSE_IDS,
    )
    op.create_index(
        "ix_memories_platform_user_id_learned_at_id", "memories", ["platform", "user_id", "learned_at", "id"]
    )
    op.create_table(
        "summaries",
        sa.Column("platform", sa.Text, nullable=False),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("chat_id", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("vector", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("platform", "user_id", "chat_id", name="pk_summaries"),
    )

"""What platforms need: places, people, buttons, notes, and when a delivery began."""

import sqlalchemy as sa
from alembic import op

from storage.dialect import ID, NEVER_REUSE_IDS

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Widen inbox, outbox and summaries, make the new tables."""
    op.add_column("inbox", sa.Column("place_id", sa.Text, nullable=False, server_default=""))
    op.add_column("inbox", sa.Column("via", sa.Text, nullable=False, server_default=""))
    op.create_index("ix_inbox_platform_sent_at", "inbox", ["platform", "sent_at"])
    op.add_column("summaries", sa.Column("turn_id", ID, nullable=False, server_default="0"))
    op.add_column("outbox", sa.Column("begun_at", sa.DateTime(timezone=True)))
    _people_and_places()
    _buttons_and_notes()


def _people_and_places() -> None:
    op.create_table(
        "people",
        sa.Column("platform", sa.Text, nullable=False),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("introduced", sa.Boolean, nullable=False),
        sa.Column("paused", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("platform", "user_id", name="pk_people"),
    )
    op.create_table(
        "places",
        sa.Column("platform", sa.Text, nullable=False),
        sa.Column("place_id", sa.Text, nullable=False),
        sa.Column("settings", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("platform", "place_id", name="pk_places"),
    )


def _buttons_and_notes() -> None:
    op.create_table(
        "buttons",
        sa.Column("id", ID, nullable=False),
        sa.Column("platform", sa.Text, nullable=False),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("command", sa.Text, nullable=False),
        sa.Column("argument", sa.Text, nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_buttons"),
        **NEVER_REUSE_IDS,
    )
    op.create_index("ix_buttons_platform_user_id_made_at", "buttons", ["platform", "user_id", "made_at"])
    op.create_table(
        "notes",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_notes"),
    )

"""What several processes need: revisions of people, fences, messages that are dead or not to be learned from."""

import sqlalchemy as sa
from alembic import op

from storage.dialect import ID

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Widen inbox and people, make the new table and indexes."""
    op.add_column("inbox", sa.Column("learn", sa.Boolean, nullable=False, server_default=sa.true()))
    op.add_column("inbox", sa.Column("reason", sa.Text, nullable=False, server_default=""))
    op.create_index("ix_inbox_user_id_platform_id", "inbox", ["user_id", "platform", "id"])
    by = ["by_platform", "by_user_id", "number"]
    op.create_index(f"ix_case_events_{'_'.join(by)}", "case_events", by)
    op.add_column("people", sa.Column("revision", ID, nullable=False, server_default="0"))
    op.create_table(
        "fences",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("token", ID, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_fences"),
    )

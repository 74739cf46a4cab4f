"""Keep the gates that the server runs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "pre_0004"
down_revision = "pre_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "trials",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("running", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_trials"),
    )
    op.create_index("ix_trials_running", "trials", ["running"])
    op.create_index("ix_trials_created_at", "trials", ["created_at"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("trials")

"""Index samples by rollout and row, so that pages of them are read in order and never sorted."""

from __future__ import annotations

from alembic import op

revision = "pre_0002"
down_revision = "pre_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the index."""
    op.create_index("ix_samples_rows", "samples", ["rollout_id", "row"])


def downgrade() -> None:
    """Drop it."""
    op.drop_index("ix_samples_rows", "samples")

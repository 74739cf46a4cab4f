"""Mark rollouts with something left to do, so that the control loop need not read those that have ended."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "pre_0003"
down_revision = "pre_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, fill it from the bodies, and index it."""
    op.add_column("rollouts", sa.Column("unfinished", sa.Boolean(), nullable=False, server_default=sa.true()))
    rollouts = sa.table("rollouts", *map(sa.column, ("id", "state", "unfinished")), sa.column("body", sa.JSON()))
    connection = op.get_bind()
    ended = connection.execute(sa.select(rollouts.c.id, rollouts.c.body).where(rollouts.c.state != "running")).all()
    finished = [row.id for row in ended if _order(row.body["split_seen"]) == _order(row.body["split_wanted"])]
    for rollout_id in finished:
        connection.execute(sa.update(rollouts).where(rollouts.c.id == rollout_id).values(unfinished=sa.false()))
    op.create_index("ix_rollouts_unfinished", "rollouts", ["unfinished"])


def downgrade() -> None:
    """Drop both."""
    op.drop_index("ix_rollouts_unfinished", "rollouts")
    op.drop_column("rollouts", "unfinished")


def _order(split: dict[str, int] | None) -> tuple[int, int] | None:
    """Return what tells whether a split has been overtaken."""
    return None if split is None else (split["epoch"], split["version"])

"""Create the first tables.

Revision file names begin with `pre_` (expand: safe before the new version runs) or `post_` (contract: after it).
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "pre_0001"
down_revision = None
branch_labels = None
depends_on = None


ROW = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TABLES = (
    "services",
    "releases",
    "deployments",
    "rollouts",
    "audit",
    "splits",
    "gateways",
    "exchanges",
    "samples",
    "tallies",
    "reports",
    "jobs",
    "outbox",
    "keys",
    "webhooks",
    "inbound_events",
)


def upgrade() -> None:
    """Create all tables."""
    _catalog()
    _rollouts()
    _evidence()
    _work()
    _access()


def downgrade() -> None:
    """Drop all tables, those that refer to others first."""
    for table in reversed(TABLES):
        op.drop_table(table)


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def _catalog() -> None:
    op.create_table(
        "services",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_services"),
    )
    op.create_table(
        "releases",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_releases"),
    )
    op.create_table(
        "deployments",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_deployments"),
    )


def _rollouts() -> None:
    op.create_table(
        "rollouts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("rollback_requested", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_rollouts"),
    )
    op.create_index("ix_rollouts_created_at", "rollouts", ["created_at"])
    op.create_index("uq_rollouts_running_service", "rollouts", ["service"], unique=True, **_where("state = 'running'"))
    op.create_table(
        "audit",
        sa.Column("rollout_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("ts", sa.Double(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("previous", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["rollout_id"], ["rollouts.id"], name="fk_audit_rollout_id"),
        sa.PrimaryKeyConstraint("rollout_id", "version", name="pk_audit"),
    )
    op.create_table(
        "splits",
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("service", name="pk_splits"),
    )
    op.create_table(
        "gateways",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.Double(), nullable=False),
        sa.Column("orders", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_gateways"),
    )
    op.create_index("ix_gateways_seen_at", "gateways", ["seen_at"])


def _evidence() -> None:
    op.create_table(
        "exchanges",
        sa.Column("row", ROW, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("rollout_id", sa.Text(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("row", name="pk_exchanges"),
        sa.UniqueConstraint("id", name="uq_exchanges_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_exchanges_rollout_id", "exchanges", ["rollout_id"])
    op.create_table(
        "samples",
        sa.Column("row", ROW, nullable=False),
        sa.Column("exchange_row", ROW, nullable=False),
        sa.Column("rollout_id", sa.Text(), nullable=False),
        sa.Column("stage", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("arm", sa.Text(), nullable=False),
        sa.Column("pair_id", sa.Text(), nullable=True),
        sa.Column("state", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("row", name="pk_samples"),
        sa.UniqueConstraint("exchange_row", name="uq_samples_exchange_row"),
    )
    op.create_index("ix_samples_counts", "samples", ["rollout_id", "stage", "arm", "state"])
    op.create_index("ix_samples_pairs", "samples", ["rollout_id", "pair_id", "arm", "outcome"])
    op.create_index("ix_samples_unfolded", "samples", ["rollout_id", "stage", "epoch", "row"], **_where("state = 0"))
    op.create_table(
        "tallies",
        sa.Column("rollout_id", sa.Text(), nullable=False),
        sa.Column("stage", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("epoch", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("rollout_id", "stage", "epoch", name="pk_tallies"),
    )
    op.create_table(
        "reports",
        sa.Column("row", ROW, nullable=False),
        sa.Column("rollout_id", sa.Text(), nullable=False),
        sa.Column("stage", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("look", sa.Integer(), nullable=False),
        sa.Column("ts", sa.Double(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("row", name="pk_reports"),
        sa.UniqueConstraint("rollout_id", "stage", "epoch", "look", name="uq_reports_rollout_id_stage_epoch_look"),
    )
    op.create_index("ix_reports_rollout_id_row", "reports", ["rollout_id", "row"])


def _work() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", ROW, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.Double(), nullable=False),
        sa.Column("wake_at", sa.Double(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
    )
    op.create_index("ix_jobs_open", "jobs", ["id"], **_where("state IN ('pending', 'leased')"))
    op.create_index("ix_jobs_state", "jobs", ["state"])
    op.create_table(
        "outbox",
        sa.Column("id", ROW, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.Double(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sa.UniqueConstraint("key", name="uq_outbox_key"),
    )
    op.create_index("ix_outbox_open", "outbox", ["next_at"], **_where("state = 'pending'"))
    op.create_index("ix_outbox_state", "outbox", ["state"])


def _access() -> None:
    op.create_table(
        "keys",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("revoked_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_keys"),
        sa.UniqueConstraint("digest", name="uq_keys_digest"),
    )
    op.create_table(
        "webhooks",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_webhooks"),
    )
    op.create_table(
        "inbound_events",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("ts", sa.Double(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("source", "event_id", name="pk_inbound_events"),
    )
    op.create_index("ix_inbound_events_ts", "inbound_events", ["ts"])

"""The tables. A noun is kept whole as JSON; what is searched, ordered or guarded stands beside it in columns.

JSON, not JSONB: bodies are read whole and never searched inside, and JSON keeps numbers and text as they were written
(model output may hold NUL characters, which JSONB refuses).
"""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Text,
    UniqueConstraint,
    text,
    true,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

RowNumber = BigInteger().with_variant(Integer, "sqlite")
"""Counts rows up; SQLite numbers rows by itself only under this type's name."""


class Base(DeclarativeBase):
    """Hold the metadata that migrations are compared with."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text(),
        float: Double(),
        dict[str, Any]: JSON(),
        list[str]: JSON(),
    }


class ServiceRow(Base):
    """Keep a service under its name."""

    __tablename__ = "services"

    name: Mapped[str] = mapped_column(primary_key=True)
    body: Mapped[dict[str, Any]]


class ReleaseRow(Base):
    """Keep a release under its digest; never changed."""

    __tablename__ = "releases"

    digest: Mapped[str] = mapped_column(primary_key=True)
    body: Mapped[dict[str, Any]]


class DeploymentRow(Base):
    """Keep a deployment under its id."""

    __tablename__ = "deployments"

    id: Mapped[str] = mapped_column(primary_key=True)
    body: Mapped[dict[str, Any]]


class RolloutRow(Base):
    """Keep a rollout; the columns beside the body guard its compare-and-swap. One runs per service."""

    __tablename__ = "rollouts"

    id: Mapped[str] = mapped_column(primary_key=True)
    service: Mapped[str]
    state: Mapped[str]
    version: Mapped[int]
    epoch: Mapped[int]
    rollback_requested: Mapped[bool]
    unfinished: Mapped[bool] = mapped_column(index=True, server_default=true())
    created_at: Mapped[float] = mapped_column(index=True)
    body: Mapped[dict[str, Any]]

    __table_args__ = (
        Index(
            "uq_rollouts_running_service",
            "service",
            unique=True,
            sqlite_where=text("state = 'running'"),
            postgresql_where=text("state = 'running'"),
        ),
    )


class TrialRow(Base):
    """Keep a gate that the server runs."""

    __tablename__ = "trials"

    id: Mapped[str] = mapped_column(primary_key=True)
    running: Mapped[bool] = mapped_column(index=True)
    created_at: Mapped[float] = mapped_column(index=True)
    body: Mapped[dict[str, Any]]


class AuditRow(Base):
    """Keep one transition; append-only, one row for each version of a rollout."""

    __tablename__ = "audit"

    rollout_id: Mapped[str] = mapped_column(ForeignKey("rollouts.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    ts: Mapped[float]
    actor: Mapped[str]
    event: Mapped[str]
    body: Mapped[dict[str, Any]]
    previous: Mapped[str]
    hash: Mapped[str]


class SplitRow(Base):
    """Keep each service's newest split."""

    __tablename__ = "splits"

    service: Mapped[str] = mapped_column(primary_key=True)
    epoch: Mapped[int]
    version: Mapped[int]
    body: Mapped[dict[str, Any]]


class GatewayRow(Base):
    """Keep what a gateway applies, {service: [epoch, version]}, and when it was last heard from."""

    __tablename__ = "gateways"

    id: Mapped[str] = mapped_column(primary_key=True)
    seen_at: Mapped[float] = mapped_column(index=True)
    orders: Mapped[dict[str, Any]]


class ExchangeRow(Base):
    """Keep what a gateway recorded; `row` counts in the order of arrival."""

    __tablename__ = "exchanges"

    row: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    id: Mapped[str] = mapped_column(unique=True)
    rollout_id: Mapped[str] = mapped_column(index=True)
    body: Mapped[dict[str, Any]]

    __table_args__ = ({"sqlite_autoincrement": True},)  # a row number is never used again: samples outlive exchanges


class SampleRow(Base):
    """Keep a scored exchange. state: 0 new, 1 folded into a tally, 2 left out. outcome: what pairs are compared by."""

    __tablename__ = "samples"

    row: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    exchange_row: Mapped[int] = mapped_column(RowNumber, unique=True)
    rollout_id: Mapped[str]
    stage: Mapped[int]
    epoch: Mapped[int]
    arm: Mapped[str]
    pair_id: Mapped[str | None]
    state: Mapped[int]
    outcome: Mapped[str]
    body: Mapped[dict[str, Any]]
    labels: Mapped[dict[str, Any]]

    __table_args__ = (
        Index(
            "ix_samples_unfolded",
            "rollout_id",
            "stage",
            "epoch",
            "row",
            sqlite_where=text("state = 0"),
            postgresql_where=text("state = 0"),
        ),
        Index("ix_samples_rows", "rollout_id", "row"),
        Index("ix_samples_counts", "rollout_id", "stage", "arm", "state"),
        Index("ix_samples_pairs", "rollout_id", "pair_id", "arm", "outcome"),
    )


class TallyRow(Base):
    """Keep a stage's mergeable evidence."""

    __tablename__ = "tallies"

    rollout_id: Mapped[str] = mapped_column(primary_key=True)
    stage: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    epoch: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    body: Mapped[dict[str, Any]]


class ReportRow(Base):
    """Keep what each look reported."""

    __tablename__ = "reports"

    row: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    rollout_id: Mapped[str]
    stage: Mapped[int]
    epoch: Mapped[int]
    look: Mapped[int]
    ts: Mapped[float]
    body: Mapped[dict[str, Any]]

    __table_args__ = (UniqueConstraint("rollout_id", "stage", "epoch", "look"), Index(None, "rollout_id", "row"))


class JobRow(Base):
    """Keep a piece of work: `pending`, `leased`, `done` or `dead`.

    next_at: not to be taken before (the lease's end, or the pause after an error). wake_at: not to be announced before.
    """

    __tablename__ = "jobs"

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    kind: Mapped[str]
    payload: Mapped[dict[str, Any]]
    state: Mapped[str]
    attempt: Mapped[int]
    next_at: Mapped[float]
    wake_at: Mapped[float]
    error: Mapped[str]
    created_at: Mapped[float]

    __table_args__ = (
        Index(
            "ix_jobs_open",
            "id",
            sqlite_where=text("state IN ('pending', 'leased')"),
            postgresql_where=text("state IN ('pending', 'leased')"),
        ),
        Index(None, "state"),
    )


class OutboxRow(Base):
    """Keep an effect owed to the world: `pending`, `done` or `dead`; its key makes it owed once."""

    __tablename__ = "outbox"

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    kind: Mapped[str]
    key: Mapped[str] = mapped_column(unique=True)
    body: Mapped[dict[str, Any]]
    state: Mapped[str]
    attempt: Mapped[int]
    next_at: Mapped[float]
    error: Mapped[str]

    __table_args__ = (
        Index(
            "ix_outbox_open",
            "next_at",
            sqlite_where=text("state = 'pending'"),
            postgresql_where=text("state = 'pending'"),
        ),
        Index(None, "state"),
    )


class KeyRow(Base):
    """Keep an API key by the digest of its text."""

    __tablename__ = "keys"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    scope: Mapped[str]
    digest: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[float]
    revoked_at: Mapped[float | None]


class WebhookRow(Base):
    """Keep an outbound webhook."""

    __tablename__ = "webhooks"

    id: Mapped[str] = mapped_column(primary_key=True)
    url: Mapped[str]
    secret: Mapped[str]
    events: Mapped[list[str]]
    disabled: Mapped[bool]


class InboundEventRow(Base):
    """Keep the ids of inbound events, so that each takes effect once."""

    __tablename__ = "inbound_events"

    source: Mapped[str] = mapped_column(primary_key=True)
    event_id: Mapped[str] = mapped_column(primary_key=True)
    ts: Mapped[float] = mapped_column(index=True)
    body: Mapped[dict[str, Any]]

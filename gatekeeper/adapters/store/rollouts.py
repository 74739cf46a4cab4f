"""Rollouts and their audit chain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from gatekeeper.adapters.store.tables import AuditRow, RolloutRow
from gatekeeper.decide.chain import seal
from gatekeeper.decide.supersede import refusal
from gatekeeper.errors import ConflictError, NotFoundError
from gatekeeper.model.audit import AuditEntry
from gatekeeper.model.rollout import Rollout, RolloutState
from gatekeeper.model.wire import from_dict, to_dict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gatekeeper.adapters.store.outbox import SqlOutbox
    from gatekeeper.adapters.store.work import Work
    from gatekeeper.model.action import OutboxItem


class SqlRollouts:
    """Keep rollouts; a save is a compare-and-swap that also writes the audit entry and the outbox."""

    def __init__(self, work: Work, outbox: SqlOutbox) -> None:
        """Work in this transaction; effects go to this outbox."""
        self._work = work
        self._outbox = outbox

    def add(self, rollout: Rollout, entry: AuditEntry) -> None:
        """Insert a rollout with its first audit entry; ConflictError when its service has one running."""
        statement = self._work.insert(RolloutRow).values(id=rollout.id, created_at=rollout.created_at, **_row(rollout))
        if not self._work.inserted(statement.on_conflict_do_nothing(), RolloutRow.id):
            raise ConflictError(
                f"rollout {rollout.id!r} cannot begin: service {rollout.service!r} has one running, or the id is taken"
            )
        self._append(rollout, entry)

    def get(self, rollout_id: str, *, lock: bool = False) -> Rollout:
        """Return a rollout; raises NotFoundError. lock: hold its row until the unit ends."""
        query = select(RolloutRow.body).where(RolloutRow.id == rollout_id)
        found = self._work.first(query.with_for_update() if lock else query)
        if found is None:
            raise NotFoundError(f"no rollout {rollout_id!r}; `gatekeeper rollout list` shows those that exist")
        return from_dict(Rollout, found.body)

    def list(self, *, running: bool = False) -> Sequence[Rollout]:
        """Return rollouts, newest first; only those still running when asked."""
        query = select(RolloutRow.body).order_by(RolloutRow.created_at.desc(), RolloutRow.id.desc())
        if running:
            query = query.where(RolloutRow.state == RolloutState.RUNNING.value)
        return [from_dict(Rollout, row.body) for row in self._work.all(query)]

    def unfinished(self) -> Sequence[Rollout]:
        """Return those with something left to do, oldest first."""
        query = select(RolloutRow.body).where(RolloutRow.unfinished.is_(True))
        rows = self._work.all(query.order_by(RolloutRow.created_at, RolloutRow.id))
        return [from_dict(Rollout, row.body) for row in rows]

    def save(self, rollout: Rollout, entry: AuditEntry | None = None, outbox: Sequence[OutboxItem] = ()) -> None:
        """Write a rollout over the version it was read at, with its audit entry and what is owed to the world.

        Raises:
            ConflictError: the row has moved on, or a rollback was requested that this save does not know of.
        """
        stored = self.get(rollout.id, lock=True)
        refused = refusal(stored, rollout, transition=entry is not None)
        if refused is None:
            swap = update(RolloutRow).where(
                RolloutRow.id == rollout.id, RolloutRow.version == stored.version, RolloutRow.epoch == stored.epoch
            )
            if not self._work.run(swap.values(**_row(rollout))).rowcount:
                refused = "it moved on at the same moment"
        if refused is not None:
            raise ConflictError(f"rollout {rollout.id!r} has moved on: {refused}; look again")
        if entry is not None:
            self._append(rollout, entry)
        self._outbox.add(outbox)

    def _append(self, rollout: Rollout, entry: AuditEntry) -> None:
        if (entry.rollout_id, entry.version) != (rollout.id, rollout.version):
            raise ValueError(f"audit entry {entry.rollout_id}/{entry.version} is not {rollout.id}/{rollout.version}")
        last = self._work.first(
            select(AuditRow.hash).where(AuditRow.rollout_id == rollout.id).order_by(AuditRow.version.desc()).limit(1)
        )
        sealed = seal(entry, last.hash if last else "")
        self._work.run(self._work.insert(AuditRow).values(to_dict(sealed)))


class SqlAudit:
    """Read a rollout's chain."""

    def __init__(self, work: Work) -> None:
        """Work in this transaction."""
        self._work = work

    def entries(self, rollout_id: str) -> Sequence[AuditEntry]:
        """Return all entries in order of version."""
        query = select(AuditRow.__table__).where(AuditRow.rollout_id == rollout_id).order_by(AuditRow.version)
        return [AuditEntry(**row._mapping) for row in self._work.all(query)]  # noqa: SLF001 - a row's public mapping


def _row(rollout: Rollout) -> dict[str, Any]:
    return {
        "service": rollout.service,
        "state": rollout.state.value,
        "version": rollout.version,
        "epoch": rollout.epoch,
        "rollback_requested": rollout.rollback_requested,
        "unfinished": not rollout.finished,
        "body": to_dict(rollout),
    }

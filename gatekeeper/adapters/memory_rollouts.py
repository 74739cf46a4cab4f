"""Rollouts and their audit chain, in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatekeeper.decide.chain import seal
from gatekeeper.decide.supersede import refusal
from gatekeeper.errors import ConflictError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gatekeeper.adapters.memory_shelf import Shelves
    from gatekeeper.adapters.memory_work import MemoryOutbox
    from gatekeeper.model.action import OutboxItem
    from gatekeeper.model.audit import AuditEntry
    from gatekeeper.model.rollout import Rollout


class MemoryRollouts:
    """Keep rollouts; a save is a compare-and-swap that also writes the audit entry and the outbox."""

    def __init__(self, shelves: Shelves, outbox: MemoryOutbox) -> None:
        """Work on these shelves; effects go to this outbox."""
        self._shelves = shelves
        self._outbox = outbox

    def add(self, rollout: Rollout, entry: AuditEntry) -> None:
        """Insert a rollout with its first audit entry; ConflictError when its service has one running."""
        running = any(one.service == rollout.service for one in self.list(running=True))
        if rollout.id in self._shelves.rollouts or (running and not rollout.state.ended):
            raise ConflictError(
                f"rollout {rollout.id!r} cannot begin: service {rollout.service!r} has one running, or the id is taken"
            )
        self._shelves.rollouts[rollout.id] = rollout
        self._append(rollout, entry)

    def get(self, rollout_id: str, *, lock: bool = False) -> Rollout:
        """Return a rollout; raises NotFoundError. lock is the unit's own already."""
        del lock
        found = self._shelves.rollouts.get(rollout_id)
        if found is None:
            raise NotFoundError(f"no rollout {rollout_id!r}; `gatekeeper rollout list` shows those that exist")
        return found

    def list(self, *, running: bool = False) -> Sequence[Rollout]:
        """Return rollouts, newest first; only those still running when asked."""
        found = [one for one in self._shelves.rollouts.values() if not (running and one.state.ended)]
        return sorted(found, key=lambda one: (one.created_at, one.id), reverse=True)

    def unfinished(self) -> Sequence[Rollout]:
        """Return those with something left to do, oldest first."""
        found = [one for one in self._shelves.rollouts.values() if not one.finished]
        return sorted(found, key=lambda one: (one.created_at, one.id))

    def save(self, rollout: Rollout, entry: AuditEntry | None = None, outbox: Sequence[OutboxItem] = ()) -> None:
        """Write a rollout over the version it was read at, with its audit entry and what is owed to the world.

        Raises:
            ConflictError: the row has moved on, or a rollback was requested that this save does not know of.
        """
        refused = refusal(self.get(rollout.id), rollout, transition=entry is not None)
        if refused is not None:
            raise ConflictError(f"rollout {rollout.id!r} has moved on: {refused}; look again")
        self._shelves.rollouts[rollout.id] = rollout
        if entry is not None:
            self._append(rollout, entry)
        self._outbox.add(outbox)

    def _append(self, rollout: Rollout, entry: AuditEntry) -> None:
        if (entry.rollout_id, entry.version) != (rollout.id, rollout.version):
            raise ValueError(f"audit entry {entry.rollout_id}/{entry.version} is not {rollout.id}/{rollout.version}")
        last = self._shelves.audit.get((rollout.id, rollout.version - 1))
        self._shelves.audit[rollout.id, rollout.version] = seal(entry, last.hash if last else "")


class MemoryAudit:
    """Read a rollout's chain."""

    def __init__(self, shelves: Shelves) -> None:
        """Work on these shelves."""
        self._shelves = shelves

    def entries(self, rollout_id: str) -> Sequence[AuditEntry]:
        """Return all entries in order of version."""
        found = (entry for (owner, _), entry in self._shelves.audit.items() if owner == rollout_id)
        return sorted(found, key=lambda entry: entry.version)

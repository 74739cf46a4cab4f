"""Writing one transition: the rollout's row, its audit entry and what is owed to the world, in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gatekeeper.flow.deliver import owed
from gatekeeper.model.audit import AuditEntry
from gatekeeper.model.release import Service
from gatekeeper.model.rollout import RolloutState

if TYPE_CHECKING:
    from gatekeeper.decide.advance import Move
    from gatekeeper.model.rollout import Rollout
    from gatekeeper.ports import Unit


def write(unit: Unit, move: Move, *, actor: str, body: dict[str, Any]) -> Rollout:
    """Save a move (compare-and-swap on its version) and return the rollout as saved.

    Raises:
        ConflictError: the rollout has moved on since it was read.
    """
    rollout = move.rollout
    now_s = unit.clock.now()
    entry = AuditEntry(
        rollout_id=rollout.id, version=rollout.version, ts=now_s, actor=actor, event=move.event, body=body
    )
    unit.rollouts.save(rollout, entry, owed(unit.webhooks.list(), move.event, rollout, now_s))
    if rollout.state is RolloutState.PROMOTED:
        unit.catalog.put(Service(name=rollout.service, deployment_id=rollout.candidate_id))
    return rollout

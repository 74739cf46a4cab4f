"""What people, and alerts, may do to a rollout. Each is one audited transition; a rollback wins every race."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gatekeeper.decide.advance import Move, back, forward, promoted
from gatekeeper.errors import ConflictError
from gatekeeper.flow.rollouts import ends_of, plan_of
from gatekeeper.flow.transition import write
from gatekeeper.model.rollout import RolloutState

if TYPE_CHECKING:
    from gatekeeper.model.rollout import Rollout
    from gatekeeper.ports import Unit


def rollback(unit: Unit, rollout_id: str, *, actor: str, reason: str = "", if_match: int | None = None) -> Rollout:
    """Send all traffic to the baseline for good; needs no approval and ignores pauses and freezes.

    if_match is accepted and not held against anybody: a rollback must not fail because the rollout moved on.
    A rollout that is rolled back already is returned as it is.

    Raises:
        ConflictError: the rollout was promoted or aborted before.
    """
    del if_match
    rollout = unit.rollouts.get(rollout_id, lock=True)
    if rollout.state is RolloutState.ROLLED_BACK:
        return rollout
    why = f"rolled back by {actor}" + (f": {reason}" if reason else "")
    move = back(rollout, ends_of(unit, rollout), RolloutState.ROLLED_BACK, why, unit.clock.now())
    return write(unit, move, actor=actor, body={"reason": reason})


def abort(unit: Unit, rollout_id: str, *, actor: str, reason: str = "", if_match: int | None = None) -> Rollout:
    """End the rollout without a ruling; all traffic goes to the baseline."""
    rollout = _fresh(unit, rollout_id, if_match)
    why = f"aborted by {actor}" + (f": {reason}" if reason else "")
    move = back(rollout, ends_of(unit, rollout), RolloutState.ABORTED, why, unit.clock.now())
    return write(unit, move, actor=actor, body={"reason": reason})


def promote(unit: Unit, rollout_id: str, *, actor: str, reason: str = "", if_match: int | None = None) -> Rollout:
    """Make the candidate the baseline now, whatever stages remain; the audit says who decided so."""
    rollout = _fresh(unit, rollout_id, if_match)
    why = f"promoted by {actor}" + (f": {reason}" if reason else "")
    move = promoted(rollout, ends_of(unit, rollout), why, unit.clock.now())
    return write(unit, move, actor=actor, body={"reason": reason})


def skip(unit: Unit, rollout_id: str, *, actor: str, reason: str = "", if_match: int | None = None) -> Rollout:
    """Go to the next stage without this one's proof."""
    rollout = _fresh(unit, rollout_id, if_match)
    policy, _ = plan_of(rollout.policy_text)
    why = f"stage skipped by {actor}" + (f": {reason}" if reason else "")
    move = forward(rollout, policy, ends_of(unit, rollout), why, unit.clock.now())
    return write(unit, move, actor=actor, body={"reason": reason})


def approve(unit: Unit, rollout_id: str, *, actor: str, reason: str = "", if_match: int | None = None) -> Rollout:
    """Approve the current stage, so that proof alone then moves the rollout on.

    Raises:
        ConflictError: the stage asks for no approval, or the approver is who created the rollout.
    """
    rollout = _fresh(unit, rollout_id, if_match)
    policy, _ = plan_of(rollout.policy_text)
    if not policy.stages[rollout.stage].needs_approval:
        raise ConflictError(f"stage {rollout.stage + 1} of rollout {rollout.id} needs no approval")
    if actor == rollout.created_by:
        raise ConflictError(f"{actor!r} created rollout {rollout.id}: an approval must come from somebody else")
    return _flag(unit, replace(rollout, approved_stage=rollout.stage), "rollout.approved", actor, reason)


def pause(unit: Unit, rollout_id: str, *, actor: str, reason: str = "", if_match: int | None = None) -> Rollout:
    """Stop going forward; traffic stays as it is, harm still rolls back."""
    rollout = _fresh(unit, rollout_id, if_match)
    return _flag(unit, replace(rollout, paused=True), "rollout.paused", actor, reason)


def resume(unit: Unit, rollout_id: str, *, actor: str, reason: str = "", if_match: int | None = None) -> Rollout:
    """Go on after a pause."""
    rollout = _fresh(unit, rollout_id, if_match)
    return _flag(unit, replace(rollout, paused=False), "rollout.resumed", actor, reason)


def _flag(unit: Unit, changed: Rollout, event: str, actor: str, reason: str) -> Rollout:
    move = Move(rollout=replace(changed, version=changed.version + 1), event=event)
    return write(unit, move, actor=actor, body={"reason": reason})


def _fresh(unit: Unit, rollout_id: str, if_match: int | None) -> Rollout:
    rollout = unit.rollouts.get(rollout_id, lock=True)
    if rollout.state.ended:
        raise ConflictError(f"rollout {rollout.id} has ended: {rollout.state} ({rollout.reason})")
    if if_match is not None and if_match != rollout.version:
        raise ConflictError(f"rollout {rollout.id} is at version {rollout.version}, not {if_match}: look again")
    return rollout

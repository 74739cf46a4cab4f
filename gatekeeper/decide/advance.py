"""The rollout's state machine: what a verdict, a deadline or a person makes of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gatekeeper.decide.freeze import frozen_by
from gatekeeper.errors import ConflictError
from gatekeeper.model.finding import VerdictKind
from gatekeeper.model.policy import OnUndecided, Policy, Stage, StageKind
from gatekeeper.model.rollout import Rollout, RolloutState
from gatekeeper.model.split import WHOLE_BP, Endpoint, Split

BAKE_HOLDBACK_BP = 500
"""The baseline's share during a bake: promoted, but still compared with something that is alive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """Say what a look at the current stage saw.

    verdict: None when the stage is not judged or nothing new was weighed. samples: compared so far, both arms.
    warm: answers the candidate has given in a warm-up. reason: the verdict's first reason. exhausted: no more samples
    will come, as all that was to be asked is answered.
    """

    verdict: VerdictKind | None
    samples: int = 0
    warm: int = 0
    reason: str = ""
    exhausted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Hold a transition: the rollout as it will be, and the event's name for audit and webhooks."""

    rollout: Rollout
    event: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """Hold where the two arms are served."""

    baseline: Endpoint
    candidate: Endpoint


def stage_split(rollout: Rollout, policy: Policy, index: int, ends: Ends, *, epoch: int, version: int) -> Split:
    """Return the split that a policy's stage asks for, ordered by (epoch, version)."""
    stage = policy.stages[index]
    candidate_bp = {StageKind.CANARY: stage.weight_bp, StageKind.BAKE: WHOLE_BP - BAKE_HOLDBACK_BP}
    mirror_bp = {StageKind.WARMUP: WHOLE_BP, StageKind.SHADOW: stage.mirror_bp}
    share_bp = candidate_bp.get(stage.kind, 0)
    return Split(
        service=rollout.service,
        epoch=epoch,
        version=version,
        baseline=ends.baseline,
        candidate=ends.candidate,
        candidate_bp=share_bp,
        control_bp=min(share_bp, WHOLE_BP - share_bp) if stage.control else 0,
        mirror_bp=mirror_bp.get(stage.kind, 0),
        salt=rollout.salt,
        rollout_id=rollout.id,
        stage=index,
        cohorts=policy.cohorts,
        segment_rules=policy.segment_rules,
    )


def advance(rollout: Rollout, policy: Policy, sight: Sight, ends: Ends, now_s: float) -> Move | None:
    """Return the transition that is due, or None when the rollout stays where it is.

    Harm rolls back even while paused or frozen. Forward needs proof, an approval where the stage asks for one, no
    pause and no freeze. A deadline without proof does what the stage says: hold or roll back, never promote.
    """
    stage = policy.stages[rollout.stage]
    if rollout.state.ended or rollout.stage_started_at is None:
        return None
    if sight.verdict is VerdictKind.ROLLBACK:
        return back(rollout, ends, RolloutState.ROLLED_BACK, sight.reason, now_s)
    elapsed_s = now_s - rollout.stage_started_at
    if _proven(stage, sight, elapsed_s):
        waits = waits_for(rollout, policy, now_s)
        return forward(rollout, policy, ends, sight.reason, now_s) if waits is None else None
    if stage.on_undecided is OnUndecided.ROLLBACK and _overdue(stage, sight, elapsed_s):
        reason = f"undecided after {elapsed_s:.0f} s and {sight.samples} samples in the {stage.kind} stage"
        return back(rollout, ends, RolloutState.ROLLED_BACK, reason, now_s)
    return None


def waits_for(rollout: Rollout, policy: Policy, now_s: float) -> str | None:
    """Say what keeps a proven rollout from going forward: a pause, an approval, a freeze; None when nothing does."""
    if rollout.paused:
        return "paused by an operator"
    if policy.stages[rollout.stage].needs_approval and rollout.approved_stage != rollout.stage:
        return "proven; waits for an approval"
    window = frozen_by(policy.freeze, now_s)
    return f"proven; frozen by {window}" if window else None


def forward(rollout: Rollout, policy: Policy, ends: Ends, reason: str, now_s: float) -> Move:
    """Move to the next stage, or to promoted after the last.

    Raises:
        ConflictError: the rollout has ended or a rollback was asked for.
    """
    _refuse_ended(rollout)
    index, version = rollout.stage + 1, rollout.version + 1
    if index < len(policy.stages):
        split = stage_split(rollout, policy, index, ends, epoch=rollout.epoch, version=version)
        moved = replace(rollout, stage=index, version=version, split_wanted=split, stage_started_at=None, reason=reason)
        return Move(rollout=moved, event="rollout.stage_changed")
    return promoted(rollout, ends, reason, now_s)


def promoted(rollout: Rollout, ends: Ends, reason: str, now_s: float) -> Move:
    """Move to promoted: the candidate is the service's baseline from now on.

    Raises:
        ConflictError: the rollout has ended or a rollback was asked for.
    """
    _refuse_ended(rollout)
    version = rollout.version + 1
    split = Split(service=rollout.service, epoch=rollout.epoch, version=version, baseline=ends.candidate)
    moved = replace(
        rollout, state=RolloutState.PROMOTED, version=version, split_wanted=split, reason=reason, ended_at=now_s
    )
    return Move(rollout=moved, event="rollout.promoted")


def back(rollout: Rollout, ends: Ends, state: RolloutState, reason: str, now_s: float) -> Move:
    """Move to rolled_back or aborted: all traffic to the baseline under a new epoch, for good.

    Raises:
        ConflictError: the rollout has ended already.
    """
    if rollout.state.ended:
        raise ConflictError(f"rollout {rollout.id} has ended: {rollout.state} ({rollout.reason})")
    epoch, version = rollout.epoch + 1, rollout.version + 1
    split = Split(service=rollout.service, epoch=epoch, version=version, baseline=ends.baseline)
    moved = replace(
        rollout,
        state=state,
        rollback_requested=True,
        epoch=epoch,
        version=version,
        split_wanted=split,
        reason=reason,
        ended_at=now_s,
    )
    return Move(rollout=moved, event=f"rollout.{state}")


def _proven(stage: Stage, sight: Sight, elapsed_s: float) -> bool:
    if stage.kind is StageKind.WARMUP:
        return sight.warm >= stage.requests
    if stage.kind is StageKind.BAKE:
        return elapsed_s >= stage.wait_s
    if stage.kind is StageKind.GATE and not sight.exhausted:
        return False
    return sight.verdict is VerdictKind.PROMOTE and elapsed_s >= stage.min_wait_s


def _overdue(stage: Stage, sight: Sight, elapsed_s: float) -> bool:
    late = stage.max_wait_s is not None and elapsed_s >= stage.max_wait_s
    return late or sight.exhausted or (stage.max_samples is not None and sight.samples >= stage.max_samples)


def _refuse_ended(rollout: Rollout) -> None:
    if rollout.state.ended or rollout.rollback_requested:
        raise ConflictError(f"rollout {rollout.id} has ended: {rollout.state} ({rollout.reason})")

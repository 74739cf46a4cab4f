"""A rollout as screens need it: where it stands, what was asked of the world, what was seen, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gatekeeper.api import sentence
from gatekeeper.flow.rollouts import plan_of
from gatekeeper.model.rollout import RolloutState
from gatekeeper.model.wire import to_dict

if TYPE_CHECKING:
    from gatekeeper.model.policy import Stage
    from gatekeeper.model.rollout import Rollout
    from gatekeeper.ports import Unit


def row(rollout: Rollout, now_s: float) -> dict[str, Any]:
    """Return a rollout for a list: without its policy's text."""
    plain = to_dict(rollout)
    del plain["policy_text"]
    return plain | {"settled": rollout.settled, "elapsed_s": _elapsed_s(rollout, now_s)}


def latest(unit: Unit, rollout: Rollout, stage: int | None = None) -> dict[str, Any] | None:
    """Return the newest look at a stage (the current one, or the last one looked at): {stage, epoch, look, ts, report}.

    A stage that was never looked at has no look: None.
    """
    wanted = stage if stage is not None or rollout.state.ended else rollout.stage
    found = unit.tallies.reports(rollout.id, wanted, 1)
    return found[0] if found else None


def screen(unit: Unit, rollout: Rollout) -> dict[str, Any]:
    """Return the rollout's fields with stages, counts, the latest report and the verdict's sentence.

    stages: each with index, kind, shares in basis points and state. counts: stored, folded and dropped samples by
    stage and arm. report: the latest look of the current stage, null before the first. sentence: the verdict in words.
    """
    now_s = unit.clock.now()
    policy, _ = plan_of(rollout.policy_text)
    look = latest(unit, rollout)
    counts = unit.samples.counts(rollout.id)
    counts["stages"] = {str(stage): arms for stage, arms in counts["stages"].items()}
    started = rollout.stage_started_at
    stage_elapsed_s = None if started is None else max((rollout.ended_at or now_s) - started, 0.0)
    report = look["report"] if look else None
    return to_dict(rollout) | {
        "settled": rollout.settled,
        "stages": [_stage(rollout, index, stage) for index, stage in enumerate(policy.stages)],
        "counts": counts,
        "arms": counts["stages"].get(str(rollout.stage), {}),
        "look": look["look"] if look else 0,
        "report": report,
        "verdict": report["verdict"] if report else None,
        "sentence": sentence.of(rollout, report, sentence.pace(counts["stages"], rollout.stage, stage_elapsed_s)),
        "elapsed_s": _elapsed_s(rollout, now_s),
        "stage_elapsed_s": stage_elapsed_s,
        "now": now_s,
    }


def glance(unit: Unit, rollout: Rollout) -> dict[str, Any]:
    """Return what changes while one watches, and nothing that changes by itself: the events' data."""
    look = latest(unit, rollout)
    report = look["report"] if look else None
    return {
        "id": rollout.id,
        "state": rollout.state.value,
        "stage": rollout.stage,
        "version": rollout.version,
        "epoch": rollout.epoch,
        "paused": rollout.paused,
        "settled": rollout.settled,
        "candidate_bp": rollout.split_wanted.candidate_bp,
        "mirror_bp": rollout.split_wanted.mirror_bp,
        "look": look["look"] if look else 0,
        "verdict": report["verdict"] if report else None,
        "reason": rollout.reason,
        "sentence": sentence.of(rollout, report, None),
    }


def _stage(rollout: Rollout, index: int, stage: Stage) -> dict[str, Any]:
    return to_dict(stage) | {"index": index, "state": _stage_state(rollout, index)}


def _stage_state(rollout: Rollout, index: int) -> str:
    if index < rollout.stage:
        return "done"
    if rollout.state is RolloutState.PROMOTED:
        return "done" if index == rollout.stage else "skipped"
    if index > rollout.stage:
        return "skipped" if rollout.state.ended else "waiting"
    return {
        RolloutState.RUNNING: "current",
        RolloutState.ROLLED_BACK: "failed",
        RolloutState.ABORTED: "stopped",
    }[rollout.state]


def _elapsed_s(rollout: Rollout, now_s: float) -> float:
    return max((rollout.ended_at or now_s) - rollout.created_at, 0.0)

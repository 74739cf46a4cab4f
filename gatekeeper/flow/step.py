"""One step of a rollout: look, weigh, and move, in one transaction."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gatekeeper.decide import _replicas
from gatekeeper.decide.advance import Sight, advance, waits_for
from gatekeeper.decide.weigh import weigh
from gatekeeper.errors import InputError, OldEvidenceError
from gatekeeper.flow import questions
from gatekeeper.flow.observe import observe
from gatekeeper.flow.rollouts import ends_of, plan_of
from gatekeeper.flow.transition import write
from gatekeeper.model.finding import Report, VerdictKind
from gatekeeper.model.policy import StageKind
from gatekeeper.model.wire import to_dict

if TYPE_CHECKING:
    from gatekeeper.decide.plan import Plan, StagePlan
    from gatekeeper.model.policy import Policy, Stage
    from gatekeeper.model.rollout import Rollout
    from gatekeeper.ports import Evalsets, Unit

JUDGE = "judge"
"""The actor of automatic transitions in the audit."""


def step(unit: Unit, rollout_id: str, evalsets: Evalsets | None = None) -> Rollout:
    """Look at a running rollout whose split is in the world, and move it where the evidence says.

    Nothing is ruled while the world does not show the wanted split, or after the end. Runs inside `unit`'s
    transaction; returns the rollout as it stands after. evalsets: those that a gate may ask, None for none.
    """
    rollout = unit.rollouts.get(rollout_id, lock=True)
    if rollout.state.ended or not rollout.settled or rollout.stage_started_at is None:
        return rollout
    policy, plan = plan_of(rollout.policy_text)
    stage = policy.stages[rollout.stage]
    now_s = unit.clock.now()
    of = 0
    try:
        if stage.kind is StageKind.GATE:
            of = _asked(unit, rollout, stage, plan, evalsets)
        seen = observe(unit, (rollout.id, rollout.stage, rollout.epoch), stage, plan)
    except (InputError, OldEvidenceError) as exc:
        return _held(unit, rollout, policy, str(exc))
    report: Report | None = None
    if stage.judged:
        report = weigh(plan, rollout.stage, seen.evidence, look=seen.look, now_s=now_s)
        report = _with_replicas(unit, rollout, plan.stages[rollout.stage], report)
        if seen.fresh:
            unit.tallies.put_report(rollout.id, rollout.stage, rollout.epoch, seen.look, now_s, to_dict(report))
    reason = report.reasons[0] if report and report.reasons else f"{seen.warm} warm-up answers"
    if seen.samples < of:
        reason = f"{seen.samples} of {of} answers so far; {reason}"
    sight = Sight(
        verdict=report.verdict if report else None,
        samples=seen.samples,
        warm=seen.warm,
        reason=reason,
        exhausted=0 < of <= seen.samples,
    )
    move = advance(rollout, policy, sight, ends_of(unit, rollout), now_s)
    if move is not None:
        body = {
            "reason": reason,
            "look": seen.look,
            "samples": seen.samples,
            "report": to_dict(report) if report else None,
        }
        return write(unit, move, actor=JUDGE, body=body)
    waits = waits_for(rollout, policy, now_s) if sight.verdict is VerdictKind.PROMOTE else None
    stands = replace(rollout, reason=waits or reason)
    if stands.reason != rollout.reason:
        unit.rollouts.save(stands)
    return stands


def _asked(unit: Unit, rollout: Rollout, stage: Stage, plan: Plan, evalsets: Evalsets | None) -> int:
    """Owe the asking of a gate's evalset, once; return how many answers there will be, of both arms together.

    Raises:
        InputError: the evalset cannot be read here.
    """
    run = questions.of_rollout(rollout)
    body = unit.tallies.get(*run.place)
    if body is not None:
        return int(body["of"])
    if evalsets is None or stage.evalset is None:
        raise InputError("this control plane has no evalsets: set GATEKEEPER_EVALSETS_DIR")
    evalset = evalsets.read(stage.evalset)
    questions.begin(unit, run, plan, stage.evalset, evalset)
    return questions.answers(evalset)


def _held(unit: Unit, rollout: Rollout, policy: Policy, reason: str) -> Rollout:
    """Leave a rollout where it is, or do what its stage says of a deadline without a proof; nothing is weighed."""
    sight = Sight(verdict=VerdictKind.HOLD, reason=reason)
    move = advance(rollout, policy, sight, ends_of(unit, rollout), unit.clock.now())
    if move is not None:
        return write(unit, move, actor=JUDGE, body={"reason": reason, "report": None})
    if rollout.reason != reason:
        unit.rollouts.save(replace(rollout, reason=reason))
    return replace(rollout, reason=reason)


def _with_replicas(unit: Unit, rollout: Rollout, layout: StagePlan, report: Report) -> Report:
    """Add the warning about arms of one replica to a report."""
    names = _replicas.timed(layout)
    if not names:
        return report
    counts = [unit.catalog.deployment(name).replicas for name in (rollout.baseline_id, rollout.candidate_id)]
    check = _replicas.single(names, *counts)
    return report if check is None else replace(report, checks=(*report.checks, check))

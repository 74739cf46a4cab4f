"""Gates that the server runs: begun, looked at while answers come, and ended by a verdict or at a deadline."""

from __future__ import annotations

import uuid
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from gatekeeper.decide.compile import whole
from gatekeeper.decide.weigh import weigh
from gatekeeper.errors import Fault, InputError, OldEvidenceError, PolicyError
from gatekeeper.flow import questions
from gatekeeper.flow.gate import at_gate
from gatekeeper.flow.observe import observe
from gatekeeper.flow.rollouts import arms_of, plan_of
from gatekeeper.model.finding import VerdictKind
from gatekeeper.model.policy import Policy, Stage, StageKind
from gatekeeper.model.trial import Trial, TrialState
from gatekeeper.model.wire import to_dict

if TYPE_CHECKING:
    from gatekeeper.decide.compile import Plan
    from gatekeeper.flow.observe import Seen
    from gatekeeper.model.finding import Report
    from gatekeeper.ports import Evalsets, Unit

STAGE = Stage(kind=StageKind.GATE)
"""How a trial's answers are sorted out: as a gate's."""

PATIENCE_S = 3_600.0
"""How long a trial may take unless it is told otherwise."""


@lru_cache(maxsize=64)
def _plan(policy_text: str) -> tuple[Policy, Plan]:
    """Return a policy and its plan for one gate: the gate's share of the error budget, or all of it."""
    policy, _ = plan_of(policy_text)
    return policy, whole(at_gate(policy), paired=True)


def begin(
    unit: Unit,
    *,
    service: str,
    policy_text: str,
    policy_file: str | None = None,
    evalset: str | None = None,
    candidate: str,
    baseline: str | None = None,
    actor: str,
    patience_s: float = PATIENCE_S,
    evalsets: Evalsets,
) -> Trial:
    """Store a new trial and owe its questions; candidate and baseline are deployment ids.

    evalset None: that of the policy's gate stage. baseline None: the deployment that serves the service now.

    Raises:
        PolicyError: the policy's faults; nothing is stored.
        NotFoundError: no such service, deployment or evalset.
        InputError: no evalset is named, both arms are one deployment, or one belongs to another service.
    """
    policy, _ = plan_of(policy_text, policy_file)
    name = evalset or next((stage.evalset for stage in policy.stages if stage.evalset), None)
    if name is None:
        raise InputError("the policy has no gate stage that names an evalset; name one under `evalset`")
    if not policy.metrics:
        raise PolicyError((Fault("a gate needs metrics to judge by", "metrics", file=policy_file),))
    asked = evalsets.read(name)
    base, other = arms_of(unit, service, candidate, baseline)
    now = unit.clock.now()
    trial = Trial(
        id=f"g-{uuid.uuid4().hex[:10]}",
        service=service,
        policy_text=policy_text,
        policy_digest=policy.digest,
        evalset=name,
        evalset_digest=asked.digest,
        baseline_id=base.id,
        candidate_id=other.id,
        answers=questions.answers(asked),
        created_at=now,
        deadline_at=now + patience_s,
        created_by=actor,
        reason="created",
    )
    unit.trials.put(trial)
    questions.begin(unit, questions.of_trial(trial), _plan(policy_text)[1], name, asked)
    return trial


def look(unit: Unit, trial_id: str) -> Trial:
    """Look at a running trial, and end it where its answers say, or its deadline. Returns it as it stands after."""
    trial = unit.trials.get(trial_id, lock=True)
    if trial.state.ended:
        return trial
    _, plan = _plan(trial.policy_text)
    now = unit.clock.now()
    try:
        seen = observe(unit, questions.of_trial(trial).place, STAGE, plan)
    except OldEvidenceError as exc:
        return _put(unit, replace(trial, state=TrialState.BROKEN, reason=str(exc), ended_at=now))
    report = weigh(plan, 0, seen.evidence, look=seen.look, now_s=now)
    moved = replace(trial, answered=seen.samples, report=to_dict(report) if seen.samples else None)
    state, reason = _ruled(moved, report, seen, now)
    moved = replace(moved, state=state, reason=reason, ended_at=now if state.ended else None)
    return moved if moved == trial else _put(unit, moved)


def _ruled(trial: Trial, report: Report, seen: Seen, now: float) -> tuple[TrialState, str]:
    """Return where a trial stands after a look, and why."""
    why = report.reasons[0] if report.reasons else "nothing is judged here"
    if report.verdict is VerdictKind.ROLLBACK:
        return TrialState.FAILED, why
    if seen.samples >= trial.answers:
        return TrialState.PASSED if report.verdict is VerdictKind.PROMOTE else TrialState.UNDECIDED, why
    if now >= trial.deadline_at:
        took_s = trial.deadline_at - trial.created_at
        told = f"{seen.samples} of {trial.answers} answers in {took_s:.0f} s: a worker or an endpoint is out of order"
        return TrialState.BROKEN, told
    return TrialState.RUNNING, f"{seen.samples} of {trial.answers} answers so far; {why}"


def _put(unit: Unit, trial: Trial) -> Trial:
    unit.trials.put(trial)
    return trial

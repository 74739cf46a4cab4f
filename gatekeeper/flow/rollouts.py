"""Beginning a rollout: check the policy, find both ends, store the first state."""

from __future__ import annotations

import uuid
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from gatekeeper.decide.advance import Ends, stage_split
from gatekeeper.decide.compile import compile_policy
from gatekeeper.decide.policyfile import parse_policy
from gatekeeper.errors import ConflictError, Fault, InputError, PolicyError
from gatekeeper.model.audit import AuditEntry
from gatekeeper.model.policy import Policy, StageKind
from gatekeeper.model.rollout import Rollout
from gatekeeper.model.split import Endpoint, Split

if TYPE_CHECKING:
    from gatekeeper.decide.compile import Plan
    from gatekeeper.model.release import Deployment
    from gatekeeper.ports import Evalsets, Unit


@lru_cache(maxsize=64)
def plan_of(policy_text: str, file: str | None = None) -> tuple[Policy, Plan]:
    """Return the policy and its compiled plan; the text is the key, so that a rollout's own copy rules it.

    Raises:
        PolicyError: every fault of the text, with line and column.
    """
    policy = parse_policy(policy_text, file=file)
    return policy, compile_policy(policy)


def endpoint(deployment: Deployment) -> Endpoint:
    """Return a deployment as traffic sees it."""
    return Endpoint(
        url=deployment.url,
        model=deployment.model,
        release=deployment.release_digest,
        prompt_usd=deployment.prompt_usd,
        completion_usd=deployment.completion_usd,
    )


def ends_of(unit: Unit, rollout: Rollout) -> Ends:
    """Return both ends of a rollout from the catalog."""
    catalog = unit.catalog
    return Ends(
        baseline=endpoint(catalog.deployment(rollout.baseline_id)),
        candidate=endpoint(catalog.deployment(rollout.candidate_id)),
    )


def create(
    unit: Unit,
    *,
    service: str,
    policy_text: str,
    policy_file: str | None = None,
    candidate: str,
    baseline: str | None = None,
    actor: str,
    rollout_id: str | None = None,
    evalsets: Evalsets | None = None,
) -> Rollout:
    """Store a new rollout at its first stage; candidate and baseline are deployment ids.

    baseline None: the deployment that serves the service now. evalsets: those that gate stages may ask, None for none.

    Raises:
        PolicyError: the policy's faults; nothing is stored.
        NotFoundError: no such service or deployment.
        InputError: both arms are one deployment, or one belongs to another service.
        ConflictError: the service has a rollout running.
    """
    policy, _ = plan_of(policy_text, policy_file)
    asked = _checked(policy, policy_file, evalsets)
    running = [rollout for rollout in unit.rollouts.list(running=True) if rollout.service == service]
    if running:
        raise ConflictError(f"service {service!r} has rollout {running[0].id} running: wait, or roll it back first")
    arms = arms_of(unit, service, candidate, baseline)
    baseline_id = arms[0].id
    now = unit.clock.now()
    name = rollout_id or f"r-{uuid.uuid4().hex[:10]}"
    epoch = 1 + max((split.epoch for split in unit.splits.all() if split.service == service), default=0)
    ends = Ends(baseline=endpoint(arms[0]), candidate=endpoint(arms[1]))
    draft = Rollout(
        id=name,
        service=service,
        policy_name=policy.name,
        policy_digest=policy.digest,
        policy_text=policy_text,
        baseline_id=baseline_id,
        candidate_id=candidate,
        salt=name,
        epoch=epoch,
        created_at=now,
        created_by=actor,
        split_wanted=Split(service=service, epoch=epoch, version=0, baseline=ends.baseline),
        reason="created",
    )
    split = stage_split(draft, policy, 0, ends, epoch=epoch, version=0)
    rollout = replace(draft, split_wanted=split)
    entry = AuditEntry(
        rollout_id=name,
        version=0,
        ts=now,
        actor=actor,
        event="rollout.created",
        body={"service": service, "candidate": candidate, "baseline": baseline_id, "policy": policy.digest} | asked,
    )
    unit.rollouts.add(rollout, entry)
    return rollout


def arms_of(unit: Unit, service: str, candidate: str, baseline: str | None) -> tuple[Deployment, Deployment]:
    """Return the deployments of both arms; baseline None: the one that serves the service now.

    Raises:
        NotFoundError: no such service or deployment.
        InputError: both arms are one deployment, or one belongs to another service.
    """
    baseline_id = baseline or unit.catalog.service(service).deployment_id
    arms = unit.catalog.deployment(baseline_id), unit.catalog.deployment(candidate)
    for deployment in arms:
        if deployment.service != service:
            raise InputError(f"deployment {deployment.id!r} serves {deployment.service!r}, not {service!r}")
    if baseline_id == candidate:
        raise InputError(f"deployment {candidate!r} is the baseline already: name another one as candidate")
    return arms


def _checked(policy: Policy, file: str | None, evalsets: Evalsets | None) -> dict[str, dict[str, str]]:
    """Check that a rollout can walk through a policy; return its evalsets' digests, to be noted.

    Raises:
        PolicyError: it has no stages, or a gate's evalset cannot be read here.
    """
    if not policy.stages:
        raise PolicyError((Fault("a rollout needs stages: list at least one canary or shadow", "stages", file=file),))
    digests: dict[str, str] = {}
    faults: list[Fault] = []
    for index, stage in enumerate(policy.stages):
        if stage.kind is not StageKind.GATE or stage.evalset is None:
            continue
        told = "there are no evalsets here: run `gatekeeper gate` before, and leave this stage out"
        try:
            found = evalsets.read(stage.evalset) if evalsets is not None else None
        except InputError as exc:
            found, told = None, str(exc)
        if found is None:
            faults.append(Fault(told, f"stages[{index}].gate.evalset", file=file))
        else:
            digests[stage.evalset] = found.digest
    if faults:
        raise PolicyError(tuple(faults))
    return {"evalsets": digests} if digests else {}

"""An evalset put to both arms by workers: a rollout's gate stage, or a gate of its own.

The questions are owed as jobs, a few samples each. A worker asks both arms, and the answers take the way of all
exchanges: stored, scored, folded as pairs, weighed at each look.
"""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import structs

from gatekeeper.decide.fold import begin as begin_evidence
from gatekeeper.errors import ConflictError
from gatekeeper.flow._asking import ARMS, Asking, ask_all
from gatekeeper.flow.intake import accept
from gatekeeper.model.arm import Arm

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gatekeeper.decide.compile import Plan
    from gatekeeper.model.evalset import Evalset
    from gatekeeper.model.exchange import Exchange
    from gatekeeper.model.release import Deployment
    from gatekeeper.model.rollout import Rollout
    from gatekeeper.model.trial import Trial
    from gatekeeper.ports import Clock, Endpoints, Evalsets, Unit

ASK = "analysis.ask"
"""The kind of a job that asks."""

REQUESTS_PER_JOB = 8
"""Requests of each arm in one job: few enough that slow models answer them within a job's time."""

MAX_FAILED = 0.5
"""Share of an arm's requests in one job above which it is out of order, which is no verdict: the job tries again."""


class Run(NamedTuple):
    """Say whose questions they are: a rollout's in one stage and epoch, or a trial's (stage 0, epoch 0)."""

    trial: bool
    id: str
    stage: int
    epoch: int
    service: str
    baseline_id: str
    candidate_id: str

    @property
    def place(self) -> tuple[str, int, int]:
        """Return what its samples and its tally are kept under."""
        return self.id, self.stage, self.epoch


def of_rollout(rollout: Rollout) -> Run:
    """Return the run of a rollout's current stage."""
    return Run(
        trial=False,
        id=rollout.id,
        stage=rollout.stage,
        epoch=rollout.epoch,
        service=rollout.service,
        baseline_id=rollout.baseline_id,
        candidate_id=rollout.candidate_id,
    )


def of_trial(trial: Trial) -> Run:
    """Return the run of a trial."""
    return Run(
        trial=True,
        id=trial.id,
        stage=0,
        epoch=0,
        service=trial.service,
        baseline_id=trial.baseline_id,
        candidate_id=trial.candidate_id,
    )


def answers(evalset: Evalset) -> int:
    """Return how many answers an evalset asks for, of both arms together."""
    return len(ARMS) * evalset.repeats * len(evalset.samples)


def begin(unit: Unit, run: Run, plan: Plan, name: str, evalset: Evalset) -> None:
    """Owe the asking of an evalset, under its name, and begin the run's tally.

    The samples come in an order drawn by lot, from the run's id: evalsets are sorted by subject, and what is judged
    before all is asked must be like the whole.
    """
    ids = sorted((sample.id for sample in evalset.samples), key=lambda name: _lot(run.id, name))
    each = max(REQUESTS_PER_JOB // evalset.repeats, 1)
    asked = {"evalset": name, "digest": evalset.digest}
    for start in range(0, len(ids), each):
        unit.jobs.add(ASK, {"run": run._asdict(), **asked, "samples": ids[start : start + each]})
    empty = {"evidence": begin_evidence(plan, run.stage).to_json(), "look": 0, "samples": 0, "warm": 0}
    unit.tallies.put(*run.place, {**empty, **asked, "of": answers(evalset)})


def ask(
    units: Callable[[], Unit], payload: dict[str, Any], *, evalsets: Evalsets, endpoints: Endpoints, clock: Clock
) -> Callable[[Unit], object]:
    """Ask both arms a job's samples; return what stores the answers. A run that is over is asked nothing.

    Raises:
        EngineError: an arm is out of order; an outage is no regression.
        ConflictError: the evalset is no longer the one that the run began with.
        InputError: the evalset cannot be read here, or an arm refuses most requests as wrong.
    """
    run = Run(**payload["run"])
    with units() as unit:
        goes_on = _goes_on(unit, run)
        named = {Arm.BASELINE: run.baseline_id, Arm.CANDIDATE: run.candidate_id}
        deployments = {arm: unit.catalog.deployment(name) for arm, name in named.items()}
    if not goes_on:
        return _nothing
    evalset = evalsets.read(payload["evalset"])
    if evalset.digest != payload["digest"]:
        raise ConflictError(
            f"evalset {payload['evalset']!r} has changed since it was first asked (digest {evalset.digest[:12]}, then "
            f"{payload['digest'][:12]}): put the samples back, or begin again"
        )
    wanted = frozenset(payload["samples"])
    part = replace(evalset, samples=tuple(sample for sample in evalset.samples if sample.id in wanted))

    async def asked() -> list[Exchange]:
        async with AsyncExitStack() as stack:
            asks = {
                arm: (await stack.enter_async_context(endpoints(deployment, arm))).ask
                for arm, deployment in deployments.items()
            }
            asking = Asking(ask=asks, now=clock.now, repeats=evalset.repeats, max_failed=MAX_FAILED)
            return await ask_all(part, asking)

    found = [_placed(exchange, run, deployments) for exchange in asyncio.run(asked())]
    return partial(accept, exchanges=found)


def _lot(run_id: str, sample_id: str) -> bytes:
    """Return what a sample's place in a run is sorted by."""
    return hashlib.sha256(f"{run_id}\n{sample_id}".encode()).digest()


def _goes_on(unit: Unit, run: Run) -> bool:
    """Tell whether answers are still wanted."""
    if run.trial:
        return not unit.trials.get(run.id).state.ended
    rollout = unit.rollouts.get(run.id)
    return not rollout.state.ended and (rollout.stage, rollout.epoch) == (run.stage, run.epoch)


def _nothing(_: Unit) -> None:
    """Store nothing."""


def _placed(exchange: Exchange, run: Run, deployments: Mapping[Arm, Deployment]) -> Exchange:
    """Say what an answer is evidence for, and what it cost."""
    pair = f"gate-{run.stage}-{run.epoch}-{exchange.pair_id}"
    return structs.replace(
        exchange,
        id=f"{run.id}-{pair}-{exchange.arm}",
        pair_id=pair,
        service=run.service,
        rollout_id=run.id,
        stage=run.stage,
        epoch=run.epoch,
        cost_usd=_cost_usd(exchange, deployments[exchange.arm]),
    )


def _cost_usd(exchange: Exchange, deployment: Deployment) -> float | None:
    """Return usage times price, in US dollars; None where either is not known."""
    usage = (exchange.response or {}).get("usage") or {}
    prompt, completion = usage.get("prompt_tokens"), usage.get("completion_tokens")
    if prompt is None or completion is None or not (deployment.prompt_usd or deployment.completion_usd):
        return None
    return float(prompt * deployment.prompt_usd + completion * deployment.completion_usd) / 1e6

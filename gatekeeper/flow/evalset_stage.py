"""The gate of a rollout: both arms are asked an evalset before any user is touched, and judged as their answers come.

The stage owes its questions as jobs, a few samples each. A worker asks both arms, and the answers take the way of all
exchanges: stored, scored, folded as pairs, weighed at each look.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from msgspec import structs

from gatekeeper.decide.fold import begin as begin_evidence
from gatekeeper.errors import ConflictError, InputError
from gatekeeper.flow._asking import ARMS, Asking, ask_all
from gatekeeper.flow.intake import accept
from gatekeeper.model.arm import Arm

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gatekeeper.decide.compile import Plan
    from gatekeeper.model.exchange import Exchange
    from gatekeeper.model.policy import Stage
    from gatekeeper.model.release import Deployment
    from gatekeeper.model.rollout import Rollout
    from gatekeeper.ports import Clock, Endpoints, Evalsets, Unit

ASK = "analysis.ask"
"""The kind of a job that asks."""

REQUESTS_PER_JOB = 8
"""Requests of each arm in one job: few enough that slow models answer them within a job's time."""

MAX_FAILED = 0.5
"""Share of an arm's requests in one job above which it is out of order, which is no verdict: the job tries again."""


def begin(unit: Unit, rollout: Rollout, stage: Stage, plan: Plan, evalsets: Evalsets | None) -> int:
    """Owe the asking of the stage's evalset, once; return how many answers there will be, of both arms together.

    Raises:
        InputError: the evalset cannot be read here.
    """
    key = (rollout.id, rollout.stage, rollout.epoch)
    body = unit.tallies.get(*key)
    if body is not None:
        return int(body["of"])
    if evalsets is None or stage.evalset is None:
        raise InputError("this control plane has no evalsets: set GATEKEEPER_EVALSETS_DIR")
    evalset = evalsets.read(stage.evalset)
    ids = [sample.id for sample in evalset.samples]
    each = max(REQUESTS_PER_JOB // evalset.repeats, 1)
    place = {"rollout_id": rollout.id, "stage": rollout.stage, "epoch": rollout.epoch}
    asked = {"evalset": stage.evalset, "digest": evalset.digest}
    for start in range(0, len(ids), each):
        unit.jobs.add(ASK, {**place, **asked, "samples": ids[start : start + each]})
    of = len(ARMS) * evalset.repeats * len(ids)
    empty = {"evidence": begin_evidence(plan, rollout.stage).to_json(), "look": 0, "samples": 0, "warm": 0}
    unit.tallies.put(*key, {**empty, **asked, "of": of})
    return of


def ask(
    units: Callable[[], Unit], payload: dict[str, Any], *, evalsets: Evalsets, endpoints: Endpoints, clock: Clock
) -> Callable[[Unit], object]:
    """Ask both arms a job's samples; return what stores the answers. A stage that is over is asked nothing.

    Raises:
        EngineError: an arm is out of order; an outage is no regression.
        ConflictError: the evalset is no longer the one that the stage began with.
        InputError: the evalset cannot be read here, or an arm refuses most requests as wrong.
    """
    with units() as unit:
        rollout = unit.rollouts.get(payload["rollout_id"])
        named = {Arm.BASELINE: rollout.baseline_id, Arm.CANDIDATE: rollout.candidate_id}
        deployments = {arm: unit.catalog.deployment(name) for arm, name in named.items()}
    if rollout.state.ended or (rollout.stage, rollout.epoch) != (payload["stage"], payload["epoch"]):
        return _nothing
    evalset = evalsets.read(payload["evalset"])
    if evalset.digest != payload["digest"]:
        raise ConflictError(
            f"evalset {payload['evalset']!r} has changed since the stage began (digest {evalset.digest[:12]}, then "
            f"{payload['digest'][:12]}): put the samples back, or abort the rollout"
        )
    wanted = frozenset(payload["samples"])
    part = replace(evalset, samples=tuple(sample for sample in evalset.samples if sample.id in wanted))

    async def answers() -> list[Exchange]:
        async with AsyncExitStack() as stack:
            asks = {
                arm: (await stack.enter_async_context(endpoints(deployment, arm))).ask
                for arm, deployment in deployments.items()
            }
            asking = Asking(ask=asks, now=clock.now, repeats=evalset.repeats, max_failed=MAX_FAILED)
            return await ask_all(part, asking)

    found = [_placed(exchange, rollout, deployments) for exchange in asyncio.run(answers())]
    return partial(accept, exchanges=found)


def _nothing(_: Unit) -> None:
    """Store nothing."""


def _placed(exchange: Exchange, rollout: Rollout, deployments: Mapping[Arm, Deployment]) -> Exchange:
    """Say which stage an answer is evidence for, and what it cost."""
    pair = f"gate-{rollout.stage}-{rollout.epoch}-{exchange.pair_id}"
    return structs.replace(
        exchange,
        id=f"{rollout.id}-{pair}-{exchange.arm}",
        pair_id=pair,
        service=rollout.service,
        rollout_id=rollout.id,
        stage=rollout.stage,
        epoch=rollout.epoch,
        cost_usd=_cost_usd(exchange, deployments[exchange.arm]),
    )


def _cost_usd(exchange: Exchange, deployment: Deployment) -> float | None:
    """Return usage times price, in US dollars; None where either is not known."""
    usage = (exchange.response or {}).get("usage") or {}
    counts = [usage.get("prompt_tokens"), usage.get("completion_tokens")]
    prices = [deployment.prompt_usd, deployment.completion_usd]
    if not any(prices) or None in counts:
        return None
    return float(sum(count * price for count, price in zip(counts, prices, strict=True))) / 1e6

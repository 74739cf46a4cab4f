"""The gate: what both arms answered, scored and judged in one look."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gatekeeper.flow._asking import ARMS, Asking, ask_all
from gatekeeper.flow.analyze import analyze
from gatekeeper.metrics._scoring import score_exchange
from gatekeeper.model.finding import Check, Report, Ruling
from gatekeeper.model.policy import StageKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gatekeeper.model.evalset import Evalset
    from gatekeeper.model.exchange import Exchange
    from gatekeeper.model.policy import Policy

__all__ = ["Asking", "at_gate", "gate", "judge"]


async def gate(policy: Policy, evalset: Evalset, asking: Asking) -> Report:
    """Ask both arms the whole evalset and rule on what they answered.

    Raises:
        EngineError: an arm is out of order, which says nothing about its release.
        InputError: an arm refuses most requests as wrong.
    """
    return judge(policy, evalset, await ask_all(evalset, asking))


def judge(policy: Policy, evalset: Evalset, exchanges: Sequence[Exchange]) -> Report:
    """Score the exchanges, in the order in which they were asked, and rule on them in one look, paired by sample."""
    samples = [score_exchange(exchange)[0] for exchange in exchanges]
    report = analyze(samples, at_gate(policy))
    return replace(report, checks=(*report.checks, _evalset_check(evalset, exchanges)))


def at_gate(policy: Policy) -> Policy:
    """Return the policy that is judged by here: with its stages, of which the gate has its share of the error budget.

    Where no stage is a gate there is no later look to share with, and the gate has the whole budget.
    """
    return policy if any(stage.kind is StageKind.GATE for stage in policy.stages) else replace(policy, stages=())


def _evalset_check(evalset: Evalset, exchanges: Sequence[Exchange]) -> Check:
    """Record what was asked: results under another digest are not comparable."""
    failed = sum(exchange.error is not None for exchange in exchanges)
    asked = f"{len(exchanges) // len(ARMS):,} pairs of {len(evalset.samples):,} samples, {failed} requests failed"
    return Check(name="evalset", ruling=Ruling.PASS, reason=f"{evalset.name} sha256:{evalset.digest[:12]}, {asked}")

"""The judge's own tests on simulated streams, asked what a policy asks; and the whole of `analyze`'s questions."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gatekeeper import registry
from gatekeeper.decide import _at_once
from gatekeeper.decide.compile import compile_policy
from gatekeeper.decide.policyfile import policy_from_mapping

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gatekeeper.decide.plan import Stream
    from gatekeeper.stats import Batch, Question, Test, Weight


@dataclass(frozen=True, slots=True)
class Decisions:
    """Hold at which look (from 1) each replicate first crossed, 0 for never; shape (replicates,)."""

    rollback: NDArray[np.int64]
    promotion: NDArray[np.int64]


def stream(
    metric: str, margin: float, detect: float, *, alpha: float = 0.05, paired: bool = False, increase: bool = True
) -> Stream:
    """Return the question that a policy of this one metric asks, and the test that the judge chooses for it.

    margin, detect: absolute for a rate, relative for a number; detect is the harm beyond the margin.
    """
    side = "max_increase" if increase else "max_decrease"
    allowed = f"{100.0 * margin:g}%" if "." in metric and margin else margin
    policy = policy_from_mapping(
        {
            "metrics": {metric: {side: allowed}},
            "error_budget": {"false_rollback": alpha, "false_promotion": alpha},
        }
    )
    found = compile_policy(policy, paired=paired).stages[0].streams[0]
    proof = found.question.proof_margin or detect
    relative = found.question.relative or "." in metric
    return replace(found, question=replace(found.question, detect=detect, proof_margin=proof, relative=relative))


def judge(asked: Stream, looks: Iterable[Sequence[Batch]], replicates: int, *, until: str = "rollback") -> Decisions:
    """Look after every batch, and leave a replicate alone once it has decided.

    until: `rollback`, `either`, or `both` directions must have crossed before a replicate is left alone.
    """
    test: Test = registry.load("stats", asked.test)
    question = asked.question
    states = [test.begin(question) for _ in range(replicates)]
    at = np.zeros((2, replicates), np.int64)
    for look, batches in enumerate(looks, start=1):
        live = np.flatnonzero(_open(at, until))
        if not len(live):
            break
        new = test.absorb([question] * len(live), [states[i] for i in live], [batches[i] for i in live])
        weights = _at_once.weights(test, [question] * len(live), new)
        for i, state, weight in zip(live, new, weights, strict=True):
            states[i] = state
            for side, reached in enumerate(crossed(question, weight)):
                if reached and not at[side, i]:
                    at[side, i] = look
    return Decisions(rollback=at[0], promotion=at[1])


def _open(at: NDArray[np.int64], until: str) -> NDArray[np.bool_]:
    """Tell which replicates still have something to decide."""
    if until == "rollback":
        return np.asarray(at[0] == 0)
    return np.asarray((at == 0).all(axis=0) if until == "either" else (at == 0).any(axis=0))


def crossed(question: Question, weight: Weight) -> tuple[bool, bool]:
    """Tell whether each e-value has reached 1 / alpha, as the judge asks at every look."""
    return (
        weight.rollback >= -math.log(question.alpha_rollback),
        weight.promotion >= -math.log(question.alpha_promotion),
    )

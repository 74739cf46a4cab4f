"""Two rates on the same requests (shadow pairs): betting on the pair's difference, exact for any dependence in it.

Waudby-Smith and Ramdas (2024, JRSSB). With D = b - shift - slope * a the null says E[D] <= 0, and the product of
1 + bet * D is an e-process for each fixed bet in [0, 1 / -min D]; fixed bets are mixed. At margin 0 it is a
sequential McNemar test. The state is the pairs' 2 x 2 table: it merges exactly and in any order. Each e-value falls
as the margin grows, so that the interval is its exact inverse.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from gatekeeper.stats import Batch, Picture, Question, State, Weight, _levels
from gatekeeper.stats._mixture import last_rejected, log_sum, lognormal_weights

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

PAIRED = True
EXACT = True

STAKES = np.append(np.geomspace(0.03, 0.8, 10), 0.98)
LOG_WEIGHTS = lognormal_weights(STAKES, 0.45, 1.0)
"""Bets as shares of the largest allowed one. The best is (effect - margin) / discordance: for effects of a few points
among pairs that differ in 5 to 15 of 100 it lies between a tenth and one."""


def begin(question: Question) -> State:
    """Start with an empty table [[neither, candidate alone], [baseline alone, both]] of harmful answers."""
    del question
    return {"table": np.zeros((2, 2))}


def absorb(questions: Sequence[Question], states: Sequence[State], batches: Sequence[Batch]) -> list[State]:
    """Count each stream's pairs."""
    return [
        {"table": state["table"] + _table(question, batch)}
        for question, state, batch in zip(questions, states, batches, strict=True)
    ]


def _table(question: Question, batch: Batch) -> NDArray[np.float64]:
    """Count pairs by (baseline, candidate) harm."""
    harm_a, harm_b = batch.a[:, 0] != 0, batch.b[:, 0] != 0
    if not question.increase:
        harm_a, harm_b = ~harm_a, ~harm_b
    return np.bincount(2 * harm_a + harm_b, minlength=4).reshape(2, 2).astype(np.float64)


def _log_e(question: Question, table: NDArray[np.float64], level: float, *, worse: bool) -> float:
    """Return the log e-value against "worse by at most `level`" (worse) or "by at least `level`"."""
    shifts, slopes = _levels.line(question, np.array([level]))
    shift, slope = float(shifts[0]), float(slopes[0])
    outcome = np.array([[-shift, 1.0 - shift], [-shift - slope, 1.0 - shift - slope]])
    if not worse:
        outcome = -outcome
    worst = -outcome.min()
    if worst <= 0:
        return 0.0
    gains = np.log1p(STAKES[:, None] * (outcome.ravel() / worst))
    return float(log_sum(gains @ table.ravel() + LOG_WEIGHTS))


def weigh(question: Question, state: State) -> Weight:
    """Return both e-values at the policy's margin."""
    table = state["table"]
    proven = -math.inf
    if question.proof_margin is not None:
        proven = _log_e(question, table, question.proof_margin, worse=False)
    return Weight(rollback=_log_e(question, table, question.margin or 0.0, worse=True), promotion=proven)


def picture(question: Question, state: State) -> Picture:
    """Invert both e-processes."""
    table = state["table"]
    n = int(table.sum())
    if not n:
        return Picture(a_n=0, b_n=0, a_value=None, b_value=None, note="no pair has both answers")
    rates = [float(table[1].sum()) / n, float(table[:, 1].sum()) / n]
    if not question.increase:
        rates = [1.0 - rate for rate in rates]
    first, last = _levels.bounds(question)
    low = last_rejected(
        lambda level: _log_e(question, table, level, worse=True), -math.log(question.alpha_rollback), first, last
    )
    high = last_rejected(
        lambda level: _log_e(question, table, level, worse=False), -math.log(question.alpha_promotion), last, first
    )
    lower, upper = _levels.effect(question, low, high)
    return Picture(
        a_n=n,
        b_n=n,
        a_value=rates[0],
        b_value=rates[1],
        estimate=_levels.estimate(question, *rates),
        lower=lower,
        upper=upper,
    )

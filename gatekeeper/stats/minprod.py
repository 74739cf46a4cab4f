"""A quantile of two independent arms: the product of two one-sample bets, least over all thresholds. Exact.

The null "q_b <= q_a" (the baseline shifted by the margin) says that some threshold c has P(b > c) <= t and
P(a >= c) >= t, with t = 1 - quantile. At a fixed c each arm's indicator is bet on (one-sample quantile bets, as in
Howard and Ramdas 2022), and the arms' e-values multiply; the least over c is an e-process for the whole null. No
assumption on the distributions; ties are fine. Half of the stake bets on both arms at once, half on each for itself,
a quarter of that kept aside. State: two log histograms, merged exactly and in any order; values are held to 0.1 % and
rounded against the claim.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from gatekeeper.stats import Batch, Picture, Question, State, Weight, _histogram, _quantiles
from gatekeeper.stats._mixture import THETA, bernoulli_bets, log_sum

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

PAIRED = False
EXACT = True

ASIDE = 0.25
"""Share of each one-armed stake that is never bet, so that one arm's bad luck cannot eat the other's evidence."""


def begin(question: Question) -> State:
    """Start with two empty histograms."""
    del question
    return {"a": _histogram.empty(), "b": _histogram.empty()}


def absorb(questions: Sequence[Question], states: Sequence[State], batches: Sequence[Batch]) -> list[State]:
    """Add each stream's values."""
    del questions
    return [
        {
            "a": _histogram.add(state["a"], _histogram.buckets(batch.a[:, 0])),
            "b": _histogram.add(state["b"], _histogram.buckets(batch.b[:, 0])),
        }
        for state, batch in zip(states, batches, strict=True)
    ]


def _one_armed(yes: NDArray[np.int64], n: int, share: float, *, above: bool) -> NDArray[np.float64]:
    """Return the log e-value of one arm's bets at each threshold."""
    gain_yes, gain_no = bernoulli_bets(share, above=above)
    bets = yes[:, None] * gain_yes + (n - yes)[:, None] * gain_no + math.log((1.0 - ASIDE) / len(THETA))
    return np.asarray(np.logaddexp(log_sum(bets), math.log(ASIDE)))


def _both(low: NDArray[np.int64], n_low: int, high: NDArray[np.int64], n_high: int, t: float) -> NDArray[np.float64]:
    """Return the log e-value of betting the same alternative's strength on both arms, at each threshold."""
    yes_high, no_high = bernoulli_bets(t, above=True)
    yes_low, no_low = bernoulli_bets(t, above=False)
    bets = high[:, None] * yes_high + (n_high - high)[:, None] * no_high
    bets += low[:, None] * yes_low + (n_low - low)[:, None] * no_low
    return np.asarray(log_sum(bets) - math.log(len(THETA)))


def least(
    low: _histogram.Histogram,
    low_at: NDArray[np.int64],
    high: _histogram.Histogram,
    high_at: NDArray[np.int64],
    t: float,
) -> float:
    """Return the log e-value against "the upper-t quantile of `high` is at most that of `low`".

    Between two values of `low` the evidence only falls as the threshold rises, so only those values, and one beyond
    the last of both, need a look.
    """
    n_low, n_high = int(low["count"].sum()), int(high["count"].sum())
    if not n_low or not n_high:
        return 0.0
    marks = np.append(low_at, max(low_at[-1], high_at[-1]) + 1)
    k_low = _histogram.at_least(low, marks, low_at)
    k_high = _histogram.at_least(high, marks + 1, high_at)

    def stakes(low_yes: NDArray[np.int64], high_yes: NDArray[np.int64]) -> NDArray[np.float64]:
        alone = _one_armed(low_yes, n_low, t, above=False) + _one_armed(high_yes, n_high, t, above=True)
        return np.logaddexp(alone, _both(low_yes, n_low, high_yes, n_high, t)) - math.log(2.0)

    return _quantiles.least_over(stakes, k_low, k_high)


def _log_e(question: Question, state: State, level: float, *, worse: bool) -> float:
    """Return the log e-value against "worse by at most `level`" (worse) or "by at least `level`"."""
    a, b = _quantiles.arms(question, state)
    t = 1.0 - _quantiles.share(question)
    a_at = _histogram.shifted(question, a["at"], level, up=worse)
    return least(a, a_at, b, b["at"], t) if worse else least(b, b["at"], a, a_at, t)


def weigh(question: Question, state: State) -> Weight:
    """Return both e-values at the policy's margin."""
    proven = -math.inf
    if question.proof_margin is not None:
        proven = _log_e(question, state, _quantiles.level(question, question.proof_margin), worse=False)
    worse = _log_e(question, state, _quantiles.level(question, question.margin or 0.0), worse=True)
    return Weight(rollback=worse, promotion=proven)


def picture(question: Question, state: State) -> Picture:
    """Invert both e-processes."""
    return _quantiles.picture(question, state, _log_e)

"""A candidate's quantile against an absolute bound: bets on how often the bound is exceeded. Exact.

"The p95 is at most the limit" is "at most 5 % of values exceed it": likelihood ratios on that indicator against 5 %,
mixed over log odds. State: log histograms, merged exactly and in any order while they are small, and exact counts
beyond the limit.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from gatekeeper.stats import Batch, Picture, Question, State, Weight, _histogram, _quantiles, _thresholds
from gatekeeper.stats._alternatives import cost
from gatekeeper.stats._mixture import log_sum, lognormal_weights
from gatekeeper.stats.rate_limit import bound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

PAIRED = False
EXACT = True

LOG_ODDS = np.geomspace(0.06, 4.0, 13)
LOG_WEIGHTS = lognormal_weights(LOG_ODDS, 0.5, 0.9)
"""Alternatives by their log odds beyond the bound's share: .5 is a tail of index 3 moved by 17 %, .2 and 1.2 lie one
standard deviation away (6 % and 50 %). How far a release lies from its bound is nothing that a policy declares."""

STEPS = 6
"""Newton steps to a bound; they come from the side of more evidence, so that fewer make it wider, never wrong."""


def begin(question: Question) -> State:
    """Start with empty histograms and no value beyond the limit."""
    del question
    return {"a": _histogram.empty(), "b": _histogram.empty(), "beyond": 0.0}


def absorb(questions: Sequence[Question], states: Sequence[State], batches: Sequence[Batch]) -> list[State]:
    """Add each stream's values."""
    return [_absorb(question, state, batch) for question, state, batch in zip(questions, states, batches, strict=True)]


def _absorb(question: Question, state: State, batch: Batch) -> State:
    """Add values, and count the candidate's beyond the limit exactly."""
    _, values, _, weights = batch.values()
    return {
        **_quantiles.absorb([question], [state], [batch])[0],
        "beyond": state["beyond"] + float(weights[values > bound(question)].sum()),
    }


def _terms(yes: float, n: float, share: float) -> NDArray[np.float64]:
    """Return the mixture's log terms against "at most `share` are yes"."""
    return np.asarray(yes * LOG_ODDS - n * cost(share, LOG_ODDS) + LOG_WEIGHTS)


def weigh(question: Question, state: State) -> Weight:
    """Return the e-values against "within the limit" and "beyond the limit"."""
    n, beyond, t = float(state["b"]["count"].sum()), state["beyond"], 1.0 - _quantiles.share(question)
    up = float(log_sum(_terms(beyond, n, t)))
    down = float(log_sum(_terms(n - beyond, n, 1.0 - t)))
    return Weight(rollback=up, promotion=down) if question.increase else Weight(rollback=down, promotion=up)


def _enough(n: float, share: float, bar: float) -> float:
    """Return a count of yes that proves more than `share`, hardly larger than the least; above n when none does."""
    yes = float(np.min((bar - _terms(0.0, n, share)) / LOG_ODDS))
    for _ in range(STEPS):
        terms = _terms(yes, n, share)
        log_e = float(log_sum(terms))
        yes += (bar - log_e) / float(np.exp(terms - log_e) @ LOG_ODDS)
    return max(yes, 0.0)


def picture(question: Question, state: State) -> Picture:
    """Show the candidate's quantile with its interval; the effect is the quantile itself."""
    p = _quantiles.share(question)
    old, value = _histogram.quantile(state["a"], p), _histogram.quantile(state["b"], p)
    a_n, arm = round(float(state["a"]["count"].sum())), _thresholds.arm(state["b"])
    if value is None:
        return Picture(a_n=a_n, b_n=0, a_value=old, b_value=None, note="the candidate has no data")
    bars = [-math.log(question.alpha_rollback), -math.log(question.alpha_promotion)]
    if not question.increase:
        bars.reverse()
    low = int(np.searchsorted(arm.below, arm.n - _enough(arm.n, 1.0 - p, bars[0]), side="right")) - 1
    high = int(np.searchsorted(arm.below, _enough(arm.n, p, bars[1])))
    return Picture(
        a_n=a_n,
        b_n=round(arm.n),
        a_value=old,
        b_value=value,
        estimate=value,
        lower=math.exp(float(arm.first[low]) * _histogram.WIDTH) if low >= 0 else None,
        upper=math.exp((float(arm.last[high - 1]) + 1.0) * _histogram.WIDTH) if high < len(arm.below) else None,
    )

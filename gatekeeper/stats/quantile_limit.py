"""A candidate's quantile against an absolute bound: bets on how often the bound is exceeded. Exact.

"The p95 is at most the limit" is "at most 5 % of values exceed it", so this is `rate_limit` on the indicator. State:
log histograms, merged exactly and in any order, and exact counts beyond the limit.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from gatekeeper.stats import Batch, Picture, Question, State, Weight, _histogram, _quantiles
from gatekeeper.stats._mixture import bernoulli_log_e, last_rejected
from gatekeeper.stats.rate_limit import bound

if TYPE_CHECKING:
    from collections.abc import Sequence

PAIRED = False
EXACT = True


def begin(question: Question) -> State:
    """Start with empty histograms and no value beyond the limit."""
    del question
    return {"a": _histogram.empty(), "b": _histogram.empty(), "beyond": 0}


def absorb(questions: Sequence[Question], states: Sequence[State], batches: Sequence[Batch]) -> list[State]:
    """Add each stream's values."""
    return [
        {
            "a": _histogram.add(state["a"], _histogram.buckets(batch.a[:, 0])),
            "b": _histogram.add(state["b"], _histogram.buckets(batch.b[:, 0])),
            "beyond": state["beyond"] + int((batch.b[:, 0] > bound(question)).sum()),
        }
        for question, state, batch in zip(questions, states, batches, strict=True)
    ]


def weigh(question: Question, state: State) -> Weight:
    """Return the e-values against "within the limit" and "beyond the limit"."""
    n, t = int(state["b"]["count"].sum()), 1.0 - _quantiles.share(question)
    up = bernoulli_log_e(state["beyond"], n, t, above=True)
    down = bernoulli_log_e(state["beyond"], n, t, above=False)
    return Weight(rollback=up, promotion=down) if question.increase else Weight(rollback=down, promotion=up)


def picture(question: Question, state: State) -> Picture:
    """Show the candidate's quantile with its interval; the effect is the quantile itself."""
    p = _quantiles.share(question)
    old, value = _histogram.quantile(state["a"], p), _histogram.quantile(state["b"], p)
    a_n, n = int(state["a"]["count"].sum()), int(state["b"]["count"].sum())
    if value is None:
        return Picture(a_n=a_n, b_n=0, a_value=old, b_value=None, note="the candidate has no data")
    bars = [-math.log(question.alpha_rollback), -math.log(question.alpha_promotion)]
    if not question.increase:
        bars.reverse()
    at, below = state["b"]["at"], np.cumsum(state["b"]["count"])

    def over(place: float) -> int:
        """Count values above the `place`-th bucket."""
        return n - int(below[int(place)])

    last = float(len(at) - 1)
    low = last_rejected(lambda i: bernoulli_log_e(over(i), n, 1 - p, above=True), bars[0], 0.0, last, near=0.5)
    high = last_rejected(lambda i: bernoulli_log_e(over(i), n, 1 - p, above=False), bars[1], last, 0.0, near=0.5)
    proven_low = bernoulli_log_e(over(low), n, 1 - p, above=True) >= bars[0]
    proven_high = bernoulli_log_e(over(high), n, 1 - p, above=False) >= bars[1]
    return Picture(
        a_n=a_n,
        b_n=n,
        a_value=old,
        b_value=value,
        estimate=value,
        lower=math.exp(float(at[int(low)]) * _histogram.WIDTH) if proven_low else None,
        upper=math.exp((float(at[int(high)]) + 1.0) * _histogram.WIDTH) if proven_high else None,
    )

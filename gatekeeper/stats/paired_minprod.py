"""A quantile on the same requests (shadow pairs): bets on the pair, least over all thresholds. Exact for any pairing.

As `minprod`, but a pair is bet on as a whole, 1 + u (1{b > c} - t) - v (1{a >= c} - t), whose expectation is at most 1
under the null whatever ties a to b. Pairs that are slow together say nothing and cost nothing, so that related
answers are decided on sooner. State: log histograms of both arms and of the pairs' smaller value (at the policy's
margin, for each direction), merged exactly and in any order. The interval is drawn by `minprod`'s e-processes, which
hold for pairs whose answers are not negatively related.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from gatekeeper.stats import Batch, Picture, Question, State, Weight, _histogram, _pair_gains, _quantiles, _thresholds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gatekeeper.stats._thresholds import Arm

    Places = NDArray[np.int64]

PAIRED = True
EXACT = True


def begin(question: Question) -> State:
    """Start with empty histograms."""
    del question
    return {name: _histogram.empty() for name in ("a", "b", "worse", "better")}


def absorb(questions: Sequence[Question], states: Sequence[State], batches: Sequence[Batch]) -> list[State]:
    """Add each stream's pairs."""
    return [_absorb(question, state, batch) for question, state, batch in zip(questions, states, batches, strict=True)]


def _absorb(question: Question, state: State, batch: Batch) -> State:
    """Add pairs; `worse` and `better` hold min(first, second - 1), at or above c when both indicators are yes."""
    a_values, b_values, weights, _ = batch.values()
    a, b = _histogram.buckets(a_values), _histogram.buckets(b_values)
    new = _quantiles.absorb(state, batch)
    base, other = (a, b) if question.increase else (b, a)
    up = _shift(question, base, question.margin or 0.0, up=True)
    new["worse"] = _histogram.add(state["worse"], _histogram.counted(np.minimum(up, other - 1), weights))
    if question.proof_margin is not None:
        down = _shift(question, base, question.proof_margin, up=False)
        new["better"] = _histogram.add(state["better"], _histogram.counted(np.minimum(other, down - 1), weights))
    return new


def _shift(question: Question, at: Places, harm: float, *, up: bool) -> Places:
    """Move buckets by the allowed harm."""
    return _histogram.shifted(question, at, _quantiles.level(question, harm), up=up)


def _least(
    low: Arm, low_at: Places, high: Arm, high_at: Places, both: Arm, question: Question, *, worse: bool
) -> float:
    """Return the log e-value against "the upper quantile of `high` is at most that of `low`"."""
    if not low.n:
        return 0.0
    t = 1.0 - _quantiles.share(question)
    gains = _pair_gains.around(t, _quantiles.pull(question, worse=worse))

    def beyond(places: Places) -> tuple[NDArray[np.float64], ...]:
        marks = low_at[np.minimum(places, len(low_at) - 1)]
        k_both = np.where(places == len(low_at), 0.0, both.n - both.below[np.searchsorted(both.at, marks)])
        return *_thresholds.beyond(low, low_at, high, high_at, places), k_both

    return _thresholds.least(partial(_pair_gains.log_e, low.n, gains), beyond, _thresholds.ends(low, t))


def weigh(question: Question, state: State) -> Weight:
    """Return both e-values at the policy's margin."""
    base, other = (_thresholds.arm(histogram) for histogram in _quantiles.arms(question, state))
    up = _shift(question, base.at, question.margin or 0.0, up=True)
    both = _thresholds.arm(state["worse"])
    worse = _least(base, up, other, other.at, both, question, worse=True)
    if question.proof_margin is None:
        return Weight(rollback=worse, promotion=-math.inf)
    down = _shift(question, base.at, question.proof_margin, up=False)
    both = _thresholds.arm(state["better"])
    return Weight(rollback=worse, promotion=_least(other, other.at, base, down, both, question, worse=False))


def picture(question: Question, state: State) -> Picture:
    """Draw the interval by `minprod`."""
    return _quantiles.pictures([question], [state])[0]


def pictures(questions: Sequence[Question], states: Sequence[State]) -> list[Picture]:
    """Draw many streams' pictures in one go."""
    return _quantiles.pictures(questions, states)

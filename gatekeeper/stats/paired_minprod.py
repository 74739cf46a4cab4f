"""A quantile on the same requests (shadow pairs): bets on the pair, least over all thresholds. Exact for any pairing.

As `minprod`, but a pair is bet on as a whole, 1 + u (1{b > c} - t) - v (1{a >= c} - t), whose expectation is at most 1
under the null whatever ties a to b. Pairs that are slow together say nothing and cost nothing, so that related
answers are decided on sooner. State: log histograms of both arms and of the pairs' smaller value (at the policy's
margin, for each direction), merged exactly and in any order. The interval is drawn by `minprod`'s e-processes, which
hold for pairs whose answers are not negatively related.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from gatekeeper.stats import Batch, Picture, Question, State, Weight, _histogram, _quantiles, minprod
from gatekeeper.stats._mixture import log_sum

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

PAIRED = True
EXACT = True

STAKES = np.append(np.geomspace(0.03, 0.8, 8), 0.95)
"""Bets as shares of the largest allowed; each on the low arm alone, on the difference, and on the high arm alone."""


def begin(question: Question) -> State:
    """Start with empty histograms."""
    del question
    return {name: _histogram.empty() for name in ("a", "b", "worse", "better")}


def absorb(questions: Sequence[Question], states: Sequence[State], batches: Sequence[Batch]) -> list[State]:
    """Add each stream's pairs."""
    return [_absorb(question, state, batch) for question, state, batch in zip(questions, states, batches, strict=True)]


def _absorb(question: Question, state: State, batch: Batch) -> State:
    """Add pairs; `worse` and `better` hold min(first, second - 1), at or above c when both indicators are yes."""
    a, b = _histogram.buckets(batch.a[:, 0]), _histogram.buckets(batch.b[:, 0])
    new = {**state, "a": _histogram.add(state["a"], a), "b": _histogram.add(state["b"], b)}
    base, other = (a, b) if question.increase else (b, a)
    up = _shift(question, base, question.margin or 0.0, up=True)
    new["worse"] = _histogram.add(state["worse"], np.minimum(up, other - 1))
    if question.proof_margin is not None:
        down = _shift(question, base, question.proof_margin, up=False)
        new["better"] = _histogram.add(state["better"], np.minimum(other, down - 1))
    return new


def _shift(question: Question, at: NDArray[np.int64], harm: float, *, up: bool) -> NDArray[np.int64]:
    """Move buckets by the allowed harm."""
    return _histogram.shifted(question, at, _quantiles.level(question, harm), up=up)


def _gains(t: float) -> NDArray[np.float64]:
    """Return log gains (bets, 4) for (high alone, low alone, both, neither); every gain is possible, so > -inf."""
    mixes = np.array([0.0, t, 1.0])
    mix = np.tile(mixes, len(STAKES))
    u, v = mix / t, (1.0 - mix) / (1.0 - t)
    changes = np.stack([u * (1 - t) + v * t, -u * t - v * (1 - t), (u - v) * (1 - t), (v - u) * t], axis=1)
    stake = np.repeat(STAKES, len(mixes)) / -changes.min(axis=1)
    return np.asarray(np.log1p(stake[:, None] * changes))


def _least(
    low: tuple[_histogram.Histogram, NDArray[np.int64]],
    high: tuple[_histogram.Histogram, NDArray[np.int64]],
    both: _histogram.Histogram,
    t: float,
) -> float:
    """Return the log e-value against "the upper-t quantile of `high` is at most that of `low`"."""
    n = int(low[0]["count"].sum())
    if not n:
        return 0.0
    marks = np.append(low[1], max(low[1][-1], high[1][-1]) + 1)
    k_low = _histogram.at_least(low[0], marks, low[1])
    k_high = _histogram.at_least(high[0], marks + 1, high[1])
    k_both = _histogram.at_least(both, marks, both["at"])
    cells = np.stack([k_high - k_both, k_low - k_both, k_both, n - k_high - k_low + k_both], axis=1)
    gains = _gains(t)
    return float(np.min(log_sum(cells @ gains.T))) - math.log(len(gains))


def weigh(question: Question, state: State) -> Weight:
    """Return both e-values at the policy's margin."""
    base, other = _quantiles.arms(question, state)
    t = 1.0 - _quantiles.share(question)
    up = _shift(question, base["at"], question.margin or 0.0, up=True)
    worse = _least((base, up), (other, other["at"]), state["worse"], t)
    if question.proof_margin is None:
        return Weight(rollback=worse, promotion=-math.inf)
    down = _shift(question, base["at"], question.proof_margin, up=False)
    return Weight(rollback=worse, promotion=_least((other, other["at"]), (base, down), state["better"], t))


def picture(question: Question, state: State) -> Picture:
    """Draw the interval by `minprod`."""
    return minprod.picture(question, state)

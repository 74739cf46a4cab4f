"""What the quantile tests share: which arm is to stay below the other, and the picture.

Where less is harm the arms exchange their roles: "b at least (1 - m) a" is "a at most b / (1 - m)".
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from gatekeeper.stats import Picture, Question, State, _histogram
from gatekeeper.stats._mixture import last_rejected

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from gatekeeper.stats._histogram import Histogram

STRETCHES = 40
"""Pieces in which thresholds are first looked at."""

SMALLEST, LARGEST = math.log(0.02), math.log(50.0)
"""Ratios that the interval is looked for between."""


def share(question: Question) -> float:
    """Return the quantile asked for."""
    if question.quantile is None:
        msg = "a quantile test needs a quantile"
        raise ValueError(msg)
    return question.quantile


def arms(question: Question, state: State) -> tuple[Histogram, Histogram]:
    """Return the arm that must not be exceeded, and the one that must not exceed it."""
    return (state["a"], state["b"]) if question.increase else (state["b"], state["a"])


def level(question: Question, harm: float) -> float:
    """Turn harm into how far the second arm of `arms` may exceed the first."""
    if question.relative and not question.increase:
        return 1.0 / (1.0 - harm) - 1.0
    return harm


def least_over(
    log_e: Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.float64]],
    k_low: NDArray[np.int64],
    k_high: NDArray[np.int64],
) -> float:
    """Return the least log e-value over all thresholds, looking closely only where it can be.

    k_low, k_high: how many of each arm lie beyond each threshold, both falling; the e-value falls in k_low and rises
    in k_high, so that a stretch of thresholds has no less than it has for its first k_low and last k_high.
    """
    if len(k_low) <= 2 * STRETCHES:
        return float(log_e(k_low, k_high).min())
    ends = np.linspace(0, len(k_low) - 1, STRETCHES + 1).astype(np.int64)
    best = float(log_e(k_low[ends], k_high[ends]).min())
    bounds = log_e(k_low[ends[:-1]], k_high[ends[1:]])
    open_ones = np.flatnonzero(bounds < best)
    if not len(open_ones):
        return best
    rows = np.concatenate([np.arange(ends[i] + 1, ends[i + 1]) for i in open_ones])
    return min(best, float(log_e(k_low[rows], k_high[rows]).min())) if len(rows) else best


def picture(question: Question, state: State, log_e: Callable[..., float]) -> Picture:
    """Show both quantiles and the interval of their ratio (relative) or difference."""
    p = share(question)
    old, new = _histogram.quantile(state["a"], p), _histogram.quantile(state["b"], p)
    a_n, b_n = int(state["a"]["count"].sum()), int(state["b"]["count"].sum())
    if old is None or new is None:
        return Picture(a_n=a_n, b_n=b_n, a_value=old, b_value=new, note="an arm has no data")
    bars = -math.log(question.alpha_rollback), -math.log(question.alpha_promotion)

    def worse(x: float) -> float:
        return log_e(question, state, math.expm1(x) if question.relative else x, worse=True)

    def better(x: float) -> float:
        return log_e(question, state, math.expm1(x) if question.relative else x, worse=False)

    far = 50.0 * max(old, new)
    reach = (SMALLEST, LARGEST) if question.relative else (-far, far)
    near = _histogram.WIDTH / 2.0 if question.relative else 1e-5 * far
    low = last_rejected(worse, bars[0], *reach, near=near)
    high = last_rejected(better, bars[1], *reach[::-1], near=near)
    lower, upper = (None if low == reach[0] else low), (None if high == reach[1] else high)
    if not question.increase:
        lower, upper = (None if upper is None else -upper), (None if lower is None else -lower)
    if question.relative:
        lower, upper = (None if end is None else math.expm1(end) for end in (lower, upper))
        estimate = new / old - 1.0 if old > 0 else None
    else:
        estimate = new - old
    return Picture(a_n=a_n, b_n=b_n, a_value=old, b_value=new, estimate=estimate, lower=lower, upper=upper)

"""Information per request about a difference: Kullback-Leibler divergences from what is true to what must be excluded.

No test can, on average, exclude a null at level alpha before log(1/alpha) over the smallest divergence to it (Wald).
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING

from gatekeeper.stats._projection import project

if TYPE_CHECKING:
    from collections.abc import Callable

GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0
STEPS = 24
GRAIN = 32
ON_THE_LINE = 1e-12
"""What rounding puts between a rate and the line on which it lies."""

FAR = 8.0
"""Standard deviations beyond which a normal has nothing."""


def divergence(p: float, q: float) -> float:
    """Return KL(p, q) of two Bernoulli rates; inf where q excludes what p does."""
    total = 0.0
    for here, there in ((p, q), (1.0 - p, 1.0 - q)):
        if here > 0:
            if there <= 0:
                return math.inf
            total += here * math.log(here / there)
    return max(total, 0.0)


def rates(n1: float, p1: float, n2: float, p2: float, shift: float, slope: float) -> float:
    """Return the information of n1 and n2 requests on "the second rate is at most shift + slope * the first"."""
    if p2 <= shift + slope * p1 + ON_THE_LINE:
        return 0.0
    q1, q2, _ = project(n1, p1, n2, p2, shift, slope)
    return n1 * divergence(p1, float(q1)) + n2 * divergence(p2, float(q2))


def paired_rates(both: float, p1: float, p2: float, shift: float, slope: float) -> float:
    """Return the information of one pair on the same, whatever the dependence; both: rate of two harms at once.

    KLinf: the best bet on x2 - slope * x1 - shift, whose expectation the null holds at or below 0.
    """
    cells = [
        (both, 1.0 - slope - shift),
        (p2 - both, 1.0 - shift),
        (p1 - both, -slope - shift),
        (1.0 - p1 - p2 + both, -shift),
    ]
    if sum(p * x for p, x in cells) <= ON_THE_LINE:
        return 0.0
    worst = min(x for _, x in cells)
    low, high = 0.0, (1.0 - 1e-12) / -worst if worst < 0 else 1e6
    for _ in range(60):
        middle = (low + high) / 2
        if sum(p * x / (1.0 + middle * x) for p, x in cells) > 0:
            low = middle
        else:
            high = middle
    return sum(p * math.log1p(low * x) for p, x in cells if p > 0)


def quantiles(n_low: float, n_high: float, gap: float, quantile: float) -> float:
    """Return the information on two equal quantiles; gap: the higher arm's normal lies so many sds above the lower's.

    The null holds some c that at most a share 1 - quantile of the higher arm exceeds, and at least that share of the
    lower: the least sum of both divergences over c.
    """
    if gap <= 0:
        return 0.0
    tail, start = 1.0 - quantile, standing(quantile)
    return _least(
        lambda c: n_high * divergence(above(c - gap), tail) + n_low * divergence(above(c), tail), start, start + gap
    )


def paired_quantiles(gap: float, quantile: float, correlation: float) -> float:
    """Return the information of one pair on the same, by bets on which arm alone exceeds c."""
    if gap <= 0:
        return 0.0
    start = standing(quantile)

    def at(c: float) -> float:
        both = _both_above(c - gap, c, correlation)
        more, less = above(c - gap) - both, above(c) - both
        if more <= less:
            return 0.0
        return (more + less) * divergence(more / (more + less), 0.5)

    return _least(at, start, start + gap)


def standing(quantile: float) -> float:
    """Return where a standard normal's quantile lies."""
    return NormalDist().inv_cdf(quantile)


def above(z: float) -> float:
    """Return the share of a standard normal above z."""
    return 0.5 * math.erfc(z / math.sqrt(2.0))


def _both_above(first: float, second: float, correlation: float) -> float:
    """Return the share of a bivariate normal above both, by Simpson's rule over the second."""
    left = math.sqrt(max(1.0 - correlation * correlation, 1e-6))
    low = max(second, -FAR)
    step = (FAR - low) / GRAIN
    total = 0.0
    for i in range(GRAIN + 1):
        y = low + i * step
        weight = 1.0 if i in {0, GRAIN} else 4.0 if i % 2 else 2.0
        total += weight * math.exp(-0.5 * y * y) * above((first - correlation * y) / left)
    return total * step / 3.0 / math.sqrt(2.0 * math.pi)


def _least(function: Callable[[float], float], low: float, high: float) -> float:
    """Return a unimodal function's least value on an interval, by golden section."""
    inner = [high - GOLDEN * (high - low), low + GOLDEN * (high - low)]
    values = [function(c) for c in inner]
    for _ in range(STEPS):
        if values[0] < values[1]:
            high, inner, values = inner[1], [0.0, inner[0]], [0.0, values[0]]
            inner[0] = high - GOLDEN * (high - low)
            values[0] = function(inner[0])
        else:
            low, inner, values = inner[0], [inner[1], 0.0], [values[1], 0.0]
            inner[1] = low + GOLDEN * (high - low)
            values[1] = function(inner[1])
    return min(values)

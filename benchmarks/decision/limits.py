"""How few observations any always-valid rule can need: log(1/alpha) over the least divergence from the null.

A rule that is wrong with probability at most alpha at any stopping time needs, on average, at least log(1/alpha) / D
observations (Wald 1945), where D is the smallest Kullback-Leibler divergence, per observation of each arm, from the
truth to a point of the null. All counts returned are per arm (pairs for pairs).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, cast

from scipy import optimize, stats

if TYPE_CHECKING:
    from collections.abc import Callable


def kl(p: float, q: float) -> float:
    """Return the divergence of a yes-or-no answer with rate p from one with rate q, in nats."""
    yes = p * math.log(p / q) if p > 0 else 0.0
    return yes + ((1.0 - p) * math.log((1.0 - p) / (1.0 - q)) if p < 1 else 0.0)


def _least(function: Callable[[float], float], low: float, high: float) -> float:
    """Return the least value of a unimodal function on an interval."""
    found = optimize.minimize_scalar(function, bounds=(low, high), method="bounded", options={"xatol": 1e-12})
    return float(found.fun)


def rates(p_a: float, p_b: float, margin: float, alpha: float) -> float:
    """Return the limit for two independent rates against the null's edge q_b = q_a + margin."""
    low, high = max(0.0, -margin) + 1e-12, min(1.0, 1.0 - margin) - 1e-12
    return math.log(1.0 / alpha) / _least(lambda q: kl(p_a, q) + kl(p_b, q + margin), low, high)


def pairs(candidate_alone: float, baseline_alone: float, margin: float, alpha: float) -> float:
    """Return the limit for pairs, whose answers differ at these two rates, against E[b - a] <= margin.

    KLinf in its dual form, the best growth of a bet (Honda and Takemura 2010): max over u of E log(1 + u (D - margin)).
    """
    same = 1.0 - candidate_alone - baseline_alone

    def loss(u: float) -> float:
        grown = candidate_alone * math.log1p(u * (1.0 - margin)) + baseline_alone * math.log1p(-u * (1.0 + margin))
        return -grown - same * math.log1p(-u * margin)

    return math.log(1.0 / alpha) / -_least(loss, 0.0, 1.0 / (1.0 + margin) - 1e-9)


def quantile(beyond_a: Callable[[float], float], beyond_b: Callable[[float], float], t: float, alpha: float) -> float:
    """Return the nonparametric limit against "the upper-t quantile of b is at most that of a".

    beyond_a, beyond_b: shares of each arm beyond a threshold given on the scale of log values; a is already raised by
    the margin. The nearest null moves a's share beyond some threshold up to t, and b's down to t.
    """
    low = optimize.brentq(lambda c: beyond_a(c) - t, -50.0, 50.0)
    high = optimize.brentq(lambda c: beyond_b(c) - t, -50.0, 50.0)
    return math.log(1.0 / alpha) / _least(lambda c: kl(beyond_a(c), t) + kl(beyond_b(c), t), low, high)


def lognormal_quantile(sigma: float, ratio: float, level: float, alpha: float) -> float:
    """Return `quantile` for lognormal latencies of one shape, b being `ratio` times the raised a."""
    a, b = stats.norm(0.0, sigma), stats.norm(math.log(ratio), sigma)
    return quantile(lambda c: cast("float", a.sf(c)), lambda c: cast("float", b.sf(c)), 1.0 - level, alpha)


def lognormal_quantile_pairs(sigma: float, ratio: float, level: float, rho: float, alpha: float) -> float:
    """Return the limit for pairs of lognormal latencies whose logarithms have the correlation rho.

    As `pairs`, with the best growth of a bet on both indicators of a pair, at the threshold where that is least.
    """
    t, z, move = 1.0 - level, float(stats.norm.ppf(level)), math.log(ratio)
    law = stats.multivariate_normal(cov=[[1.0, rho], [rho, 1.0]])

    def growth(c: float) -> float:
        low, high = c / sigma, (c - move) / sigma
        both = float(law.cdf([-low, -high]))
        return _pair_growth(float(stats.norm.sf(low)), float(stats.norm.sf(high)), both, t)

    return math.log(1.0 / alpha) / _least(growth, sigma * z, sigma * z + move)


def _pair_growth(p_a: float, p_b: float, both: float, t: float) -> float:
    """Return the most that E log(1 + u (1{b} - t) - v (1{a} - t)) can be over u, v >= 0."""
    cells = ((p_b - both, 1.0 - t, t), (p_a - both, -t, t - 1.0), (both, 1.0 - t, t - 1.0))
    neither = 1.0 - p_a - p_b + both

    def loss(u: float, v: float) -> float:
        grown = sum(p * math.log1p(u * up + v * down) for p, up, down in cells)
        return -grown - neither * math.log1p((v - u) * t)

    def best(v: float) -> float:
        return _least(lambda u: loss(u, v), 0.0, (1.0 - v * (1.0 - t)) / t - 1e-9)

    return -_least(best, 0.0, 1.0 / (1.0 - t) - 1e-9)

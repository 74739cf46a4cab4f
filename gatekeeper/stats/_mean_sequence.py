"""The one-sided asymptotic confidence sequence for an estimate with a known variance, and its e-value.

Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (2024, Annals of Statistics), one-sided form: with variance v and a
half-normal mixture of scale tau over effects, the bound is
estimate - sqrt(2 v (1 + v / tau^2) log(1 + sqrt(1 + tau^2 / v) / (2 alpha))).

At a given v it is narrowest where r = tau^2 / v is about -2 log(2 alpha) + log(1 - 2 log(2 alpha)). An effect d beyond
the margin is decided on where the bound is d wide, d^2 = 2 v (1 + 1 / r) log(1 + sqrt(1 + r) / (2 alpha)), so that the
scale which is best just there is tau = sqrt(r v): between 0.9 d (alpha 0.05) and d.
"""

from __future__ import annotations

import math

LEAST = 1e-9
"""Smallest effect that a scale is made for."""


def best_scale(effect: float, alpha: float) -> float:
    """Return the mixture's scale that decides soonest on an effect this far beyond the margin."""
    alpha = min(alpha, 0.4)
    need = -2.0 * math.log(2.0 * alpha)
    r = need + math.log1p(need)
    return max(effect, LEAST) * math.sqrt(r / (2.0 * (1.0 + 1.0 / r) * math.log1p(math.sqrt(1.0 + r) / (2.0 * alpha))))


def half_width(variance: float, scale: float, alpha: float) -> float:
    """Return the distance from the estimate to its one-sided bound."""
    return math.sqrt(
        2.0 * variance * (1.0 + variance / scale**2) * math.log1p(math.sqrt(1.0 + scale**2 / variance) / (2.0 * alpha))
    )


def log_e(distance: float, variance: float, scale: float) -> float:
    """Return log(1 / alpha) of the alpha at which a bound lies `distance` away; -inf on the wrong side."""
    if distance <= 0:
        return -math.inf
    power = distance**2 / (2.0 * variance * (1.0 + variance / scale**2))
    log_expm1 = power + math.log(-math.expm1(-power))
    return log_expm1 + math.log(2.0) - 0.5 * math.log(1.0 + scale**2 / variance)

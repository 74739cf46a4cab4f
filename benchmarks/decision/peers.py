"""How other tools and textbooks would decide on the same data: each rule says at which look it stops the candidate.

A rule takes counts (replicates, looks, 4) as [n_a, x_a, n_b, x_b], cumulative, and returns crossings of the same first
two axes. All are asked for harm: the candidate's rate above the baseline's. Two-sided rules count when the candidate is
worse.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import spending
from scipy import stats

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Crossed = NDArray[np.bool_]

TUNING = 5000.0
"""GrowthBook's default sequential tuning parameter."""

THRESHOLD, INTERVAL, ROUNDING = 0.01, 100, 1e-9
"""A canary analysis by thresholds: base + 1 pp, asked on every interval of so many requests per arm."""

FAILURE_LIMIT, FLAGGER_CHECKS = 3, 5
"""More failed intervals than this stop the candidate (Argo Rollouts); this many stop it (Flagger)."""


def first(crossed: Crossed) -> NDArray[np.int64]:
    """Return at which look (from 1) a rule first crossed, 0 for never."""
    return np.where(crossed.any(axis=1), crossed.argmax(axis=1) + 1, 0)


def _rates(counts: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    n_a, x_a, n_b, x_b = np.moveaxis(counts, -1, 0)
    return n_a, n_b, x_a / n_a, x_b / n_b


def _difference(counts: Floats, *, pooled: bool = False, unbiased: bool = False) -> tuple[Floats, Floats]:
    """Return the difference of rates and its estimated variance."""
    n_a, n_b, p_a, p_b = _rates(counts)
    if pooled:
        p = (counts[..., 1] + counts[..., 3]) / (n_a + n_b)
        return p_b - p_a, p * (1.0 - p) * (1.0 / n_a + 1.0 / n_b)
    less = 1.0 if unbiased else 0.0
    return p_b - p_a, p_a * (1.0 - p_a) / (n_a - less) + p_b * (1.0 - p_b) / (n_b - less)


def _z(counts: Floats, *, pooled: bool = True) -> Floats:
    """Return the z statistic, 0 where nothing varies."""
    estimate, variance = _difference(counts, pooled=pooled)
    return np.asarray(np.divide(estimate, np.sqrt(variance), out=np.zeros_like(estimate), where=variance > 0))


def naive_z(counts: Floats, alpha: float, effect: float) -> Crossed:
    """Test at the full alpha at every look."""
    del effect
    return np.asarray(_z(counts) >= stats.norm.ppf(1.0 - alpha))


def mann_whitney(counts: Floats, alpha: float, effect: float) -> Crossed:
    """Judge as Kayenta does: a two-sided Mann-Whitney test at 98 % on every look, one critical metric.

    On yes-or-no answers the rank sum is the difference of rates, its ties' variance that of the pooled rate (with
    n (n - 1) in place of n^2), with the half a rank of continuity.
    """
    del alpha, effect
    n_a, n_b, p_a, p_b = _rates(counts)
    n = n_a + n_b
    p = (counts[..., 1] + counts[..., 3]) / n
    rank = 0.5 * n_a * n_b * (p_b - p_a)
    spread = np.sqrt(n_a * n_b * n * n / (n - 1.0) * p * (1.0 - p) / 4.0)
    z = np.divide(rank - 0.5, spread, out=np.zeros_like(rank), where=spread > 0)
    return np.asarray(z >= stats.norm.ppf(0.99))


def _failed_checks(counts: Floats) -> NDArray[np.int64]:
    """Return, at each look, how many intervals so far had a candidate beyond the threshold."""
    every = max(round(INTERVAL / float(counts[0, 0, 0])), 1)
    closed = counts[:, every - 1 :: every]
    _, _, p_a, p_b = _rates(np.diff(closed, axis=1, prepend=0.0))
    failed = np.zeros(counts.shape[:2], np.int64)
    failed[:, every - 1 :: every] = p_b - p_a > THRESHOLD + ROUNDING
    return np.cumsum(failed, axis=1)


def threshold_0(counts: Floats, alpha: float, effect: float) -> Crossed:
    """Judge as Argo Rollouts does with failureLimit 0: one interval beyond the threshold stops the candidate."""
    del alpha, effect
    return np.asarray(_failed_checks(counts) > 0)


def threshold_3(counts: Floats, alpha: float, effect: float) -> Crossed:
    """Judge as Argo Rollouts does with failureLimit 3."""
    del alpha, effect
    return np.asarray(_failed_checks(counts) > FAILURE_LIMIT)


def threshold_5(counts: Floats, alpha: float, effect: float) -> Crossed:
    """Judge as Flagger does: five failed checks."""
    del alpha, effect
    return np.asarray(_failed_checks(counts) >= FLAGGER_CHECKS)


def bonferroni(counts: Floats, alpha: float, effect: float) -> Crossed:
    """Divide alpha over the looks."""
    del effect
    return np.asarray(_z(counts) >= stats.norm.ppf(1.0 - alpha / counts.shape[1]))


def obrien_fleming(counts: Floats, alpha: float, effect: float) -> Crossed:
    """Spend alpha over the looks as planned."""
    del effect
    return np.asarray(_z(counts) >= spending.obrien_fleming(counts.shape[1], alpha))


def growthbook_half_width(variance: Floats, n: Floats, alpha: float, tuning: float = TUNING) -> Floats:
    """Return the half-width of GrowthBook's sequential interval; n: both arms together, variance: of the difference.

    Waudby-Smith et al. (2024), their equations 9 and 161, two-sided.
    """
    rho2 = (-2.0 * math.log(alpha) + math.log(-2.0 * math.log(alpha) + 1.0)) / tuning
    inner = 2.0 * (n * rho2 + 1.0) * np.log(np.sqrt(n * rho2 + 1.0) / alpha) / (n * n * rho2)
    return np.asarray(np.sqrt(variance * n) * np.sqrt(inner))


def growthbook(counts: Floats, alpha: float, effect: float) -> Crossed:
    """Stop when GrowthBook's sequential interval lies above 0."""
    del effect
    estimate, variance = _difference(counts, unbiased=True)
    width = growthbook_half_width(variance, counts[..., 0] + counts[..., 2], alpha)
    return np.asarray((estimate > width) & (variance > 0))


def msprt(counts: Floats, alpha: float, effect: float) -> Crossed:
    """Mixture SPRT (Johari et al. 2022): a normal prior of the looked-for effect's size, two-sided."""
    estimate, variance = _difference(counts)
    total = variance + effect**2
    with np.errstate(divide="ignore", invalid="ignore"):
        log_e = 0.5 * np.log(variance / total) + effect**2 * estimate**2 / (2.0 * variance * total)
    return np.asarray((log_e >= -math.log(alpha)) & (estimate > 0) & (variance > 0))


def asymptotic_sequence(counts: Floats, alpha: float, effect: float) -> Crossed:
    """One-sided asymptotic confidence sequence (Waudby-Smith et al. 2024), tuned to the looked-for effect."""
    estimate, variance = _difference(counts)
    known = variance > 0
    v = np.where(known, variance, 1.0)
    width = np.sqrt(2.0 * v * (1.0 + v / effect**2) * np.log1p(np.sqrt(1.0 + effect**2 / v) / (2.0 * alpha)))
    return np.asarray(known & (estimate > width))


def oracle(counts: Floats, alpha: float, rates: tuple[float, float]) -> Crossed:
    """Bet with both true rates in hand against the nearest equal pair: no rule can do better on average."""
    p_a, p_b = rates
    q = 0.5 * (p_a + p_b)
    n_a, x_a, n_b, x_b = np.moveaxis(counts, -1, 0)
    log_e = x_a * math.log(p_a / q) + (n_a - x_a) * math.log((1.0 - p_a) / (1.0 - q))
    log_e = log_e + x_b * math.log(p_b / q) + (n_b - x_b) * math.log((1.0 - p_b) / (1.0 - q))
    return np.asarray(log_e >= -math.log(alpha))


RULES = {
    "naive z test at each look": naive_z,
    "Mann-Whitney judge, 98 %, each look (Kayenta-like)": mann_whitney,
    "threshold + 1 pp, no failure allowed (Argo-like)": threshold_0,
    "threshold + 1 pp, failure limit 3 (Argo-like)": threshold_3,
    "threshold + 1 pp, 5 failed checks (Flagger-like)": threshold_5,
    "Bonferroni over looks": bonferroni,
    "O'Brien-Fleming spending": obrien_fleming,
    "GrowthBook sequential": growthbook,
    "mSPRT": msprt,
    "asymptotic confidence sequence": asymptotic_sequence,
}

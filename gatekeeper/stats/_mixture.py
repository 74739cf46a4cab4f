"""Mixtures of simple e-values on the log scale."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

THETA = np.geomspace(0.05, 4.0, 12)
"""Log odds ratios of the alternatives that one-sample bets on a share are mixed over, all weighted alike."""


def log_sum(log_terms: NDArray[np.float64], axis: int = -1) -> Any:  # noqa: ANN401 - a float or an array by shape
    """Return log(sum(exp(terms))) along an axis; -inf where every term is -inf."""
    top = np.max(log_terms, axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        return np.squeeze(top, axis=axis) + np.log(np.sum(np.exp(log_terms - top), axis=axis))


def lognormal_weights(points: NDArray[np.float64], centre: float, spread: float) -> NDArray[np.float64]:
    """Return log weights of a log-spaced grid, summing to 1, lognormal around `centre` with log sd `spread`."""
    log_weights = -0.5 * (np.log(points / centre) / spread) ** 2
    return np.asarray(log_weights - log_sum(log_weights))


def bernoulli_bets(share: float, *, above: bool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return log gains of a yes and of a no against the null share, for each alternative in THETA.

    above: bet on more than `share` (null: at most `share`), else on less. Each bet is a likelihood ratio that is
    monotone in the answer, so its expectation is at most 1 on the whole one-sided null.
    """
    odds = share / (1.0 - share) * np.exp(THETA if above else -THETA)
    other = odds / (1.0 + odds)
    return np.log(other / share), np.log((1.0 - other) / (1.0 - share))


def bernoulli_log_e(yes: int, n: int, share: float, *, above: bool) -> float:
    """Return the log e-value of `yes` out of n against a one-sided null share in (0, 1)."""
    gain_yes, gain_no = bernoulli_bets(share, above=above)
    return float(log_sum(yes * gain_yes + (n - yes) * gain_no)) - math.log(len(THETA))


def last_rejected(
    log_e: Callable[[float], float], bar: float, start: float, end: float, *, near: float = 1e-5
) -> float:
    """Return the level, going from `start` (rejected) to `end`, at which a monotone log e-value falls below `bar`.

    Returns `start` when even that is not rejected and `end` when all are; the returned level is a rejected one, and at
    most `near` short of the last.
    """
    if log_e(start) < bar:
        return start
    if log_e(end) >= bar:
        return end
    while abs(end - start) > near:
        middle = 0.5 * (start + end)
        if log_e(middle) >= bar:
            start = middle
        else:
            end = middle
    return start

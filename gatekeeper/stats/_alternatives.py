"""What quantile tests bet on: how far each arm's share beyond a threshold lies from the null's.

At a threshold c the null says that at least t of the low arm and at most t of the high arm lie beyond. The alternatives
are pairs of log odds, less for the low arm and more for the high arm. A tail that falls like a power of its index,
P(X > c) ~ c ** -TAIL, moves its log odds by about TAIL * log(r) when all values grow by the factor r; that pull is
shared by the arms: at the threshold where the evidence is least they divide it as `_divided` says, at others one arm
has all of it. So alternatives spread like a fan: over the pull, around the one that the declared effect makes, and over
how it is divided. The spread over divisions matters: bets on one division alone gain equally at all thresholds, and the
least of many such walks never grows. Where the arms' sizes are not declared and differ, it finds the division, later.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

TAIL = 2.7
"""Tail index assumed of latencies, a lognormal's of log sd 0.8 at its p95; measured ones lie between 1.5 and 6."""

PLACES = np.arange(-3, 8)
STEP = 0.35
"""Pulls lie this far apart on the log scale, from a third to eleven times the declared effect's."""

SPREAD = 0.3
"""Log sd of the weights around the declared effect's pull."""

LARGER = 0.1
"""Share of the weight that is spread evenly over the pulls of larger effects."""

MOST = 8.0
"""Largest pull: beyond it, an alternative gains no more."""

WIDE_CENTRE, WIDE_STEP, WIDE_SPREAD = 0.6, 0.45, 1.0
"""Pulls where the declared effect is in the metric's unit: its share of the value is not known before the data."""

DIVISIONS = np.array([0.06, 0.22, 0.44, 0.22, 0.06])
"""Weights of the ways to divide a pull: all to the low arm, halfway there, balanced, halfway to the high arm, all."""

LEAST_SIZE = 0.01
"""Smaller shares of the values are bet on as this one."""


class Alternatives(NamedTuple):
    """Hold log odds beyond the null's, log weights, and what a value costs at each; shape (n,).

    low: by how much the low arm lies below the null. high: by how much the high arm lies above it.
    """

    low: Array
    high: Array
    log_weight: Array
    low_cost: Array
    high_cost: Array


def _variance(t: float, log_odds: Array) -> Array:
    """Return p (1 - p) at a distance in log odds from t."""
    p = 1.0 / (1.0 + (1.0 - t) / t * np.exp(-log_odds))
    return np.asarray(p * (1.0 - p))


def _divided(t: float, pulls: Array, size: float) -> Array:
    """Return the high arm's part of each pull at the threshold of least evidence; size: its share of the values.

    There the divergences' slopes, size * theta * p (1 - p), are equal. The smaller arm has the larger part; in a tail,
    the high one of two arms of a size has the smaller part.
    """
    size = min(max(size, LEAST_SIZE), 1.0 - LEAST_SIZE)
    low, high = np.zeros_like(pulls), np.ones_like(pulls)
    for _ in range(40):
        part = 0.5 * (low + high)
        up, down = pulls * part, pulls * (1.0 - part)
        less = size * up * _variance(t, up) < (1.0 - size) * down * _variance(t, -down)
        low, high = np.where(less, part, low), np.where(less, high, part)
    return np.asarray(0.5 * (low + high))


def cost(t: float, log_odds: Array) -> Array:
    """Return the log of the mean of exp(log_odds * 1{beyond}) at the null's share t."""
    return np.asarray(np.log1p(t * np.expm1(log_odds)))


@lru_cache(maxsize=512)
def around(t: float, pull: float | None, size: float = 0.5, width: float = 1.0) -> Alternatives:
    """Return alternatives around a pull (None: the declared effect says nothing about it).

    size: the high arm's expected share of the values. width: how far the fan opens from the balanced division, 1 being
    as far as one arm alone.
    """
    if pull is None:
        pulls = WIDE_CENTRE * np.exp(WIDE_STEP * (PLACES - 2))
        weights = np.exp(-0.5 * (np.log(pulls / WIDE_CENTRE) / WIDE_SPREAD) ** 2)
        weights /= weights.sum()
    else:
        centre = min(max(pull, 1e-3), MOST / 2.0)
        step = min(STEP, math.log(MOST / centre) / PLACES[-1])
        pulls = centre * np.exp(step * PLACES)
        weights = np.exp(-0.5 * (step * PLACES / SPREAD) ** 2)
        weights *= (1.0 - LARGER) / weights.sum()
        weights[PLACES > 0] += LARGER / np.count_nonzero(PLACES > 0)
    middle, way = _divided(t, pulls, size), np.array([[-1.0], [-0.5], [0.0], [0.5], [1.0]]) * width
    parts = middle + np.where(way < 0, way * middle, way * (1.0 - middle))
    low, high = (pulls * (1.0 - parts)).ravel(), (pulls * parts).ravel()
    log_weight = np.log(np.outer(DIVISIONS, weights).ravel())
    return Alternatives(low, high, log_weight, cost(t, -low), cost(t, high))


def offset_of(chosen: Alternatives, n_low: Array | float, n_high: Array | float) -> Array:
    """Return each alternative's log weight, less what n values cost it; n: numbers, or arrays that broadcast."""
    return chosen.log_weight - n_low * chosen.low_cost - n_high * chosen.high_cost

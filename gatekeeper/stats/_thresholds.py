"""The least evidence over all thresholds, and how far the high arm may be pulled back until it is not enough.

Between two values of the low arm evidence only falls as the threshold rises, so only those values, and one beyond all,
need a look. The log e-value is convex in the two counts, falls in the low arm's and rises in the high arm's: a stretch
of thresholds has no less than it has for its first low and its last high count, and a tangent is never above it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from gatekeeper.stats._histogram import Histogram

    Array = NDArray[np.float64]
    Places = NDArray[np.int64]
    Counts = tuple[Array, ...]

PIECES = 8
"""Parts into which a stretch that may hold the least is cut."""

_STEPS = np.linspace(-1.0, 1.0, 29)
_FARTHEST = 14.0
"""Stretches end at these parts of the way to the farthest log odds: dense, on a sinh scale, about the null's share."""


class Arm(NamedTuple):
    """Hold an arm's buckets and, before each of them and after the last, how many values lie below."""

    at: Places
    below: Array

    @property
    def n(self) -> float:
        """Return the number of values."""
        return float(self.below[-1])


def arm(histogram: Histogram) -> Arm:
    """Count a histogram's values from below."""
    below = np.zeros(len(histogram["at"]) + 1)
    np.cumsum(histogram["count"], out=below[1:])
    return Arm(histogram["at"], below)


class Lines(NamedTuple):
    """Hold, at some counts of the low arm, how many of the high arm are enough, and how fast that grows.

    Each is a tangent of a concave curve, so that none lies below it anywhere.
    """

    k_low: Array
    needed: Array
    slope: Array

    def at(self, k_low: Array, which: Places) -> Array:
        """Return how many are enough at other counts, by each one's tangent."""
        return np.asarray(self.needed[which] + self.slope[which] * (k_low - self.k_low[which]))


def ends(low: Arm, t: float) -> Places:
    """Return the thresholds, as indices of the low arm's buckets, between which stretches lie; the last is beyond all.

    Dense where about a share t of the low arm lies beyond: there, nearly as dense as that share is uncertain.
    """
    unit = 1.5 / math.sqrt(max(low.n * t * (1.0 - t), 1.0))
    odds = t / (1.0 - t) * np.exp(unit * np.sinh(math.asinh(_FARTHEST / unit) * _STEPS))
    inner = np.searchsorted(low.below, low.n / (1.0 + odds[::-1]))
    places = np.concatenate([[0], np.minimum(inner, len(low.at)), [len(low.at)]])
    return np.asarray(places[np.append(True, places[1:] > places[:-1])])


def beyond(low: Arm, low_at: Places, high: Arm, high_at: Places, places: Places) -> tuple[Array, Array]:
    """Return how many of each arm lie beyond the thresholds; low_at, high_at: where their buckets now stand.

    A threshold is its bucket's upper edge: of the low arm the bucket itself counts, of the high arm only later ones.
    """
    k_low = low.n - low.below[places]
    marks = low_at[np.minimum(places, len(low_at) - 1)] + 1
    k_high = high.n - high.below[np.searchsorted(high_at, marks)]
    return k_low, np.where(places == len(low_at), 0.0, k_high)


def least(log_e: Callable[..., Array], counts: Callable[[Places], Counts], first: Places) -> float:
    """Return the least log e-value over all thresholds from first[0] to first[-1], looking closely where it can be.

    counts: what lies beyond thresholds; the e-value falls in the first of its counts and rises in the others.
    """
    cuts = first[None, :]
    best = math.inf
    while cuts.size:
        beyond = [part.reshape(cuts.shape) for part in counts(cuts.ravel())]
        best = min(best, float(log_e(*(part.ravel() for part in beyond)).min()))
        left, right = cuts[:, :-1], cuts[:, 1:]
        wide = right - left > 1
        bounds = [beyond[0][:, :-1][wide], *(part[:, 1:][wide] for part in beyond[1:])]
        left, right = left[wide], right[wide]
        if len(left):
            open_ones = log_e(*bounds) < best
            left, right = left[open_ones, None], right[open_ones, None]
            cuts = left + (right - left) * np.arange(PIECES + 1) // PIECES
        else:
            cuts = cuts[:0]
    return best


def reach(low: Arm, high: Arm, first: Places, lines: Lines, between: Callable[[Places, Places], Array]) -> float:
    """Return the farthest the low arm may rise with the evidence still enough at all thresholds; -inf if at none.

    between: the distance from buckets of the low arm to buckets of the high arm, at which the latter still lie beyond.
    """

    def farthest(needed: Array, at: Places) -> Array:
        """Return the distance from the low arm's buckets to the last bucket with enough at or beyond it."""
        found = np.searchsorted(high.below, high.n - needed, side="right") - 1
        distance = between(low.at[at], high.at[np.minimum(found, len(high.at) - 1)])
        distance[found < 0] = -math.inf
        distance[found == len(high.at)] = math.inf
        return distance

    if lines.needed[-1] > 0:
        return -math.inf
    starts, stops = first[:-1], first[1:]
    best = float(farthest(lines.needed[:-1], starts).min())
    inner = stops - starts - 1
    open_ones = np.flatnonzero((inner > 0) & (farthest(lines.needed[:-1], stops - 1) < best))
    if not len(open_ones):
        return best
    places = np.concatenate([np.arange(starts[i] + 1, stops[i]) for i in open_ones])
    piece = np.repeat(open_ones, inner[open_ones])
    k_low = low.n - low.below[places]
    needed = np.minimum(lines.at(k_low, piece), lines.at(k_low, piece + 1))
    return min(best, float(farthest(needed, places).min()))

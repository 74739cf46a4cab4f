"""Thresholds of quantile tests: which ones need a look, and how many values lie beyond them.

Between two values of the low arm evidence only falls as the threshold rises, so only those values, and one beyond all,
need a look: a threshold is told by its bucket's index in the low arm, the number of buckets standing for "beyond all".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from gatekeeper.stats._histogram import Histogram

    Array = NDArray[np.float64]
    Places = NDArray[np.int64]
    Shift = Callable[[Places], Places]

_FARTHEST = 14.0
"""Stretches end at parts of the way to these log odds from the null's share: dense, on a sinh scale, about it."""


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


class Claim(NamedTuple):
    """Hold one claim on one stream, "the upper quantile of `high` is at most that of `low`", once the margin is in.

    shift: moves the low arm's buckets by the margin. high_at: where the high arm's buckets now stand. both: of pairs,
    the histogram of those whose two values lie beyond; None of two independent arms.
    """

    low: Arm
    high: Arm
    shift: Shift
    high_at: Places
    both: Arm | None = None


def beyond(claim: Claim, places: Places) -> tuple[Array, ...]:
    """Return how many of the low arm, of the high arm (and of pairs, both) lie beyond the thresholds.

    A threshold is its bucket's upper edge: of the low arm the bucket itself counts, of the high arm only later ones.
    """
    low, high = claim.low, claim.high
    k_low = low.n - low.below[places]
    marks = claim.shift(low.at[np.minimum(places, len(low.at) - 1)])
    inside = places < len(low.at)
    k_high = (high.n - high.below[claim.high_at.searchsorted(marks + 1)]) * inside
    if claim.both is None:
        return k_low, k_high
    return k_low, k_high, (claim.both.n - claim.both.below[claim.both.at.searchsorted(marks)]) * inside


def ends(lows: Sequence[Arm], t: Array, count: int) -> Places:
    """Return for each low arm the thresholds between which stretches lie, ascending; the last is beyond all.

    t: each one's share beyond. Shape (arms, count + 2); some may be equal. Dense where about a share t lies beyond:
    there, nearly as dense as that share is uncertain.
    """
    n = np.array([low.n for low in lows])
    unit = 1.5 / np.sqrt(np.maximum(n * t * (1.0 - t), 1.0))[:, None]
    odds = (t / (1.0 - t))[:, None] * np.exp(
        unit * np.sinh(np.arcsinh(_FARTHEST / unit) * np.linspace(-1.0, 1.0, count))
    )
    goals = n[:, None] / (1.0 + odds[:, ::-1])
    places = np.zeros((len(lows), count + 2), np.int64)
    for row, low, goal in zip(places, lows, goals, strict=True):
        row[1:-1] = low.below.searchsorted(goal)
        row[-1] = len(low.at)
    return np.minimum(places, places[:, -1:])

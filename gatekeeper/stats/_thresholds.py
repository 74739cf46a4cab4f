"""Thresholds of quantile tests: which ones need a look, and how many values lie beyond them.

Between two values of the low arm evidence only falls as the threshold rises, so only those values, and one beyond all,
need a look: a threshold is told by its bucket's index in the low arm, the number of buckets standing for "beyond all".
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gatekeeper.stats import _histogram

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
    """Hold an arm's buckets and, before each of them and after the last, how many values lie below.

    first, last: each bucket's outermost parts, between which its values may lie anywhere.
    """

    first: Places
    last: Places
    below: Array

    @property
    def n(self) -> float:
        """Return the number of values."""
        return float(self.below[-1])


class _Same:
    """Be equal for the same histogram, the object, only."""

    __slots__ = ("histogram",)

    def __init__(self, histogram: Histogram) -> None:
        self.histogram = histogram

    def __hash__(self) -> int:
        return id(self.histogram)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.histogram is self.histogram


def arm(histogram: Histogram) -> Arm:
    """Count a histogram's values from below; what was counted is kept for a while, and the histogram may not change."""
    return _counted(_Same(histogram))


@lru_cache(maxsize=512)
def _counted(same: _Same) -> Arm:
    """Count the values: a look weighs what it has folded, and then draws it."""
    histogram = same.histogram
    below = np.zeros(len(histogram["at"]) + 1)
    np.cumsum(histogram["count"], out=below[1:])
    return Arm(histogram["at"], _histogram.last_parts(histogram), below)


class Claim(NamedTuple):
    """Hold one claim on one stream, "the upper quantile of `high` is at most that of `low`", once the margin is in.

    shift: moves the low arm's buckets by the margin. high_at: where the high arm's buckets now begin. both: of pairs,
    the histogram of those whose two values lie beyond; None of two independent arms.
    """

    low: Arm
    high: Arm
    shift: Shift
    high_at: Places
    both: Arm | None = None


class Laid:
    """Hold parts of many streams one after the other, found again by their numbers.

    flat: the parts' numbers. start: where each part begins. size: how many numbers it has.
    """

    def __init__(self, parts: Sequence[Any]) -> None:
        """Lay the parts out."""
        self.flat = np.concatenate(parts)
        self.size = np.array([len(part) for part in parts])
        self.start = np.cumsum(self.size) - self.size

    def at(self, owner: Places, places: Places) -> NDArray[Any]:
        """Return the numbers at these places of these parts."""
        return np.asarray(self.flat[self.start[owner] + places])

    def up_to(self, owner: Places, wanted: NDArray[Any]) -> Places:
        """Return how many of these parts' numbers, which ascend, are at most the wanted ones; owner, wanted: (n,)."""
        before = self.start[owner] - 1
        found, last = before.copy(), before + self.size[owner]
        for power in range(int(self.size.max()).bit_length() - 1, -1, -1):
            at = found + (1 << power)
            within = at <= last
            np.minimum(at, last, out=at)
            within &= self.flat[at] <= wanted
            found += within * (1 << power)
        return np.asarray(found - before)


class Counts:
    """Count what lies beyond thresholds of many claims at once."""

    def __init__(self, claims: Sequence[Claim]) -> None:
        """Lay out the arms' buckets and counts; the low arms are not empty."""
        self._low = Laid([claim.low.below for claim in claims])
        self._marks = Laid([claim.shift(claim.low.last) for claim in claims])
        highs = [(claim.high_at, claim.high.below) for claim in claims]
        boths = [(claim.both.first, claim.both.below) for claim in claims if claim.both is not None]
        self._others = [tuple(Laid(parts) for parts in zip(*arms, strict=True)) for arms in (highs, boths) if arms]

    def beyond(self, owner: Places, places: Places) -> Array:
        """Return how many of the low arm, of the high arm (and of pairs, both) lie beyond, shape (n, counts).

        A threshold is its bucket's upper edge: of the low arm the bucket itself counts, of the high arm only later
        ones. owner: each threshold's claim; both shape (n,).
        """
        found = np.empty((len(owner), 1 + len(self._others)))
        found[:, 0] = _rest(self._low, owner, places)
        inside = places < self._marks.size[owner]
        marks = self._marks.at(owner, np.minimum(places, self._marks.size[owner] - 1))
        for i, (first, below) in enumerate(self._others):
            found[:, i + 1] = _rest(below, owner, first.up_to(owner, marks - i)) * inside
        return found


def at_quantile(claim: Claim, t: float) -> list[float]:
    """Return what `Counts.beyond` does, for the one threshold beyond which about a share t of the low arm lies."""
    low = claim.low
    place = min(int(low.below.searchsorted((1.0 - t) * low.below[-1])), len(low.last) - 1)
    mark = int(claim.shift(low.last[place]))
    found = [float(low.below[-1] - low.below[place]), _beyond(claim.high_at, claim.high, mark)]
    return found if claim.both is None else [*found, _beyond(claim.both.first, claim.both, mark - 1)]


def _beyond(at: Places, of: Arm, mark: int) -> float:
    """Return how many of an arm's values, whose buckets begin there, lie beyond a mark."""
    return float(of.below[-1] - of.below[at.searchsorted(mark, side="right")])


def _rest(below: Laid, owner: Places, places: Places) -> Array:
    """Return how many values of these arms lie at these places or later."""
    return np.asarray(below.at(owner, below.size[owner] - 1) - below.at(owner, places))


@cache
def _steps(count: int) -> Array:
    """Return so many numbers from -1 to 1."""
    return np.linspace(-1.0, 1.0, count)


def ends(lows: Sequence[Arm], t: Array, count: int) -> Places:
    """Return for each low arm the thresholds between which stretches lie, ascending; the last is beyond all.

    t: each one's share beyond. Shape (arms, count + 2); some may be equal. Dense where about a share t lies beyond:
    there, nearly as dense as that share is uncertain.
    """
    n = np.array([low.n for low in lows])
    unit = 1.5 / np.sqrt(np.maximum(n * t * (1.0 - t), 1.0))[:, None]
    odds = (t / (1.0 - t))[:, None] * np.exp(unit * np.sinh(np.arcsinh(_FARTHEST / unit) * _steps(count)))
    goals = n[:, None] / (1.0 + odds[:, ::-1])
    places = np.zeros((len(lows), count + 2), np.int64)
    for row, low, goal in zip(places, lows, goals, strict=True):
        row[1:-1] = low.below.searchsorted(goal)
        row[-1] = len(low.last)
    return np.minimum(places, places[:, -1:])

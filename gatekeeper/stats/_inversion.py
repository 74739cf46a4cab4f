"""How far the low arm may rise with the evidence still enough at every threshold, for many claims at once.

At a threshold, a count of the high arm is enough once the log e-value reaches its bar; as a function of the low arm's
count that is concave, so that no tangent lies below it. The nearest threshold tells: counts are found roughly at all,
from above, and by Newton's method only where they may be the nearest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gatekeeper.stats import _histogram, _thresholds
from gatekeeper.stats._thresholds import Laid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gatekeeper.stats._alternatives import Alternatives
    from gatekeeper.stats._thresholds import Arm

    Array = NDArray[np.float64]
    Places = NDArray[np.int64]
    Marks = NDArray[np.bool_]

THRESHOLDS = 29
"""Thresholds between which curves are told by their tangents."""

STEPS = 3
"""Newton steps: from above a convex curve's root they never pass it, so that fewer make bounds wider, never wrong."""


class Side(NamedTuple):
    """Hold two arms of which one may rise; relative: by a ratio, told in buckets, else in the metric's unit."""

    low: Arm
    high: Arm
    relative: bool


class Curves:
    """Hold, at thresholds of all sides, how many of the high arm are enough, and how fast that grows.

    Points lie one after the other, ascending by `owner`, their side; at: their thresholds. needed is too large, and
    slope unknown, until `refine` is asked for a point.
    """

    def __init__(self, sides: Sides, places: Places, bets: Alternatives, fixed: Array, bars: Array) -> None:
        """Take thresholds (sides, places), bets and their log weights less what n cost (sides, bets), bars (sides,)."""
        self.bets, self.fixed, self.bars = bets, fixed, bars
        self.owner, self.at = np.repeat(np.arange(len(places)), places.shape[1]), places.ravel()
        self.k_low = sides.low_counts(self.owner, self.at)
        k_low = self.k_low.reshape(places.shape)
        needed, line = np.full(places.shape, np.inf), np.empty(places.shape)
        grows = np.flatnonzero((bets.high > 0).all(axis=0))
        start = (bars[:, None] - fixed[:, grows]) / bets.high[:, grows]
        slope = bets.low[:, grows] / bets.high[:, grows]
        for i in range(len(grows)):
            np.multiply(slope[:, i, None], k_low, out=line)
            line += start[:, i, None]
            np.minimum(needed, line, out=needed)
        self.needed = needed.ravel()
        self.slope = np.zeros(len(self.at))
        self.done = np.zeros(len(self.at), np.bool_)

    def refine(self, wanted: Marks) -> None:
        """Work out these points, shape (points,)."""
        which = np.flatnonzero(wanted & ~self.done)
        owner = self.owner[which]
        low, high = self.bets.low[owner], self.bets.high[owner]
        fixed = self.fixed[owner] - self.k_low[which, None] * low
        needed = self.needed[which]
        for _ in range(STEPS + 1):
            needed = np.maximum(needed, 0.0)
            log_e, grows, falls = _tangents(fixed, needed, low, high)
            needed = needed + (self.bars[owner] - log_e) / grows
        self.needed[which], self.slope[which], self.done[which] = needed, falls / grows, True

    def tangent(self, which: Places, k_low: Array) -> Array:
        """Return how many are enough at other counts of the low arm, by each point's tangent."""
        return np.asarray(self.needed[which] + self.slope[which] * (k_low - self.k_low[which]))


def _tangents(fixed: Array, k_high: Array, low: Array, high: Array) -> tuple[Array, Array, Array]:
    """Return log e-values, and their slopes in the high arm's and (negative) in the low arm's count."""
    terms = fixed + k_high[:, None] * high
    top = terms.max(axis=1)
    terms -= top[:, None]
    np.exp(terms, out=terms)
    total, grows, falls = terms.sum(axis=1), (terms * high).sum(axis=1), (terms * low).sum(axis=1)
    return top + np.log(total), np.maximum(grows / total, 1e-9), falls / total


class Sides:
    """Hold many sides, so that points of all are looked up at once."""

    def __init__(self, sides: Sequence[Side]) -> None:
        """Lay out their arms' buckets and counts, each arm's once."""
        arms = {id(arm): arm for side in sides for arm in (side.low, side.high)}
        place = {key: i for i, key in enumerate(arms)}
        self._low, self._high = (np.array([place[id(arm)] for arm in some]) for some in _arms(sides))
        self._below = Laid([arm.below for arm in arms.values()])
        self._first = Laid([arm.first for arm in arms.values()])
        self._last = Laid([arm.last for arm in arms.values()])
        self._plain = ~np.array([side.relative for side in sides])

    def low_counts(self, owner: Places, at: Places) -> Array:
        """Return how many of the low arm lie beyond thresholds."""
        low = self._low[owner]
        return np.asarray(self._below.at(low, self._below.size[low] - 1) - self._below.at(low, at))

    def farthest(self, owner: Places, at: Places, needed: Array) -> Array:
        """Return how far it is from buckets of the low arm to the last of the high arm's with enough at or beyond it.

        From the low bucket's upper edge to the high one's lower edge; -inf where there is none, inf where none is
        needed.
        """
        arm = self._high[owner]
        count = self._first.size[arm]
        place = self._below.up_to(arm, self._below.at(arm, count) - needed) - 1
        low = self._last.at(self._low[owner], at)
        high = self._first.at(arm, np.clip(place, 0, count - 1))
        distance = (high - low - 1).astype(np.float64)
        plain = self._plain[owner]
        if plain.any():
            distance[plain] = np.exp(high[plain] * _histogram.WIDTH) - np.exp((low[plain] + 1) * _histogram.WIDTH)
        distance[place < 0] = -np.inf
        distance[place == count] = np.inf
        return np.asarray(distance)


def _arms(sides: Sequence[Side]) -> tuple[list[Arm], list[Arm]]:
    """Return the low and the high arms."""
    return [side.low for side in sides], [side.high for side in sides]


def reach(sides: Sequence[Side], t: Array, bets: Alternatives, fixed: Array, bars: Array) -> Array:
    """Return the farthest each low arm may rise with the evidence still enough at all thresholds; -inf if at none.

    t: each low arm's share beyond the quantile; bets, fixed and bars: see `Curves`. No arm is empty.
    """
    places = _thresholds.ends([side.low for side in sides], t, THRESHOLDS)
    arms = Sides(sides)
    curves = Curves(arms, places, bets, fixed, bars)
    width = places.shape[1]
    last = np.arange(1, len(sides) + 1) * width - 1
    real = np.flatnonzero(curves.at < np.repeat(places[:, -1], width))

    def distances(which: Places, at: Places | None = None) -> Array:
        """Return the farthest at these points, or at other thresholds with what is enough there."""
        return arms.farthest(curves.owner[which], curves.at[which] if at is None else at, curves.needed[which])

    rough = np.full(places.size, np.inf)
    rough[real] = distances(real)
    nearest = np.arange(len(sides)) * width + rough.reshape(places.shape).argmin(axis=1)
    wanted = np.zeros(places.size, np.bool_)
    wanted[nearest] = wanted[last] = True
    curves.refine(wanted)
    best = distances(nearest)
    curves.refine(rough < best[curves.owner])
    done = real[curves.done[real]]
    np.minimum.at(best, curves.owner[done], distances(done))

    starts = np.flatnonzero(np.diff(places, append=0).ravel() > 1)
    starts = starts[distances(starts, curves.at[starts + 1] - 1) < best[curves.owner[starts]]]
    wanted[:] = False
    wanted[starts] = wanted[starts + 1] = True
    curves.refine(wanted)
    starts = starts[distances(starts, curves.at[starts + 1] - 1) < best[curves.owner[starts]]]
    inner = curves.at[starts + 1] - curves.at[starts] - 1
    piece, owner = np.repeat(starts, inner), np.repeat(curves.owner[starts], inner)
    at = np.arange(len(piece)) + np.repeat(curves.at[starts] + 1 - np.cumsum(inner) + inner, inner)
    k_low = arms.low_counts(owner, at)
    needed = np.minimum(curves.tangent(piece, k_low), curves.tangent(piece + 1, k_low))
    np.minimum.at(best, owner, arms.farthest(owner, at, needed))
    best[curves.needed[last] > 0] = -np.inf
    return best

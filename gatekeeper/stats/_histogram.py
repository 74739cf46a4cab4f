"""Log histograms: buckets 0.1 % wide, sparse, merged exactly and in any order.

One that has grown large keeps such buckets about the quantile that is asked for and joins the others by eights: its
size then no longer grows. A test rounds every bucket against the claim, so that wide ones cost evidence, never
exactness; and where they are, the evidence is not the least.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gatekeeper.stats import Question

WIDTH = 0.001
"""A bucket i holds the values from exp(i * WIDTH) up to exp((i + 1) * WIDTH)."""

LEAST = 1e-6
"""Smaller values, zero with them, count as this."""

MOST = 2048
"""Buckets from which on a histogram is narrowed."""

JOINED = 8
"""Narrow buckets in a wide one; wide ones begin at multiples of it."""

SPAN = 1 << 40
"""How far the buckets of histograms that are added together lie apart: farther than any value."""

FEW = 8
"""Histograms up to which adding them one by one is quicker."""

EVERYWHERE = (-SPAN, SPAN)

KEPT = 1.1
"""Narrow buckets are kept up to this distance from the quantile, in log odds of the share beyond: from a third of its
odds to three times."""

Histogram = dict[str, Any]
"""Ascending buckets `at` and how many values each holds, `count`; counts are sums of weights.

Once narrowed also `fine`: the first narrow bucket and the first wide one after; wide ones are told by their first part.
"""


def empty() -> Histogram:
    """Return a histogram of nothing."""
    return {"at": np.zeros(0, np.int64), "count": np.zeros(0)}


def buckets(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return each value's bucket."""
    return np.asarray(np.floor(np.log(np.maximum(values, LEAST)) / WIDTH), np.int64)


def of(values: NDArray[np.float64], weights: NDArray[np.float64]) -> Histogram:
    """Return the histogram of values, each counted by its weight."""
    return counted(buckets(values), weights)


def counted(places: NDArray[np.int64], weights: NDArray[np.float64]) -> Histogram:
    """Return the histogram of values given by their buckets."""
    at, inverse = np.unique(places, return_inverse=True)
    return {"at": at, "count": np.bincount(inverse, weights=weights, minlength=len(at))}


def kept_small(histogram: Histogram, share: float) -> Histogram:
    """Return a histogram narrowed about the quantile `share` once it is large."""
    if len(histogram["at"]) <= MOST or "fine" in histogram:
        return histogram
    return narrowed(histogram, about(histogram, share))


def narrowed(histogram: Histogram, fine: NDArray[np.int64] | None) -> Histogram:
    """Return a histogram with its buckets outside of `fine` joined; as it is where `fine` is None."""
    if fine is None:
        return histogram
    at, count = histogram["at"], histogram["count"]
    inside = _between(at, fine)
    wide = at - at % JOINED
    wide[inside] = at[inside]
    first = np.flatnonzero(np.diff(wide, prepend=wide[0] - 1)) if len(wide) else np.zeros(0, np.int64)
    return {"at": wide[first], "count": np.add.reduceat(count, first) if len(first) else count, "fine": fine}


def about(histogram: Histogram, share: float) -> NDArray[np.int64] | None:
    """Return where narrow buckets are worth keeping for the quantile `share`; None while the histogram is small."""
    if "fine" in histogram or len(histogram["at"]) <= MOST:
        return None
    total = np.cumsum(histogram["count"])
    odds = share / (1.0 - share) * np.exp([-KEPT, KEPT])
    low, high = histogram["at"][np.minimum(total.searchsorted(odds / (1.0 + odds) * total[-1]), len(total) - 1)]
    return np.array([low - low % JOINED, high - high % JOINED + JOINED])


def _between(at: NDArray[np.int64], fine: NDArray[np.int64]) -> slice:
    """Return where the narrow buckets stand."""
    first, end = at.searchsorted(fine)
    return slice(int(first), int(end))


def last_parts(histogram: Histogram) -> NDArray[np.int64]:
    """Return each bucket's last narrow part, which is itself for a narrow one."""
    at: NDArray[np.int64] = histogram["at"]
    if "fine" not in histogram:
        return at
    last = at + (JOINED - 1)
    inside = _between(at, histogram["fine"])
    last[inside] = at[inside]
    return last


def add(histograms: Sequence[Histogram], more: Sequence[Histogram]) -> list[Histogram]:
    """Return each histogram together with what is new, narrowed as it was; all are added in one go.

    more: of narrow buckets. Cheap where it brings few new buckets.
    """
    if len(histograms) <= FEW:
        return [_with(one, new) for one, new in zip(histograms, more, strict=True)]
    fine = np.array([one.get("fine", EVERYWHERE) for one in histograms])
    owner, new = _laid([one["at"] for one in more])
    narrow = (new >= fine[owner, 0]) & (new < fine[owner, 1])
    keys = owner * SPAN + np.where(narrow, new, new - new % JOINED)
    counts = np.concatenate([one["count"] for one in more])
    first = np.flatnonzero(np.diff(keys, prepend=-SPAN))
    counts = np.add.reduceat(counts, first) if len(first) < len(keys) else counts
    owner, at = _laid([one["at"] for one in histograms])
    count = np.concatenate([one["count"] for one in histograms])
    at, count = _added(owner * SPAN + at, count, keys[first], counts)
    cuts = at.searchsorted(np.arange(len(histograms) + 1) * SPAN - SPAN // 2).tolist()
    return [
        {**one, "at": at[start:end] - i * SPAN, "count": count[start:end]}
        for i, (one, (start, end)) in enumerate(zip(histograms, pairwise(cuts), strict=True))
    ]


def _with(histogram: Histogram, more: Histogram) -> Histogram:
    """Return one histogram together with what is new."""
    new, counts = more["at"], more["count"]
    if "fine" in histogram:
        wide = new - new % JOINED
        inside = _between(new, histogram["fine"])
        wide[inside] = new[inside]
        first = np.flatnonzero(np.diff(wide, prepend=wide[:1] - 1))
        new, counts = wide[first], np.add.reduceat(counts, first) if len(first) < len(wide) else counts
    at, count = _added(histogram["at"], histogram["count"], new, counts)
    return {**histogram, "at": at, "count": count}


def _laid(parts: Sequence[NDArray[np.int64]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return parts one after the other, and each number's part."""
    return np.repeat(np.arange(len(parts)), [len(part) for part in parts]), np.concatenate(parts)


def _added(
    at: NDArray[np.int64], count: NDArray[np.float64], new: NDArray[np.int64], more: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return buckets, ascending, and counts with new ones added."""
    place = at.searchsorted(new)
    known = at.take(place, mode="clip") == new if len(at) else np.zeros(len(new), np.bool_)
    if known.all():
        count = count.copy()
        count[place] += more
        return at, count
    # each new bucket moves what stands at its place, and all later, one further
    place += np.cumsum(~known) - ~known
    old = np.ones(len(at) + len(new) - int(known.sum()), np.bool_)
    old[place[~known]] = False
    merged, total = np.empty(len(old), np.int64), np.zeros(len(old))
    merged[old], total[old] = at, count
    merged[place] = new
    total[place] += more
    return merged, total


def shifted(question: Question, at: NDArray[np.int64], level: float, *, up: bool) -> NDArray[np.int64]:
    """Return the buckets in which a baseline that is worse by `level` is compared with the candidate's buckets.

    A value beyond a threshold is one in a later bucket. up: rounded so that the baseline never looks smaller than it
    is, nor the candidate larger; else the reverse.
    """
    if question.relative:
        move = math.log1p(level) / WIDTH
        return np.asarray(at + (math.ceil(move) if up else math.floor(move)))
    edge = np.exp((at + 1 if up else at) * WIDTH) + level
    place = np.log(np.maximum(edge, LEAST)) / WIDTH
    return np.asarray(np.ceil(place) - 1 if up else np.floor(place)).astype(np.int64)


def quantile(histogram: Histogram, share: float) -> float | None:
    """Return the value at `share` (its bucket's middle); None of nothing."""
    return quantile_of(histogram["at"], last_parts(histogram), np.cumsum(histogram["count"]), share)


def quantile_of(
    first: NDArray[np.int64], last: NDArray[np.int64], total: NDArray[np.float64], share: float
) -> float | None:
    """Return the value at `share`; first, last: each bucket's parts, total: how many values lie in it or before it."""
    if not len(first):
        return None
    place = min(int(total.searchsorted(share * total[-1] - 1e-9)), len(first) - 1)
    middle = math.exp(0.5 * (float(first[place]) + float(last[place]) + 1.0) * WIDTH)
    return middle if middle > 2 * LEAST else 0.0

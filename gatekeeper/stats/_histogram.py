"""Log histograms: buckets 0.1 % wide, sparse, merged exactly and in any order."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gatekeeper.stats import Question

WIDTH = 0.001
"""A bucket i holds the values from exp(i * WIDTH) up to exp((i + 1) * WIDTH)."""

LEAST = 1e-6
"""Smaller values, zero with them, count as this."""

Histogram = dict[str, Any]
"""Ascending buckets `at` and how many values each holds, `count`; counts are sums of weights."""


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


def add(histogram: Histogram, more: Histogram) -> Histogram:
    """Return both histograms together; cheap where `more` brings few new buckets."""
    at, count, new = histogram["at"], histogram["count"], more["at"]
    place = at.searchsorted(new)
    known = place < len(at)
    known[known] = at[place[known]] == new[known]
    if known.all():
        count = count.copy()
        count[place] += more["count"]
        return {"at": at, "count": count}
    # each new bucket moves what stands at its place, and all later, one further
    place += np.cumsum(~known) - ~known
    old = np.ones(len(at) + len(new) - int(known.sum()), np.bool_)
    old[place[~known]] = False
    merged, total = np.empty(len(old), np.int64), np.zeros(len(old))
    merged[old], total[old] = at, count
    merged[place] = new
    total[place] += more["count"]
    return {"at": merged, "count": total}


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
    return quantile_of(histogram["at"], np.cumsum(histogram["count"]), share)


def quantile_of(at: NDArray[np.int64], total: NDArray[np.float64], share: float) -> float | None:
    """Return the value at `share`; total: how many values lie in each bucket or before it."""
    if not len(at):
        return None
    place = int(np.searchsorted(total, share * total[-1] - 1e-9))
    middle = math.exp((float(at[min(place, len(at) - 1)]) + 0.5) * WIDTH)
    return middle if middle > 2 * LEAST else 0.0

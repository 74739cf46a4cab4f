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
"""Ascending buckets `at` and how many values each holds, `count`; both integer arrays."""


def empty() -> Histogram:
    """Return a histogram of nothing."""
    return {"at": np.zeros(0, np.int64), "count": np.zeros(0, np.int64)}


def buckets(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return each value's bucket."""
    return np.asarray(np.floor(np.log(np.maximum(values, LEAST)) / WIDTH), np.int64)


def add(histogram: Histogram, at: NDArray[np.int64]) -> Histogram:
    """Return the histogram with more values, given by their buckets."""
    fresh, count = np.unique(at, return_counts=True)
    merged, inverse = np.unique(np.concatenate([histogram["at"], fresh]), return_inverse=True)
    total = np.zeros(len(merged), np.int64)
    np.add.at(total, inverse, np.concatenate([histogram["count"], count]))
    return {"at": merged, "count": total}


def shifted(question: Question, at: NDArray[np.int64], level: float, *, up: bool) -> NDArray[np.int64]:
    """Return the buckets in which a baseline that is worse by `level` is compared with the candidate's buckets.

    up: rounded so that the baseline never looks smaller than it is, nor the candidate larger; else the reverse.
    """
    if question.relative:
        move = math.log1p(level) / WIDTH
        return np.asarray(at + (math.ceil(move) + 1 if up else math.floor(move) - 1))
    edge = np.exp((at + 1 if up else at) * WIDTH) + level
    place = np.log(np.maximum(edge, LEAST)) / WIDTH
    return np.asarray(np.ceil(place) if up else np.floor(place) - 1).astype(np.int64)


def quantile(histogram: Histogram, share: float) -> float | None:
    """Return the value at `share` (its bucket's middle); None of nothing."""
    total = np.cumsum(histogram["count"])
    if not len(total):
        return None
    place = int(np.searchsorted(total, share * total[-1] - 1e-9))
    middle = math.exp((float(histogram["at"][min(place, len(total) - 1)]) + 0.5) * WIDTH)
    return middle if middle > 2 * LEAST else 0.0


def at_least(histogram: Histogram, marks: NDArray[np.int64], at: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many values lie at or above each mark, where the histogram's buckets now stand at `at`."""
    below = np.concatenate([[0], np.cumsum(histogram["count"])])
    return np.asarray(below[-1] - below[np.searchsorted(at, marks, side="left")])

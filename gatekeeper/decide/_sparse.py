"""Counts by group and bucket, sparse, from one pass over the rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence


DENSE = 4
"""Places that may be counted for each row before sorting the rows is quicker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """Hold the groups' histograms one after the other: group g lies from start[g] to start[g + 1]."""

    start: NDArray[np.int64]
    at: NDArray[np.int64]
    count: NDArray[np.float64]


def count(code: NDArray[np.int64], size: int, buckets: NDArray[np.int64], weight: NDArray[np.float64] | None) -> Groups:
    """Count rows (or their weights) by group and bucket; code: each row's group, below `size`."""
    if not len(code):
        return Groups(start=np.zeros(size + 1, np.int64), at=np.zeros(0, np.int64), count=np.zeros(0))
    low = int(buckets.min())
    span = int(buckets.max()) - low + 1
    place = code * span
    place += buckets
    place -= low
    if size * span <= DENSE * len(code):
        dense = np.bincount(place, weights=weight, minlength=size * span)
        used = np.flatnonzero(dense)
        counts = dense[used].astype(np.float64)
    elif weight is None:
        place.sort()
        first = np.flatnonzero(np.diff(place, prepend=-1))
        used, counts = place[first], np.diff(first, append=len(place)).astype(np.float64)
    else:
        used, inverse = np.unique(place, return_inverse=True)
        counts = np.bincount(inverse, weights=weight, minlength=len(used)).astype(np.float64)
    start = np.searchsorted(used, np.arange(size + 1) * span)
    return Groups(start=start, at=used % span + low, count=counts)


def merged(groups: Groups, chosen: Sequence[int] | NDArray[np.int64]) -> dict[str, Any]:
    """Return the chosen groups' histogram, as `stats._histogram` has it."""
    if len(chosen) == 1:
        part = slice(groups.start[chosen[0]], groups.start[chosen[0] + 1])
        return {"at": groups.at[part], "count": groups.count[part]}
    parts = [slice(groups.start[g], groups.start[g + 1]) for g in chosen]
    at = np.concatenate([groups.at[part] for part in parts]) if parts else np.zeros(0, np.int64)
    counts = np.concatenate([groups.count[part] for part in parts]) if parts else np.zeros(0)
    used, inverse = np.unique(at, return_inverse=True)
    return {"at": used, "count": np.bincount(inverse, weights=counts, minlength=len(used))}

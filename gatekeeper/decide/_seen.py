"""Which units (users, conversations) have been counted: a set of fixed size, at hashed places.

A unit at a place that another took before it counts as known and is left out: its place does not depend on what it
answered, so that this costs evidence (a tenth at 100,000 units) and never makes a wrong decision likelier.
"""

from __future__ import annotations

import base64
import zlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

BITS = 20
"""Binary logarithm of how many places there are."""

SPREAD = np.uint64(0x9E3779B97F4A7C15)
"""2^64 over the golden ratio: multiplication by it spreads codes over the upper bits (Fibonacci hashing)."""


def places(clusters: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return each cluster's place."""
    return ((clusters.astype(np.uint64) * SPREAD) >> np.uint64(64 - BITS)).astype(np.int64)


def known(seen: NDArray[np.uint8] | None, clusters: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell which rows belong to a unit that was counted before; rows without a cluster (-1) never do."""
    if seen is None:
        return np.zeros(len(clusters), np.bool_)
    at = places(clusters)
    bits = (seen[at >> 3] >> (7 - (at & 7)).astype(np.uint8)) & 1
    return np.asarray((bits != 0) & (clusters >= 0))


def noted(seen: NDArray[np.uint8] | None, clusters: NDArray[np.int64]) -> NDArray[np.uint8] | None:
    """Return the set with these rows' units; None while no row had one."""
    named = clusters[clusters >= 0]
    if not len(named):
        return seen
    bits = np.zeros(1 << BITS, np.uint8) if seen is None else np.unpackbits(seen)
    bits[places(named)] = 1
    return np.packbits(bits)


def to_text(seen: NDArray[np.uint8] | None) -> str | None:
    """Write the set as text; it grows with the units, up to 180 KB."""
    return None if seen is None else base64.b64encode(zlib.compress(seen.tobytes(), 1)).decode()


def from_text(text: str | None) -> NDArray[np.uint8] | None:
    """Read what `to_text` wrote."""
    return None if text is None else np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8)

"""Samples that were recorded twice: a request_id that comes again in the same arm."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_REMEMBERED = 1 << 20
"""Ids of earlier rows among which repeats are looked for, the newest; all rows that come together are, besides."""

PLACES_PER_KEY, MOST_BITS = 8, 24
"""Size of the table in which repeats are looked for: about one key in ten shares its place with another."""

_BIGGEST = np.int64((1 << 63) - 1)


class Repeats:
    """Remember the newest ids, and count the repeats among them."""

    def __init__(self) -> None:
        self.count = 0
        self._batches: list[NDArray[np.int64]] = []
        self._known: NDArray[np.int64] = np.zeros(0, np.int64)

    def first(self, requests: NDArray[np.int64], arm: NDArray[np.int8], *, last: bool) -> NDArray[np.bool_] | None:
        """Tell which rows, in the order of the file, repeat no earlier row; None when none of them does.

        requests: ids' codes, -1 for none, which is never a repeat. last: nothing will be asked after this.
        """
        rows = np.flatnonzero(requests >= 0)
        if not len(rows):
            return None
        keys = requests << 2
        keys |= arm
        keys &= _BIGGEST
        keys = keys if len(rows) == len(keys) else keys[rows]
        if last and not len(self._known) and _distinct(keys):
            return None
        ordered = np.sort(keys)
        within = bool((ordered[1:] == ordered[:-1]).any())
        before = _among(self._known, ordered) if len(self._known) else np.zeros(0, np.bool_)
        if not last:
            self._remember(ordered)
        if not within and not before.any():
            return None
        fresh = np.ones(len(requests), np.bool_)
        order = np.argsort(keys, kind="stable")
        again = np.zeros(len(keys), np.bool_)
        again[order[1:]] = ordered[1:] == ordered[:-1]
        if len(before):
            again[order] |= before
        fresh[rows] = ~again
        self.count += int(again.sum())
        return fresh

    def _remember(self, ordered: NDArray[np.int64]) -> None:
        """Add ids, and forget the oldest that are too many."""
        self._batches.append(ordered)
        while sum(map(len, self._batches[1:])) >= MOST_REMEMBERED:
            del self._batches[0]
        self._known = np.sort(np.concatenate(self._batches), kind="stable")


def _distinct(keys: NDArray[np.int64]) -> bool:
    """Tell whether no key comes twice, without sorting them all.

    Each key's row is written to the key's place in a table: only rows that share a place with another can be repeats.
    """
    places = 1 << min((PLACES_PER_KEY * len(keys)).bit_length(), MOST_BITS)
    place = (keys >> 2) & (places - 1)
    rows = np.arange(len(keys), dtype=np.int32)
    table = np.empty(places, np.int32)
    table[place] = rows
    newest = table[place]
    lost = np.flatnonzero(newest != rows)
    shared = np.zeros(len(keys), np.bool_)
    shared[lost] = shared[newest[lost]] = True
    ordered = np.sort(keys[shared])
    return not bool((ordered[1:] == ordered[:-1]).any())


def _among(known: NDArray[np.int64], asked: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell which of the asked are known; both ascend."""
    at = np.minimum(np.searchsorted(known, asked), len(known) - 1)
    return np.asarray(known[at] == asked)

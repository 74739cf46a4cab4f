"""Counts of one look by cell and window, each form from one pass over the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gatekeeper.decide._entries import Entries, Floats
    from gatekeeper.decide._look import Codes


FEW = 1 << 13
"""Entries up to which a look costs its calls, not its rows."""


def windows(entries: Entries, codes: Codes) -> Floats:
    """Return counts (cells, windows, 4) as [n_a, x_a, n_b, x_b]; x: the sum of values."""
    timed, shape = codes.timed, codes.shape[:2]
    if entries.look.paired:
        if entries.rate:
            neither, b_alone, a_alone, both = np.moveaxis(tables(entries, codes), 2, 0)
            n = neither + b_alone + a_alone + both
            return np.stack([n, a_alone + both, n, b_alone + both], axis=2)
        n = entries.total(timed, shape)
        x_a, x_b = (entries.total(timed, shape, entries.filled(values[0])) for values in entries.values)
        return np.stack([n, x_a, n, x_b], axis=2)
    values = entries.values[0][0]
    if entries.rate and entries.weight is None:
        yes_and_no = _of_all if entries.look.size <= FEW else _of_the_rarer
        return yes_and_no(entries, codes, values > 0)
    n = entries.total(timed, (*shape, 2))
    x = entries.total(timed, (*shape, 2), entries.filled(values))
    return np.stack([n, x], axis=3).reshape(*shape, 4)


def _of_all(entries: Entries, codes: Codes, yes: NDArray[np.bool_]) -> Floats:
    """Return counts (cells, windows, 4) of requests in one go."""
    code = 2 * entries.picked(codes.timed)
    code += entries.picked(yes)
    cells, windows, sides = codes.shape
    counts = np.bincount(code, minlength=2 * cells * windows * sides).astype(np.float64).reshape(cells, windows, 4)
    counts[..., ::2] += counts[..., 1::2]
    return counts


def _of_the_rarer(entries: Entries, codes: Codes, yes: NDArray[np.bool_]) -> Floats:
    """Return the same, going only through requests with the rarer answer, beside counts that metrics share."""
    n = entries.counted(codes)
    yes &= entries.usable
    if 2 * np.count_nonzero(yes) > n.sum():
        x = n - codes.counted(np.flatnonzero(entries.usable > yes))
    else:
        x = codes.counted(np.flatnonzero(yes))
    return np.stack([n, x], axis=3).reshape(*n.shape[:2], 4).astype(np.float64)


def tables(entries: Entries, codes: Codes) -> Floats:
    """Return counts (cells, windows, 4) of pairs as [neither, candidate alone, baseline alone, both] yes."""
    a, b = (values[0] for values in entries.values)
    answer = 2 * (a != 0).astype(np.int8) + (b != 0)
    timed, shape = codes.timed, codes.shape[:2]
    if entries.weight is not None:
        return entries.total(timed * 4 + answer, (*shape, 4))
    code = timed * 5 + (answer if entries.whole else np.where(entries.usable, answer, np.int8(4)))
    counts = np.bincount(code, minlength=5 * shape[0] * shape[1]).reshape(*shape, 5)
    return counts[..., :4].astype(np.float64)

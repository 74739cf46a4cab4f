"""Counts of one look by cell and window, each form from one pass over the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from gatekeeper.decide._entries import Entries, Floats, Ints
    from gatekeeper.decide._strata import View


def windows(entries: Entries, view: View, timed: Ints) -> Floats:
    """Return counts (cells, windows, 4) as [n_a, x_a, n_b, x_b]; x: the sum of values.

    timed: code of (cell, window), and of the side where entries are not pairs.
    """
    shape = (view.size, entries.look.windows)
    if entries.look.paired:
        if entries.rate:
            neither, b_alone, a_alone, both = np.moveaxis(tables(entries, view, timed), 2, 0)
            n = neither + b_alone + a_alone + both
            return np.stack([n, a_alone + both, n, b_alone + both], axis=2)
        n = entries.total(timed, shape)
        x_a, x_b = (entries.total(timed, shape, entries.filled(values[0])) for values in entries.values)
        return np.stack([n, x_a, n, x_b], axis=2)
    values = entries.values[0][0]
    if entries.rate and entries.weight is None:
        code = 2 * entries.picked(timed)
        code += entries.picked(values) > 0
        counts = np.bincount(code, minlength=4 * shape[0] * shape[1]).astype(np.float64).reshape(*shape, 4)
        counts[..., ::2] += counts[..., 1::2]
        return counts
    n = entries.total(timed, (*shape, 2))
    x = entries.total(timed, (*shape, 2), entries.filled(values))
    return np.stack([n, x], axis=3).reshape(*shape, 4)


def tables(entries: Entries, view: View, timed: Ints) -> Floats:
    """Return counts (cells, windows, 4) of pairs as [neither, candidate alone, baseline alone, both] yes."""
    a, b = (values[0] for values in entries.values)
    answer = 2 * (a != 0).astype(np.int8) + (b != 0)
    shape = (view.size, entries.look.windows)
    if entries.weight is not None:
        return entries.total(timed * 4 + answer, (*shape, 4))
    code = timed * 5 + (answer if entries.whole else np.where(entries.usable, answer, np.int8(4)))
    counts = np.bincount(code, minlength=5 * shape[0] * shape[1]).reshape(*shape, 5)
    return counts[..., :4].astype(np.float64)

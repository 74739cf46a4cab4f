"""Sums and sums of products of one look by cell, from one pass over the rows for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from gatekeeper.decide._entries import Entries, Floats
    from gatekeeper.decide._look import Codes


def sums(entries: Entries, codes: Codes) -> tuple[Floats, Floats, Floats]:
    """Return n (cells, 2), sums (cells, 4) and products (cells, 4, 4); columns as `stats.Batch.sums` has them.

    A plain number's denominator is 1.
    """
    cells, _, arms = codes.shape
    shape = (cells, arms)
    columns = [entries.filled(column) for values in entries.values for column in values]
    own = len(entries.values[0])
    places = [place + 2 * arm for arm in range(len(entries.values)) for place in range(own)]
    whole = entries.weight is None
    n = (entries.counted(codes).sum(axis=1) if whole else entries.total(codes.plain, shape)) * np.ones(2)
    total, product = np.zeros((cells, 4)), np.zeros((cells, 4, 4))

    def by_arm(column: Floats) -> list[tuple[int, Floats]]:
        """Return where each arm's columns begin beyond `places`, and its sums."""
        found = entries.total(codes.plain, shape, column)
        return [(2 * arm, found[:, arm]) for arm in range(arms)]

    for k, (i, column) in enumerate(zip(places, columns, strict=True)):
        for shift, found in by_arm(column):
            total[:, i + shift] = found
        for j, other in zip(places[k:], columns[k:], strict=True):
            for shift, found in by_arm(column * other):
                product[:, i + shift, j + shift] = product[:, j + shift, i + shift] = found
    if own == 1:
        _with_ones(n, total, product, paired=arms == 1)
    return n, total, product


def _with_ones(n: Floats, total: Floats, product: Floats, *, paired: bool) -> None:
    """Fill in what a denominator of 1 gives, in place."""
    total[:, 1::2] = n
    for arm in (0, 1):
        one = 2 * arm + 1
        product[:, one, one] = n[:, arm]
        for column in range(0, 4, 2) if paired else (2 * arm,):
            product[:, one, column] = product[:, column, one] = total[:, column]
    if paired:
        product[:, 1, 3] = product[:, 3, 1] = n[:, 0]

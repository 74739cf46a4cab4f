"""One metric's values in one look: which entries it applies to, and what each counts for."""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from gatekeeper.model.metric import MetricKind

if TYPE_CHECKING:
    from gatekeeper.decide._look import Codes, Look
    from gatekeeper.decide.columns import Columns
    from gatekeeper.model.metric import MetricSpec

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Kind = TypeVar("Kind", bound=np.generic)


class Entries:
    """Hold a metric's columns by arm (of pairs) or for both arms, and the entries to which it applies.

    values: for each of the look's row arrays the metric's columns. whole: it applies to every entry. rate: its values
    are 0 and 1.
    """

    def __init__(self, look: Look, columns: Columns, spec: MetricSpec) -> None:
        """Pick the usable entries: nothing missing, and no failure (but for the error rate); of a pair both."""
        self.look = look
        self.rate = spec.kind is MetricKind.RATE
        self.values = [[columns.values[name][rows] for name in spec.columns] for rows in look.rows]
        missing = np.zeros(look.size, np.bool_)
        for rows, values in zip(look.rows, self.values, strict=True):
            for column in values:
                missing |= np.isnan(column)
            if not spec.on_errors:
                missing |= columns.errored[rows]
        self.whole = not missing.any()
        self.usable = ~missing

    @cached_property
    def present(self) -> list[NDArray[np.bool_]]:
        """Tell for each view which of its segments have a usable entry."""
        return [
            view.members @ self.counted(codes).sum(axis=(1, 2)) > 0
            for view, codes in zip(self.look.views, self.look.codes, strict=True)
        ]

    @cached_property
    def left_out(self) -> Ints:
        """Return the entries that are not usable."""
        return np.flatnonzero(~self.usable)

    def counted(self, codes: Codes) -> Ints:
        """Return how many usable entries there are of each (cell, window, side)."""
        return codes.counts if self.whole else codes.counts - codes.counted(self.left_out)

    @cached_property
    def weight(self) -> Floats | None:
        """Return each entry's part of its unit, 0 where it is not usable; None where every entry is a unit."""
        return self.look.weight(None if self.whole else self.usable)

    def filled(self, column: Floats) -> Floats:
        """Return a column with 0 where the entry is not usable."""
        return column if self.whole else np.where(self.usable, column, 0.0)

    def picked(self, of_entries: NDArray[Kind]) -> NDArray[Kind]:
        """Return the usable entries' part of an array."""
        return of_entries if self.whole else of_entries[self.usable]

    def total(self, code: Ints, shape: tuple[int, ...], values: Floats | None = None) -> Floats:
        """Sum weights, or weighted values, by code; values: filled."""
        weight = self.weight
        if weight is None and not self.whole:
            weight = self.usable.astype(np.float64)
        if values is not None:
            weight = values if weight is None else values * weight
        return np.bincount(code, weights=weight, minlength=math.prod(shape)).reshape(shape).astype(np.float64)

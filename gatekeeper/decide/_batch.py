"""What a test is given of one look: a `stats.Batch` of all traffic, or of a segment, on counts that labels share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gatekeeper.decide import _sparse

if TYPE_CHECKING:
    from gatekeeper.decide._entries import Floats, Ints
    from gatekeeper.decide._gather import Gather


class Part:
    """Give the data of one segment: the sum over its cells."""

    def __init__(self, of: Gather, view: int, place: int) -> None:
        """Take a view's segment by its place."""
        self._of = of
        self._view = view
        self._place = place

    def _cells(self) -> Ints:
        """Return the segment's cells."""
        return self._of.look.views[self._view].cells[self._place]

    def windows(self, past: float) -> Floats:
        """Return counts (windows, 1, 4); the windows are those of all traffic, whatever the stream's past."""
        del past
        return np.asarray(self._of.segment_windows[self._view][self._place][:, None])

    def tables(self, past: float) -> Floats:
        """Return counts (windows, 4) of pairs."""
        del past
        return np.asarray(self._of.segment_tables[self._view][self._place])

    def sums(self) -> tuple[Floats, Floats, Floats]:
        """Return sums over one stratum."""
        n, total, product = (form[self._place][None] for form in self._of.segment_sums[self._view])
        return n, total, product

    def histograms(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return both arms' log histograms."""
        groups = self._of.histograms[self._view]
        cells = self._cells()
        if self._of.look.paired:
            return _sparse.merged(groups[0], cells), _sparse.merged(groups[1], cells)
        return _sparse.merged(groups[0], 2 * cells), _sparse.merged(groups[0], 2 * cells + 1)

    def values(self) -> tuple[Floats, Floats, Floats, Floats]:
        """Return plain values of both arms, and their weights."""
        entries, side = self._of.entries, self._of.look.side
        kept = self._kept()
        at = (kept, kept) if side is None else (kept[side[kept] == 0], kept[side[kept] == 1])
        a, b = (values[0][rows] for values, rows in zip(entries.values * (2 // len(entries.values)), at, strict=True))
        if entries.weight is None:
            return a, b, np.ones(len(a)), np.ones(len(b))
        return a, b, entries.weight[at[0]], entries.weight[at[1]]

    def _kept(self) -> Ints:
        """Return the segment's usable entries in time order."""
        order, start = self._of.by_cell[self._view]
        parts = [order[start[cell] : start[cell + 1]] for cell in self._cells().tolist()]
        return parts[0] if len(parts) == 1 else np.sort(np.concatenate(parts))


class Whole(Part):
    """Give the data of all traffic, by stratum; histograms without the entries that are left out."""

    def __init__(self, of: Gather, left_out: Ints | None = None) -> None:
        """Take all cells; left_out: places among the usable entries."""
        super().__init__(of, 0, -1)
        self._left_out = left_out

    def _cells(self) -> Ints:
        return np.arange(self._of.look.views[0].size)

    def windows(self, past: float) -> Floats:
        """Return counts (windows, strata, 4)."""
        del past
        return self._of.windows_by_stratum

    def tables(self, past: float) -> Floats:
        """Return counts (windows, 4) of pairs."""
        del past
        return np.asarray(self._of.tables[0].sum(axis=0))

    def sums(self) -> tuple[Floats, Floats, Floats]:
        """Return sums by stratum."""
        return self._of.sums_by_stratum

    def _kept(self) -> Ints:
        return np.flatnonzero(self._of.entries.usable)

    def histograms(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return both arms' log histograms, matched."""
        side = self._of.look.side
        if side is None or self._left_out is None or not len(self._left_out):
            return super().histograms()
        kept = np.ones(len(self._of.buckets[0]), np.bool_)
        kept[self._left_out] = False
        weight = None if self._of.weight is None else self._of.weight[kept]
        groups = _sparse.count(self._of.entries.picked(side)[kept], 2, self._of.buckets[0][kept], weight)
        return _sparse.merged(groups, [0]), _sparse.merged(groups, [1])


def segments(of: Gather) -> list[tuple[str, Part]]:
    """Return each segment that has a usable entry, with its data."""
    return [
        (label, Part(of, v, i))
        for v, view in enumerate(of.look.views)
        for i, label in enumerate(view.labels)
        if of.entries.present[v][i]
    ]

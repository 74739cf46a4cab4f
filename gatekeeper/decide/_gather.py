"""One look's data of one metric, for all traffic and every segment at once, in each form that a test may ask for.

Rows are counted by the cell they lie in (see `_strata`); strata and segments are sums over cells. A form is worked out
when it is first asked for, once for all labels.
"""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np

from gatekeeper.abreast import abreast
from gatekeeper.decide import _counts, _sparse, _sums
from gatekeeper.decide._entries import Entries, Ints
from gatekeeper.model.metric import MetricKind
from gatekeeper.stats import _histogram

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gatekeeper.decide._entries import Floats
    from gatekeeper.decide._look import Codes, Look
    from gatekeeper.decide._strata import View
    from gatekeeper.decide.columns import Columns
    from gatekeeper.decide.plan import Stream
    from gatekeeper.model.metric import MetricSpec


class Gather:
    """Count a metric's entries of one look by cell."""

    def __init__(self, look: Look, columns: Columns, spec: MetricSpec) -> None:
        """Start with nothing counted."""
        self.look = look
        self.entries = Entries(look, columns, spec)

    def match_code(self) -> tuple[Ints, Floats | None]:
        """Return 2 * stratum + side of the usable entries, and their weights, in order."""
        view = self.look.views[0]
        stratum = view.cell if view.stratum is None else view.stratum[view.cell]
        code = 2 * stratum + (0 if self.look.side is None else self.look.side)
        return self.entries.picked(code), self.weight

    def _each(self) -> list[tuple[View, Codes]]:
        return list(zip(self.look.views, self.look.codes, strict=True))

    @cached_property
    def weight(self) -> Floats | None:
        """Return the usable entries' weights; None where each counts 1."""
        return None if self.entries.weight is None else self.entries.picked(self.entries.weight)

    @cached_property
    def windows(self) -> list[Floats]:
        """Return for each view counts (cells, windows, 4)."""
        return [_counts.windows(self.entries, codes) for codes in self.look.codes]

    @cached_property
    def tables(self) -> list[Floats]:
        """Return for each view counts (cells, windows, 4) of pairs."""
        return [_counts.tables(self.entries, codes) for codes in self.look.codes]

    @cached_property
    def sums(self) -> list[tuple[Floats, Floats, Floats]]:
        """Return for each view n (cells, 2), sums (cells, 4) and products (cells, 4, 4)."""
        return [_sums.sums(self.entries, codes) for codes in self.look.codes]

    @cached_property
    def windows_by_stratum(self) -> Floats:
        """Return counts (windows, strata, 4) of all traffic."""
        return self._by_stratum(self.windows[0]).swapaxes(0, 1)

    @cached_property
    def sums_by_stratum(self) -> tuple[Floats, Floats, Floats]:
        """Return sums of all traffic by stratum."""
        n, total, product = (self._by_stratum(form) for form in self.sums[0])
        return n, total, product

    def _by_stratum(self, form: Floats) -> Floats:
        """Sum cells' counts by stratum, of which some may have nothing in this look."""
        if len(form) == self.look.strata == 1:
            return form
        stratum = self.look.views[0].stratum
        if stratum is None and len(form) == self.look.strata:
            return form
        found = np.zeros((self.look.strata, *form.shape[1:]))
        np.add.at(found, np.arange(len(form)) if stratum is None else stratum, form)
        return found

    @cached_property
    def segment_windows(self) -> list[Floats]:
        """Return for each view counts (segments, windows, 4)."""
        return [_by_segment(view, form) for view, form in zip(self.look.views, self.windows, strict=True)]

    @cached_property
    def segment_tables(self) -> list[Floats]:
        """Return for each view counts (segments, windows, 4) of pairs."""
        return [_by_segment(view, form) for view, form in zip(self.look.views, self.tables, strict=True)]

    @cached_property
    def segment_sums(self) -> list[list[Floats]]:
        """Return for each view n (segments, 2), sums (segments, 4) and products (segments, 4, 4)."""
        return [
            [_by_segment(view, form) for form in forms] for view, forms in zip(self.look.views, self.sums, strict=True)
        ]

    @cached_property
    def buckets(self) -> list[Ints]:
        """Return the usable entries' buckets: of both arms together, or of each half of the pairs."""
        return [_histogram.buckets(self.entries.picked(values[0])) for values in self.entries.values]

    @cached_property
    def by_cell(self) -> list[tuple[Ints, Ints]]:
        """Return for each view the usable entries ordered by cell, and where each cell's begin."""
        entries = np.flatnonzero(self.entries.usable)
        found = []
        for view in self.look.views:
            cell = self.entries.picked(view.cell)
            order = np.argsort(cell.astype(np.uint16) if view.size <= 1 << 16 else cell, kind="stable")
            start = np.cumsum(np.bincount(cell, minlength=view.size))
            found.append((entries[order], np.concatenate([[0], start])))
        return found

    @cached_property
    def histograms(self) -> list[list[_sparse.Groups]]:
        """Return for each view counts by (cell, side) and bucket; of pairs, by cell for each half."""
        sides = 1 if self.look.paired else 2
        return [
            [
                _sparse.count(self.entries.picked(codes.plain), sides * view.size, buckets, self.weight)
                for buckets in self.buckets
            ]
            for view, codes in self._each()
        ]


def gathered(look: Look, columns: Columns, streams: Sequence[Stream]) -> dict[str, Gather]:
    """Return each metric's data of a look, with what its streams will ask for counted already, side by side."""
    each = {stream.spec.name: stream for stream in streams}
    longest_first = sorted(each.values(), key=lambda stream: stream.spec.kind is MetricKind.RATE)
    found = abreast([partial(_counted, look, columns, stream) for stream in longest_first], len(columns))
    return {stream.spec.name: gather for stream, gather in zip(longest_first, found, strict=True)}


def _counted(look: Look, columns: Columns, stream: Stream) -> Gather:
    """Return a stream's data with what it will ask for counted."""
    gather = Gather(look, columns, stream.spec)
    if gather.entries.usable.any():
        if any(view.labels for view in look.views):
            _ = gather.entries.present
        if stream.rule.quantile is None:
            _ = gather.windows if gather.entries.rate else gather.sums
        elif not look.paired:
            _ = gather.histograms
    return gather


def _by_segment(view: View, form: Floats) -> Floats:
    """Sum cells' counts by segment."""
    return np.asarray(np.tensordot(view.members, form, 1))

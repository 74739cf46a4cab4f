"""One look's rows, sorted out once for all metrics: who is compared, in which window, stratum and unit."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gatekeeper.decide import _seen, _strata
from gatekeeper.decide._grouping import first_of_each
from gatekeeper.decide._strata import View
from gatekeeper.decide.columns import ARMS, Columns
from gatekeeper.model.arm import Arm
from gatekeeper.stats._rows import window_ends

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gatekeeper.decide._strata import Names

BASELINE = ARMS.index(Arm.BASELINE)
CANDIDATE = ARMS.index(Arm.CANDIDATE)


@dataclass(frozen=True, kw_only=True)
class Codes:
    """Hold codes that all metrics share: of (cell, window) and of the cell, each with the side where unpaired.

    shape: how many cells, windows and sides there are.
    """

    timed: NDArray[np.int64]
    plain: NDArray[np.int64]
    shape: tuple[int, int, int]

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """Return how many entries there are of each (cell, window, side)."""
        return self.counted(None)

    def counted(self, entries: NDArray[np.int64] | None) -> NDArray[np.int64]:
        """Return how many of some entries (None: of all) there are of each (cell, window, side)."""
        timed = self.timed if entries is None else self.timed[entries]
        return np.bincount(timed, minlength=math.prod(self.shape)).reshape(self.shape)


@dataclass(slots=True, kw_only=True)
class Look:
    """Hold what is compared: entries in time order, each a request, or a pair of them when `paired`.

    rows: the columns' rows of the entries; (baseline's, candidate's) when paired, else one array for both arms. side:
    each entry's arm, 0 or 1; None when paired. window: each entry's window, below `windows`. unit: the first
    entry of each entry's unit, which counts once in all; None where each entry is a unit. clusters: each entry's, -1
    without. singles: halves of pairs without a partner. grouped: entries that share their unit with another. repeats:
    entries left out because their unit was counted at an earlier look. shared: the weights of metrics that apply to
    every entry, once one asked.
    """

    paired: bool
    rows: tuple[NDArray[np.int64] | slice, ...]
    size: int
    side: NDArray[np.int64] | None
    window: NDArray[np.int64]
    windows: int
    unit: NDArray[np.int64] | None
    views: list[View]
    codes: list[Codes]
    strata: int
    clusters: NDArray[np.int64]
    singles: int
    grouped: int
    repeats: int
    shared: NDArray[np.float64] | None = None

    def weight(self, usable: NDArray[np.bool_] | None) -> NDArray[np.float64] | None:
        """Return each entry's part of its unit, 0 where it is not usable; None where every entry is a unit.

        usable: None where every entry is.
        """
        if self.unit is None:
            return None
        if usable is not None:
            counts = np.bincount(self.unit, weights=usable, minlength=self.size)
            return np.asarray(usable / np.maximum(counts, 1.0)[self.unit])
        if self.shared is None:
            self.shared = 1.0 / np.bincount(self.unit, minlength=self.size)[self.unit]
        return self.shared

    def drawn(self) -> NDArray[np.int64]:
        """Return how many units each arm has by stratum, shape (strata, 2), each by its first request."""
        view, codes = self.views[0], self.codes[0]
        first = None if self.unit is None else np.flatnonzero(self.unit == np.arange(self.size))
        cells = (codes.counts if first is None else codes.counted(first)).sum(axis=1)
        found = np.zeros((self.strata, 2), np.int64)
        np.add.at(found, np.arange(view.size) if view.stratum is None else view.stratum, cells)
        return found


def sort_out(
    columns: Columns,
    keys: Sequence[str],
    names: Names,
    *,
    paired: bool,
    judged: bool,
    past: int,
    seen: NDArray[np.uint8] | None,
    clustered: bool = True,
) -> Look:
    """Sort out a look.

    keys: the segment keys. judged: segments are judged on their own. past: entries compared before. seen: units
    counted before. clustered: a cluster is a unit; else each request is.
    """
    rows, singles = _pairs(columns) if paired else (_both_arms(columns), 0)
    clusters = _clusters(columns, rows)
    if not clustered:
        clusters = np.full(len(clusters), -1, np.int64)
    repeats = 0
    if seen is not None:
        fresh = ~_seen.known(seen, clusters)
        repeats = len(fresh) - int(fresh.sum())
        if repeats:
            kept = np.flatnonzero(fresh)
            rows = tuple(kept if isinstance(one, slice) else one[kept] for one in rows)
            clusters = clusters[kept]
    n = len(clusters)
    ends = window_ends(n, past)
    window = np.zeros(n, np.int64) if len(ends) == 1 else np.repeat(np.arange(len(ends)), np.diff(ends, prepend=0))
    side = None if paired else (columns.arm[rows[0]] == CANDIDATE).astype(np.int64)
    if side is not None and n and float(columns.ts[0]) == float(columns.ts[-1]):
        window = window[_interleaved(side)]
    unit = _units(clusters)
    if unit is not None:
        window = window[unit]
    codes = [(columns.segments[key][0][rows[0]], columns.segments[key][1]) for key in keys if key in columns.segments]
    views = _strata.views(codes, n, names, judged=judged)
    return Look(
        paired=paired,
        rows=rows,
        size=n,
        side=side,
        window=window,
        windows=len(ends),
        unit=unit,
        views=views,
        codes=[_codes(view, window, len(ends), side) for view in views],
        strata=len(names.strata),
        clusters=clusters,
        singles=singles,
        grouped=0 if unit is None else int((unit != np.arange(n)).sum()),
        repeats=repeats,
    )


def _codes(view: View, window: NDArray[np.int64], windows: int, side: NDArray[np.int64] | None) -> Codes:
    """Combine cell, window and side."""
    timed, plain = view.cell * windows, view.cell
    timed += window
    if side is None:
        return Codes(timed=timed, plain=plain, shape=(view.size, windows, 1))
    timed *= 2
    timed += side
    return Codes(timed=timed, plain=2 * plain + side, shape=(view.size, windows, 2))


def _interleaved(side: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return each entry's place when both arms are spread evenly: where no times are told, the order tells nothing.

    Recorded samples often hold one arm after the other; windows with a single arm would compare nothing.
    """
    share = np.empty(len(side))
    for arm in (0, 1):
        rows = np.flatnonzero(side == arm)
        share[rows] = (np.arange(len(rows)) + 0.5) / max(len(rows), 1)
    place = np.empty(len(side), np.int64)
    place[np.argsort(share, kind="stable")] = np.arange(len(side))
    return place


def _both_arms(columns: Columns) -> tuple[NDArray[np.int64] | slice, ...]:
    """Return the rows of baseline and candidate in time order."""
    compared = (columns.arm == BASELINE) | (columns.arm == CANDIDATE)
    return (slice(None) if bool(compared.all()) else np.flatnonzero(compared),)


def _pairs(columns: Columns) -> tuple[tuple[NDArray[np.int64] | slice, ...], int]:
    """Return the rows of each pair's two halves, in order of the later half, and how many rows have no partner."""
    n = len(columns)
    pair = columns.pair
    if n and int(pair.max()) > 4 * n:
        pair = np.unique(pair, return_inverse=True)[1] - int(bool((pair < 0).any()))
    first = np.full((2, int(pair.max(initial=-1)) + 1), -1, np.int64)
    total = 0
    for side, arm in enumerate((BASELINE, CANDIDATE)):
        rows = np.flatnonzero(columns.arm == arm)
        total += len(rows)
        named = rows[pair[rows] >= 0][::-1]
        first[side, pair[named]] = named
    a, b = first[:, (first >= 0).all(axis=0)]
    later = np.full(n, -1, np.int64)
    later[np.maximum(a, b)] = np.arange(len(a))
    order = later[later >= 0]
    return (a[order], b[order]), total - 2 * len(a)


def _clusters(columns: Columns, rows: tuple[NDArray[np.int64] | slice, ...]) -> NDArray[np.int64]:
    """Return each entry's cluster; of a pair the baseline's, else the candidate's."""
    found = columns.cluster[rows[0]]
    if len(rows) == 1:
        return found
    return np.where(found >= 0, found, columns.cluster[rows[1]])


def _units(clusters: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """Return the first entry of each entry's unit; None where every entry is a unit of its own."""
    named = np.flatnonzero(clusters >= 0)
    if not len(named):
        return None
    unit = np.arange(len(clusters))
    unit[named] = named[first_of_each(clusters[named])]
    return None if bool((unit[named] == named).all()) else unit

"""Classes of traffic: a row's stratum, and the segments it belongs to, by one code for each combination in the look.

A stratum is a combination of values under the declared segment keys (the samples' plain segment where none are
declared). All traffic is compared within strata, so that arms whose mixes differ are not taken for arms that differ.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence


MOST_SEGMENTS = 64
"""Segments that are judged on their own; those that come later are part of all traffic alone."""

MOST_STRATA = 64
"""Strata that are told apart; later ones share the last."""

MOST_CELLS = 4096
"""Combinations counted side by side; beyond it strata and keys are counted one after the other."""

REST = "*"
"""How what came too late for a name of its own is called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Divide rows into cells, of which strata and segments are unions.

    cell: a code per row, below `size`. stratum: each cell's stratum, None where the view holds segments only. labels:
    segments. members: shape (segments, cells), 1 where a cell belongs to the segment. cells: those of each segment.
    """

    cell: NDArray[np.int64]
    size: int
    stratum: NDArray[np.int64] | None
    labels: list[str]
    members: NDArray[np.float64]
    cells: list[NDArray[np.int64]]


@dataclass(slots=True, kw_only=True)
class Names:
    """Hold segments and strata in order of arrival; both lists only grow."""

    segments: list[str]
    strata: list[str]

    def segment(self, label: str) -> bool:
        """Tell whether a segment is judged on its own, noting it when it is new and there is room."""
        return _noted(self.segments, label, MOST_SEGMENTS)

    def stratum(self, label: str) -> int:
        """Return a stratum's place, noting it when it is new and there is room; the last is for the rest."""
        if label not in self.strata and not _noted(self.strata, label, MOST_STRATA - 1):
            label = REST
            _noted(self.strata, label, MOST_STRATA)
        return self.strata.index(label)


def _noted(names: list[str], name: str, most: int) -> bool:
    if name not in names:
        if len(names) >= most:
            return False
        names.append(name)
    return True


def views(keys: Sequence[tuple[NDArray[np.int64], list[str]]], n: int, names: Names, *, judged: bool) -> list[View]:
    """Return the views of n rows, the first with the strata.

    keys: for each segment key a code per row (-1 without) into its labels. judged: segments are judged on their own.
    """
    named = [_named(codes, labels, names, judged=judged) for codes, labels in keys]
    combined = np.zeros(n, np.int64)
    for codes, labels in named:
        combined = combined * len(labels) + codes if len(named) > 1 else codes
    used, cell = _dense(combined, math.prod(len(labels) for _, labels in named))
    parts = _parts(used, [len(labels) for _, labels in named])
    texts = [[labels[part] for (_, labels), part in zip(named, row, strict=True)] for row in parts]
    stratum = np.array([names.stratum(" ".join(text).strip()) for text in texts], np.int64)
    if not judged:
        return [_view(cell, len(used), stratum, [], [])]
    kept = set(names.segments)
    if len(used) <= MOST_CELLS:
        here = sorted({label for text in texts for label in text} & kept, key=names.segments.index)
        return [_view(cell, len(used), stratum, here, texts)]
    own = [
        _view(codes, len(labels), None, [x for x in labels if x in kept], [[x] for x in labels])
        for codes, labels in named
    ]
    return [_view(stratum[cell], len(names.strata), np.arange(len(names.strata)), [], []), *own]


def _named(
    codes: NDArray[np.int64], labels: list[str], names: Names, *, judged: bool
) -> tuple[NDArray[np.int64], list[str]]:
    """Return codes from 0 and their labels: "" for none, then those that have a name here, REST for all others."""
    counts = np.bincount(codes + 1, minlength=len(labels) + 1)
    found = [""]
    place = np.zeros(len(labels) + 1, np.int64)
    late: list[int] = []
    for code in sorted(np.flatnonzero(counts[1:]).tolist(), key=labels.__getitem__):
        label = labels[code]
        if names.segment(label) if judged else label in names.strata or len(found) < MOST_STRATA:
            place[code + 1] = len(found)
            found.append(label)
        else:
            late.append(code + 1)
    if late:
        place[late] = len(found)
        found.append(REST)
    return place[codes + 1], found


def _dense(combined: NDArray[np.int64], span: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the codes in use, ascending, and each row's place among them."""
    if span > max(MOST_CELLS, 4 * len(combined)):
        used, cell = np.unique(combined, return_inverse=True)
        return used, cell
    used = np.flatnonzero(np.bincount(combined, minlength=span))
    if len(used) == span:
        return used, combined
    place = np.zeros(span, np.int64)
    place[used] = np.arange(len(used))
    return used, place[combined]


def _parts(used: NDArray[np.int64], sizes: list[int]) -> list[list[int]]:
    """Split combined codes into each key's code again."""
    parts: list[NDArray[np.int64]] = []
    rest = used
    for size in reversed(sizes):
        parts.append(rest % size)
        rest = rest // size
    return np.stack(parts[::-1], axis=1).tolist() if parts else [[] for _ in used]


def _view(
    cell: NDArray[np.int64], size: int, stratum: NDArray[np.int64] | None, labels: list[str], texts: list[list[str]]
) -> View:
    """Make a view; texts: the labels of each cell."""
    members = np.array([[float(label in text) for text in texts] for label in labels]).reshape(len(labels), size)
    cells = [np.flatnonzero(member) for member in members]
    return View(cell=cell, size=size, stratum=stratum, labels=labels, members=members, cells=cells)

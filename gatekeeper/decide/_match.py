"""Making the arms' mixes of strata agree where a test cannot be stratified, by leaving rows out.

What is left out depends on arms, strata and the order of arrival, never on a value. Under random assignment about the
square root of a stratum's rows is lost; with a single stratum nothing is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

TAIL = 1 << 13
"""Rows in which the last of a stratum are looked for first; four times as many each time that they are too few."""

SLACK = 4.0
"""Rows by which an arm may be ahead of the other in a stratum."""

Totals = list[list[float]]
"""Rows (or units) by stratum, of baseline and candidate."""


def matched(
    seen: Totals,
    kept: Totals,
    *,
    code: NDArray[np.int64],
    strata: int,
    weight: NDArray[np.float64] | None,
    shares: Sequence[float] | None,
) -> tuple[NDArray[np.int64], Totals, Totals]:
    """Return the rows to leave out, and what has been seen and kept with this look.

    code: 2 * stratum + side of each row, in order of arrival. weight: None where each counts 1. shares: the declared
    split over baseline and candidate; else what was seen so far tells what one arm's row is worth of the other's.
    """
    counts = np.bincount(code, weights=weight, minlength=2 * strata).reshape(strata, 2).astype(np.float64)
    past, held = _grown(seen, strata), _grown(kept, strata)
    now = past + counts
    total = np.array(shares) if shares is not None else past.sum(axis=0)
    if not total.min() > 0:
        total = now.sum(axis=0)
    ratio = total / total[::-1] if total.min() > 0 else np.zeros(2)
    room = np.maximum(np.floor(ratio * now[:, ::-1] + SLACK) - held, 0.0)
    out: list[NDArray[np.int64]] = []
    for stratum, side in np.argwhere(counts > room).tolist():
        which = 2 * stratum + side
        if weight is None:
            first = int(room[stratum, side])
            out.append(_last(code, which, int(counts[stratum, side]) - first))
            counts[stratum, side] = first
        else:
            rows = np.flatnonzero(code == which)
            first = int(np.searchsorted(np.cumsum(weight[rows]), room[stratum, side] + 1e-9, side="right"))
            out.append(rows[first:])
            counts[stratum, side] = float(weight[rows[:first]].sum())
    dropped = np.concatenate(out) if out else np.zeros(0, np.int64)
    return dropped, now.tolist(), (held + counts).tolist()


def _last(code: NDArray[np.int64], which: int, n: int) -> NDArray[np.int64]:
    """Return the last n rows that have a code, of which there are no fewer; they are looked for from the end."""
    size = TAIL
    while True:
        start = max(len(code) - size, 0)
        rows = np.flatnonzero(code[start:] == which)
        if len(rows) >= n or not start:
            return start + rows[len(rows) - n :]
        size *= 4


def _grown(totals: Totals, strata: int) -> NDArray[np.float64]:
    """Return totals as an array with a place for each stratum known by now."""
    grown = np.zeros((strata, 2))
    grown[: len(totals)] = np.array(totals).reshape(-1, 2)
    return grown

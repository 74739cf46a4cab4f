"""Rows in time order, from rows that come in nearly that order, without holding them all."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from gatekeeper.decide.columns import Columns
from gatekeeper.flow._repeats import Repeats
from gatekeeper.flow._tails import Newest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from gatekeeper.flow._rows import Part

MOST_HELD = 300_000
"""Rows of a stream held at once: fewer are put in time order as a whole, of more the newest wait for their like."""

MOST_IN_MEMORY = 4_000_000
"""The same for samples that are in memory already."""

WAITING_SHARE = 1 / 3
"""Share of the held rows that wait, the newest: so far may rows of a stream stray from their order in time."""


@dataclass(slots=True)
class InOrder:
    """Put rows in time order, each once.

    late: rows older than one already handed out, which come with the next that are. newest: what times there were.
    """

    most: int = MOST_HELD
    late: int = 0
    repeats: Repeats = field(default_factory=Repeats)
    newest: Newest = field(default_factory=Newest)
    _held: Columns | None = None
    _reached: float = -np.inf
    _last_ts: float = 0.0
    _timed: bool = False

    def runs(self, parts: Iterator[Part]) -> Iterator[tuple[Columns, bool]]:
        """Hand out runs of rows, each in time order, and whether it is the last."""
        fresh: list[Part] = []
        waiting = 0
        for part in parts:
            fresh.append(part)
            waiting += len(part.columns)
            if waiting > self.most:
                run = self._ordered(fresh, last=False)
                wait = int(self.most * WAITING_SHARE)
                self._held = run.take(slice(max(len(run) - wait, 0), None))
                yield self._noted(run.take(slice(0, max(len(run) - wait, 0)))), False
                fresh, waiting = [], len(self._held)
        if fresh or self._held is not None:
            yield self._noted(self._ordered(fresh, last=True)), True

    def _ordered(self, parts: Sequence[Part], *, last: bool) -> Columns:
        """Join what is held and new rows, without repeats, in time order."""
        held = [] if self._held is None else [self._held]
        if not parts:
            return held[0]
        new = joined([part.columns for part in parts])
        new.ts = self._filled(new.ts)
        first = self.repeats.first(np.concatenate([part.requests for part in parts]), new.arm, last=last)
        if first is not None:
            new = new.take(np.flatnonzero(first))
        self.late += int(np.count_nonzero(new.ts < self._reached))
        ordered = joined([*held, new]).ordered()
        untimed_whole = last and not self._timed and self._reached == -np.inf
        return side_by_side(ordered) if untimed_whole else ordered

    def _noted(self, run: Columns) -> Columns:
        """Note how far in time the rows handed out have come."""
        if len(run):
            self._reached = max(self._reached, float(run.ts[-1]))
            self.newest.add(run.ts)
        return run

    def _filled(self, ts: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give a sample without a time that of the one before it in the file; 0 before any."""
        known = ~np.isnan(ts)
        self._timed = self._timed or bool(known.any())
        if not bool(known.all()):
            last = np.maximum.accumulate(np.where(known, np.arange(len(ts)), -1))
            ts = np.where(last >= 0, ts[last], self._last_ts)
        if len(ts):
            self._last_ts = float(ts[-1])
        return ts


def side_by_side(rows: Columns) -> Columns:
    """Mix arms that come one whole after the other, each in its own order, as if they had been served together.

    Rows without times are taken in the order of their file; there a whole arm before the other is no order in time.
    """
    ends = [(np.flatnonzero(rows.arm == arm)[[0, -1]]) for arm in np.unique(rows.arm)]
    ends.sort(key=lambda end: int(end[0]))
    if any(int(before[1]) > int(after[0]) for before, after in pairwise(ends)):
        return rows
    place = np.empty(len(rows))
    for first, last in ends:
        count = int(last) - int(first) + 1
        place[int(first) : int(last) + 1] = (np.arange(count) + 0.5) / count
    return rows.take(np.argsort(place, kind="stable"))


def joined(parts: Sequence[Columns]) -> Columns:
    """Put parts one after the other; their segments are numbered alike."""
    if len(parts) == 1:
        return parts[0]
    newest = parts[-1]
    return Columns(
        ts=np.concatenate([part.ts for part in parts]),
        arm=np.concatenate([part.arm for part in parts]),
        pair=np.concatenate([part.pair for part in parts]),
        cluster=np.concatenate([part.cluster for part in parts]),
        errored=np.concatenate([part.errored for part in parts]),
        values={name: np.concatenate([part.values[name] for part in parts]) for name in newest.values},
        segments={
            key: (np.concatenate([part.segments[key][0] for part in parts]), labels)
            for key, (_, labels) in newest.segments.items()
        },
    )

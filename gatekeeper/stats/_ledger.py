"""Windows of many streams: they wait until they are large enough, then all that are ready are weighed together."""

from __future__ import annotations

from functools import lru_cache
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gatekeeper.stats._tilt import BUFFERS, Line, log_ratio

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from gatekeeper.stats import Question, State

PRIOR_YES, PRIOR_N = 2.0, 12.0
"""What the pooled rate is shrunk to before there are data: a guess too low would bet too much."""

STRATUM_N = 20.0
"""Observations that all strata's common rate counts for in each stratum's own."""

LEAST_ROWS = 8
"""A window waits for more until it holds 8 rows and a given share of what came before."""

SIDES = np.array([[0, 1, 2, 3], [2, 3, 0, 1]])
"""Counts of the first arm and of the second, by direction."""

AT_ONCE = 1 << 15
"""Numbers computed side by side: what comes of them stays in the processor's cache."""

FEW = 4
"""Windows per line up to which lines too are laid side by side, and always where all are computed at once: what it
costs is then its calls, not its numbers."""


class Steps(NamedTuple):
    """Hold log e-values, shape (n, ...), each of all the windows that are ready in a stream at one step, by stream."""

    owner: NDArray[np.int64]
    at: NDArray[np.int64]
    log_e: NDArray[np.float64]


class _Ready(NamedTuple):
    """Hold windows (n, 4) that are weighed: of which row, at which step, and their past's size and pooled rate."""

    row: NDArray[np.int64]
    at: NDArray[np.int64]
    window: NDArray[np.float64]
    past: NDArray[np.float64]
    pooled: NDArray[np.float64]

    def taken(self, which: NDArray[np.int64] | slice) -> _Ready:
        """Return these windows, in that order."""
        return _Ready(self.row[which], self.at[which], self.window[which], self.past[which], self.pooled[which])


def begin(shape: tuple[int, ...]) -> State:
    """Return empty counts by stratum, [n_a, x_a, n_b, x_b], what waits for its window to fill, and e-values of 1."""
    return {"counts": np.zeros((1, 4)), "pending": np.zeros((1, 4)), "log_e": np.zeros(shape)}


def _grown(counts: NDArray[np.float64], strata: int) -> NDArray[np.float64]:
    """Return counts (strata, 4), with 0 for new strata."""
    return counts if len(counts) == strata else side_by_side([counts[None]], [strata])[0]


def side_by_side(looks: Sequence[NDArray[np.float64]], strata: Sequence[int]) -> NDArray[np.float64]:
    """Return streams' windows (windows, strata, 4) one beside the other, with empty ones where there are none.

    strata: how many each stream has now.
    """
    full = np.zeros((max(map(len, looks)), sum(strata), 4))
    start = 0
    for look, k in zip(looks, strata, strict=True):
        full[: len(look), start : start + look.shape[1]] = look
        start += k
    return full


class Ledger:
    """Hold the same part of many streams' states as flat arrays: one row per stratum, streams one after the other."""

    def __init__(
        self,
        questions: Sequence[Question],
        states: Sequence[State],
        strata: Sequence[int],
        lines: Callable[[Question], Line],
        least_share: tuple[float, float],
    ) -> None:
        """Take the states' numbers; strata: how many each stream has now. lines: of a question's bets, cached.

        least_share: what a window must hold of what came before it, within a look and at its end.
        """
        self._least_share, self._lines, self._questions = least_share, lines, questions
        self._starts = np.array([0, *accumulate(strata[:-1])])
        self._owner = np.repeat(np.arange(len(strata)), strata)
        self._all_alone = len(self._owner) == len(strata)
        self._alone = (np.array(strata) == 1)[self._owner]
        self._counts, self._pending = (
            np.concatenate([_grown(s[name], k) for s, k in zip(states, strata, strict=True)])
            for name in ("counts", "pending")
        )
        self._log_e = np.array([s["log_e"] for s in states])

    def add(self, windows: NDArray[np.float64], *, apart: bool) -> Steps | None:
        """Add counts (steps, rows, 4) in time order; return what was weighed, None when nothing was.

        apart: a stream's log e-values are told step by step, else summed over the steps.
        """
        ready = self._ready(windows)
        if not len(ready.row):
            return None
        if len(windows) == 1 and self._all_alone:
            parts = [steps.copy() for _, steps in self._weighed(ready)]
            log_e = parts[0] if len(parts) == 1 else np.concatenate(parts)
            self._log_e[ready.row] += log_e
            return Steps(ready.row, ready.at, log_e)
        key = self._owner[ready.row]
        if apart:
            key = key * len(windows) + ready.at
        new = np.ones(len(key), np.bool_)
        np.not_equal(key[1:], key[:-1], out=new[1:])
        first, place = np.flatnonzero(new), np.cumsum(new) - 1
        log_e = np.zeros((len(first), *self._log_e.shape[1:]))
        for part, steps in self._weighed(ready):
            new[part.start] = True
            starts = np.flatnonzero(new[part])
            log_e[place[part][starts]] += np.add.reduceat(steps, starts, axis=0)
        owner = self._owner[ready.row[first]]
        if apart and len(windows) > 1:
            np.add.at(self._log_e, owner, log_e)
        else:
            self._log_e[owner] += log_e
        return Steps(owner, ready.at[first], log_e)

    def _ready(self, windows: NDArray[np.float64]) -> _Ready:
        """Go through the steps and take the windows that are ready, by stream, then step.

        A stratum waits while an arm has nothing in it, or its window is small beside its past.
        """
        taken = []
        for step, window in enumerate(windows):
            self._pending += window
            found = self._take(step, self._least_share[step == len(windows) - 1])
            if found is not None:
                taken.append(found)
        if not taken:
            nothing = np.zeros(0, np.int64)
            return _Ready(nothing, nothing, np.zeros((0, 4)), np.zeros(0), np.zeros(0))
        if len(taken) == 1:
            return taken[0]
        together = _Ready(*(np.concatenate(parts) for parts in zip(*taken, strict=True)))
        return together.taken(np.lexsort((together.at, self._owner[together.row])))

    def _take(self, step: int, least_share: float) -> _Ready | None:
        """Take the windows that are ready at a step; None when none is."""
        counts, pending = self._counts, self._pending
        past, size = counts[:, 0] + counts[:, 2], pending[:, 0] + pending[:, 2]
        ready = size >= np.maximum(LEAST_ROWS, least_share * past)
        ready &= (pending[:, 0] > 0) & (pending[:, 2] > 0)
        row = ready.nonzero()[0]
        if not len(row):
            return None
        window = pending[row]
        found = _Ready(row, np.full(len(row), step), window, past[row], self._guess()[row])
        counts[row] += window
        pending[row] = 0.0
        return found

    def _guess(self) -> NDArray[np.float64]:
        """Return each stratum's pooled rate: its past shrunk to that of all its stream's strata."""
        n, x = self._counts[:, 0] + self._counts[:, 2], self._counts[:, 1] + self._counts[:, 3]
        if self._all_alone:
            return np.asarray((x + PRIOR_YES) / (n + PRIOR_N))
        all_n, all_x = np.add.reduceat(n, self._starts), np.add.reduceat(x, self._starts)
        common = ((all_x + PRIOR_YES) / (all_n + PRIOR_N))[self._owner]
        return np.asarray(np.where(self._alone, common, (x + STRATUM_N * common) / (n + STRATUM_N)))

    def _weighed(self, ready: _Ready) -> Iterator[tuple[slice, NDArray[np.float64]]]:
        """Return the log e-values (n, 2, ...) of some windows after the other; the next are written over them."""
        number: dict[Question, int] = {}
        numbers = [number.setdefault(question, len(number)) for question in self._questions]
        asked, which = tuple(number), np.array(numbers)[self._owner[ready.row]]
        n, at_once = len(which), max(AT_ONCE // self._log_e[0].size, 1)
        if n <= max(FEW * len(asked), at_once):
            yield slice(0, n), _few(ready, Line(*(part[which] for part in _lines_of(self._lines, asked))))
            return
        work = np.empty((BUFFERS, *self._log_e.shape[1:], at_once))
        cuts = [0, *(np.flatnonzero(np.diff(which)) + 1).tolist(), n]
        for first, end in pairwise(cuts):
            line = self._lines(asked[which[first]])
            for start in range(first, end, at_once):
                part = slice(start, min(start + at_once, end))
                yield part, _many(ready.taken(part), line, work[..., : part.stop - part.start])

    def states(self) -> list[State]:
        """Return the numbers by stream."""
        starts = [*self._starts.tolist(), len(self._counts)]
        return [
            {"counts": self._counts[start:end], "pending": self._pending[start:end], "log_e": log_e}
            for (start, end), log_e in zip(pairwise(starts), self._log_e, strict=True)
        ]


@lru_cache(maxsize=16)
def _lines_of(lines: Callable[[Question], Line], questions: tuple[Question, ...]) -> Line:
    """Return the questions' lines as arrays of one shape (questions, 2, ...)."""
    found = [lines(question) for question in questions]
    parts = [np.stack(parts) for parts in zip(*found, strict=True)]
    return Line(*(np.ascontiguousarray(part) for part in np.broadcast_arrays(*parts)))


def _few(ready: _Ready, line: Line) -> NDArray[np.float64]:
    """Weigh windows, each with a line of its own: bets lie side by side in memory."""
    shape = (-1,) + (1,) * (line.least.ndim - 1)
    n1, x1, n2, x2 = (part.reshape(-1, 2, *shape[2:]) for part in np.moveaxis(ready.window[:, SIDES], 2, 0))
    work = np.empty((BUFFERS, *line.least.shape))
    return log_ratio(ready.pooled.reshape(shape), ready.past.reshape(shape), (n1, x1, n2, x2), line, work)


def _many(ready: _Ready, line: Line, work: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weigh windows that share their line: windows lie side by side in memory."""
    middle = (1,) * (line.least.ndim - 1)
    n1, x1, n2, x2 = (part.reshape(2, *middle, -1) for part in ready.window.T[SIDES].swapaxes(0, 1))
    steps = log_ratio(ready.pooled, ready.past, (n1, x1, n2, x2), Line(*(part[..., None] for part in line)), work)
    return np.moveaxis(steps, -1, 0)

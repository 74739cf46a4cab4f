"""One look's data as plain rows, and every form in which a test may ask for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gatekeeper.stats import _histogram

if TYPE_CHECKING:
    from gatekeeper.stats._histogram import Histogram

FIRST_WINDOW = 16
WINDOW_SHARE = 0.1
"""A window holds at most 16 rows or a tenth of what came before: guesses made from the past then follow the data."""


def window_ends(n: int, past: float) -> NDArray[np.int64]:
    """Cut n rows that follow `past` earlier ones into windows; return where each ends, the last at n."""
    ends: list[int] = []
    done = 0
    while done < n:
        done = min(done + max(FIRST_WINDOW, int(WINDOW_SHARE * (past + done))), n)
        ends.append(done)
    return np.array(ends, np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Hold a `Batch` as rows in time order.

    a, b: baseline's and candidate's values, shape (n, columns); row i of both is one request when `paired`.
    a_at, b_at: increasing row numbers that interleave the arms in time. a_weight, b_weight: shape (n,), None: 1 each.
    """

    a: NDArray[np.float64]
    b: NDArray[np.float64]
    a_at: NDArray[np.int64]
    b_at: NDArray[np.int64]
    a_weight: NDArray[np.float64] | None = None
    b_weight: NDArray[np.float64] | None = None
    paired: bool = False

    def _weights(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        a = np.ones(len(self.a)) if self.a_weight is None else self.a_weight
        return a, np.ones(len(self.b)) if self.b_weight is None else self.b_weight

    def windows(self, past: float) -> NDArray[np.float64]:
        """Return counts (windows, 1, 4)."""
        order = np.sort(np.concatenate([self.a_at, self.b_at]))
        marks = order[window_ends(len(order), past) - 1] + 1
        columns = []
        for values, at, weight in zip((self.a, self.b), (self.a_at, self.b_at), self._weights(), strict=True):
            stops = np.searchsorted(at, marks)
            sums = (np.concatenate([[0.0], np.cumsum(column)]) for column in (weight, weight * values[:, 0]))
            columns += [np.diff(total[stops], prepend=0.0) for total in sums]
        return np.stack(columns, axis=1)[:, None, :]

    def tables(self, past: float) -> NDArray[np.float64]:
        """Return counts (windows, 4) of pairs."""
        ends = window_ends(len(self.a), past)
        cell = 2 * (self.a[:, 0] != 0) + (self.b[:, 0] != 0)
        window = np.searchsorted(ends, np.arange(len(cell)), side="right")
        flat = np.bincount(4 * window + cell, weights=self._weights()[0], minlength=4 * len(ends))
        return np.asarray(flat.reshape(-1, 4), np.float64)

    def sums(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Return sums over one stratum."""
        (a, b), (u, v) = (_two(self.a), _two(self.b)), self._weights()
        product = np.zeros((4, 4))
        if self.paired:
            rows = np.concatenate([a, b], axis=1)
            product = rows.T @ (rows * u[:, None])
        else:
            product[:2, :2], product[2:, 2:] = a.T @ (a * u[:, None]), b.T @ (b * v[:, None])
        return np.array([[u.sum(), v.sum()]]), np.concatenate([u @ a, v @ b])[None], product[None]

    def histograms(self) -> tuple[Histogram, Histogram]:
        """Return both arms' log histograms."""
        u, v = self._weights()
        return _histogram.of(self.a[:, 0], u), _histogram.of(self.b[:, 0], v)

    def values(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Return the first column of both arms, with weights."""
        return self.a[:, 0], self.b[:, 0], *self._weights()


def _two(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return numerator and denominator columns."""
    return values if values.shape[1] > 1 else np.concatenate([values, np.ones_like(values)], axis=1)

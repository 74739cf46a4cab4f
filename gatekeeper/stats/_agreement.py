"""How far two raters agree: shares with mid-P intervals, and Cohen's kappa with its asymptotic one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri

from gatekeeper.stats._corrected import LEVEL, Stratum, corrected, mid_p

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """Hold a figure with its interval and the number of things it was counted on.

    value, lower and upper are None where it cannot be said: nothing was counted, or raters of one answer alone.
    """

    value: float | None
    lower: float | None
    upper: float | None
    n: int


def share(hits: int, n: int, level: float = LEVEL) -> Figure:
    """Return a share with its mid-P interval."""
    if not n:
        return Figure(value=None, lower=None, upper=None, n=0)
    lower, upper = mid_p(hits, n, level)
    return Figure(value=hits / n, lower=lower, upper=upper, n=n)


def paired_difference(more: int, less: int, n: int, level: float = LEVEL) -> Figure:
    """Return by how much one share exceeds another of the same n things.

    more: things that are in the first alone; less: in the second alone.
    """
    found = corrected([Stratum(size=n, plus=more, minus=less, zero=n - more - less)], signed=True, level=level)
    if found is None:
        return Figure(value=None, lower=None, upper=None, n=0)
    return Figure(value=found.value, lower=found.lower, upper=found.upper, n=n)


def kappa(table: NDArray[np.int64], level: float = LEVEL) -> Figure:
    """Return Cohen's (1960) kappa with the interval of Fleiss, Cohen and Everitt (1969, Psychol. Bull. 72).

    table: counts by the first rater's and the second's answer, square.
    """
    n = int(table.sum())
    nothing = Figure(value=None, lower=None, upper=None, n=n)
    if not n:
        return nothing
    part = table / n
    rows, columns = part.sum(axis=1), part.sum(axis=0)
    seen, chance = float(np.trace(part)), float(rows @ columns)
    if chance >= 1.0:
        return nothing
    value = (seen - chance) / (1.0 - chance)
    pulled = rows[None, :] + columns[:, None]  # cell (i, j): of column i and row j
    diagonal = np.diag(part) * ((1.0 - chance) - np.diag(pulled) * (1.0 - seen)) ** 2
    others = part * pulled**2
    np.fill_diagonal(others, 0.0)
    variance = diagonal.sum() + (1.0 - seen) ** 2 * others.sum() - (seen * chance - 2.0 * chance + seen) ** 2
    half = float(ndtri(0.5 + level / 2.0)) * math.sqrt(max(float(variance), 0.0) / n) / (1.0 - chance) ** 2
    return Figure(value=value, lower=max(value - half, -1.0), upper=min(value + half, 1.0), n=n)

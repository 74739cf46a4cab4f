"""O'Brien-Fleming boundaries by Lan and DeMets' spending function, for equally spaced looks planned in advance.

The statistic is a standard normal at each look, its increments independent (Armitage, McPherson and Rowe 1969). The
density of "not stopped yet" is carried from look to look on a grid.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

if TYPE_CHECKING:
    from numpy.typing import NDArray

GRID = 801
REACH = 8.5
"""The grid's half-width, in standard deviations of the last look's sum."""


def spent(share: float, alpha: float) -> float:
    """Return how much of a one-sided alpha may be spent when this share of the information is in."""
    return float(2.0 * stats.norm.sf(stats.norm.ppf(1.0 - alpha / 2.0) / math.sqrt(share)))


@cache
def _boundaries(looks: int, alpha: float) -> tuple[float, ...]:
    step = 1.0 / looks
    grid = np.linspace(-REACH, REACH, GRID)
    width = float(grid[1] - grid[0])
    density = stats.norm.pdf(grid, scale=math.sqrt(step))
    bounds: list[float] = []
    gone = 0.0
    for look in range(1, looks + 1):
        if look > 1:
            kept = density * np.clip((bounds[-1] * math.sqrt(step * (look - 1)) - grid) / width + 0.5, 0.0, 1.0)
            density = _spread(kept, grid, step) * width
        wanted = spent(look * step, alpha) - gone
        beyond = np.cumsum(density[::-1])[::-1] * width
        edge = float(np.interp(-wanted, -beyond, grid - 0.5 * width)) if wanted > beyond[-1] else REACH
        bounds.append(edge / math.sqrt(step * look))
        gone += wanted
    return tuple(bounds)


def _spread(kept: NDArray[np.float64], grid: NDArray[np.float64], step: float) -> NDArray[np.float64]:
    """Add one look's increment to a density."""
    half = len(grid) // 2
    kernel = stats.norm.pdf(grid, scale=math.sqrt(step))
    return np.asarray(np.convolve(kept, kernel)[half : half + len(grid)])


def obrien_fleming(looks: int, alpha: float) -> NDArray[np.float64]:
    """Return the critical values of z at each look."""
    return np.array(_boundaries(looks, alpha))

"""One window's bet on two rates: a point of the null's boundary, and the tilt away from it.

The null bounds the second arm's rate by a line, b <= shift + slope * a. From a point (q1, q2) of the line the bet
goes to p1 = q1 - tilt * slope * v1 / n1 and p2 = q2 + tilt * v2 / n2, with v = q (1 - q) and tilt >= 0. At another
point (a, b) of the line the likelihood ratio's expectation over a window of n1 and n2 answers is
(1 - u / n1)^n1 (1 + u / n2)^n2 <= 1 with u = tilt * slope * (a - q1), and below the line it is smaller still: so every
q1 and every tilt >= 0 chosen before the window gives an e-value. The points reached are those whose projection
(least Kullback-Leibler divergence) is (q1, q2), as in Turner, Ly and Grünwald (2024), without solving for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROUNDS = 2
"""Times that the boundary point is moved so that the bet keeps the past's pooled rate."""


class Line(NamedTuple):
    """Hold the null's boundary and the bet's goal, each as (shift, slope); arrays that broadcast.

    least: how small a share of q1, and of 1 - q2, the tilt may leave.
    """

    shift: NDArray[np.float64]
    slope: NDArray[np.float64]
    goal_shift: NDArray[np.float64]
    goal_slope: NDArray[np.float64]
    least: NDArray[np.float64]


def log_ratio(
    pooled: NDArray[np.float64],
    past: NDArray[np.float64],
    window: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]],
    line: Line,
) -> NDArray[np.float64]:
    """Return the log e-value of a window (n1, x1, n2, x2), guessed from the past's pooled rate on `past` answers."""
    n1, x1, n2, x2 = window
    shift, slope = line.shift, line.slope
    low, high = np.maximum(0.0, -shift / slope), np.minimum(1.0, (1.0 - shift) / slope)
    edge = np.minimum(0.25 / (past + 4.0), 0.25 * (high - low))
    low, high = low + edge, high - edge
    share = n2 / (n1 + n2)
    weight = 1.0 - share + share * slope
    centre = pooled - share * shift
    kept = 1.0 - line.least
    gap_shift, gap_slope = line.goal_shift - shift, line.goal_slope - slope
    q1 = np.minimum(np.maximum(centre / weight, low), high)
    for turn in range(ROUNDS + 1):
        q2 = shift + slope * q1
        v1, v2 = 1.0 - q1, 1.0 - q2
        most = np.minimum(n1 / (v1 * slope), n2 / q2) * kept
        v1, v2 = v1 * q1, v2 * q2
        tilt = (gap_shift + gap_slope * q1) / (v2 / n2 + slope * slope * (v1 / n1))
        tilt = np.minimum(tilt, most)
        if turn < ROUNDS:
            q1 = (centre - tilt * (v2 - slope * v1) / (n1 + n2)) / weight
            q1 = np.minimum(np.maximum(q1, low), high)
    # log(p / q) and log((1 - p) / (1 - q)) of both arms
    move1, move2 = tilt * slope / n1, tilt / n2
    return np.asarray(
        x1 * np.log1p(-move1 * (1.0 - q1))
        + (n1 - x1) * np.log1p(move1 * q1)
        + x2 * np.log1p(move2 * (1.0 - q2))
        + (n2 - x2) * np.log1p(-move2 * q2)
    )

"""One window's bet on two rates: a point of the null's boundary, and the tilt away from it.

The null bounds the second arm's rate by a line, b <= shift + slope * a. From a point (q1, q2) of the line the bet
goes to p1 = q1 - tilt * slope * v1 / n1 and p2 = q2 + tilt * v2 / n2, with v = q (1 - q) and tilt >= 0. At another
point (a, b) of the line the likelihood ratio's expectation over a window of n1 and n2 answers is
(1 - u / n1)^n1 (1 + u / n2)^n2 <= 1 with u = tilt * slope * (a - q1), and below the line it is smaller still: so every
q1 and every tilt >= 0 chosen before the window gives an e-value. The points reached are those whose projection
(least Kullback-Leibler divergence) is (q1, q2), as in Turner, Ly and Grünwald (2024), without solving for it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Window = tuple[Floats, Floats, Floats, Floats]

ROUNDS = 2
"""Times that the boundary point is moved so that the bet keeps the past's pooled rate."""


class Line(NamedTuple):
    """Hold the null's boundary and the bet's goal, each as (shift, slope); arrays that broadcast.

    least: how small a share of q1, and of 1 - q2, the tilt may leave.
    """

    shift: Floats
    slope: Floats
    goal_shift: Floats
    goal_slope: Floats
    least: Floats


BUFFERS = 7
"""Arrays of the result's shape that `log_ratio` works in."""


def log_ratio(pooled: Floats, past: Floats, window: Window, line: Line, work: Floats) -> Floats:
    """Return the log e-value of a window (n1, x1, n2, x2), guessed from the past's pooled rate on `past` answers.

    All arrays broadcast together; what is the same for every bet is worked out before it is spread over them. work:
    shape (BUFFERS, ...), written over; the result is a part of it. Fresh memory would cost more than the sums.
    """
    n1, _, n2, _ = window
    shift, slope = line.shift, line.slope
    low, high = np.maximum(0.0, -shift / slope), np.minimum(1.0, (1.0 - shift) / slope)
    edge = np.minimum(0.25 / (past + 4.0), 0.25 * (high - low))
    low, high = low + edge, high - edge
    share = n2 / (n1 + n2)
    weight = 1.0 - share + share * slope
    centre, pull = (pooled - share * shift) / weight, share / weight
    reach = n1 / (n2 * slope)
    ratio, kept = slope / reach, 1.0 - line.least
    gap_shift, gap_slope = line.goal_shift - shift, line.goal_slope - slope
    parallel = not gap_slope.any()
    tilt, moved, spare, *own = work
    outs: list[Floats] | list[None] = [None] * len(own)
    q1 = np.minimum(np.maximum(centre, low), high)
    for turn in range(ROUNDS + 1):
        q2, v1, v2, cap = _point(q1, line, reach, outs)
        spread = np.multiply(v1, ratio, out=spare if turn else None)
        spread += v2
        if parallel:
            np.divide(gap_shift, spread, out=tilt)
        else:
            np.multiply(gap_slope, q1, out=tilt)
            np.add(tilt, gap_shift, out=tilt)
            np.divide(tilt, spread, out=tilt)
        np.minimum(tilt, np.multiply(cap, kept, out=spare), out=tilt)
        if turn < ROUNDS:
            v1 *= slope
            v1 -= v2
            v1 *= pull
            q1 = np.multiply(tilt, v1, out=moved)
            q1 += centre
            np.minimum(np.maximum(q1, low, out=q1), high, out=q1)
        outs = own
    return _summed(window, (q1, q2, tilt), np.divide(tilt, reach, out=spare))


def _point(q1: Floats, line: Line, reach: Floats, outs: list[Floats] | list[None]) -> tuple[Floats, ...]:
    """Return q2, both variances, and the largest tilt there is at a point of the boundary, in units of 1 / n2."""
    q2 = np.multiply(line.slope, q1, out=outs[0])
    q2 += line.shift
    cap = np.subtract(1.0, q1, out=outs[1])
    v1 = np.multiply(cap, q1, out=outs[2])
    np.divide(reach, cap, out=cap)
    v2 = np.divide(1.0, q2, out=outs[3])
    np.minimum(cap, v2, out=cap)
    np.subtract(1.0, q2, out=v2)
    v2 *= q2
    return q2, v1, v2, cap


def _summed(window: Window, bet: tuple[Floats, Floats, Floats], move: Floats) -> Floats:
    """Sum log(p / q) and log((1 - p) / (1 - q)) of both arms over a window; bet: q1, q2 and the tilt.

    move: of the first arm, as the tilt is of the second. All but the window are written over.
    """
    n1, x1, n2, x2 = window
    q1, q2, tilt = bet
    no1 = np.multiply(q1, move, out=q1)
    total = np.subtract(no1, move, out=move)
    np.log1p(total, out=total)
    total *= x1
    no2 = np.multiply(q2, tilt, out=q2)
    yes2 = np.subtract(tilt, no2, out=tilt)
    np.negative(no2, out=no2)
    for part, times in ((no1, n1 - x1), (yes2, x2), (no2, n2 - x2)):
        np.multiply(np.log1p(part, out=part), times, out=part)
        total += part
    return np.asarray(total)

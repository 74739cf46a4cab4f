"""The information projection of a pair of rates onto a straight line between them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Array = Any
"""Arrays that broadcast against each other."""

POLISHING = 3
"""Newton steps after the closed form, whose own error can be 1e-8 where two roots of the cubic nearly meet."""


def project(
    n1: Array, p1: Array, n2: Array, p2: Array, shift: Array, slope: Array
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Return (q1, q2) on q2 = shift + slope * q1 nearest to (p1, p2), and where (p1, p2) lies above the line.

    Nearest: least n1 KL(p1, q1) + n2 KL(p2, q2). Points on or below the line are their own projection. The condition
    n1 (p1 - q1) / (q1 (1 - q1)) + slope n2 (p2 - q2) / (q2 (1 - q2)) = 0 is a cubic in q1 with a positive leading
    coefficient that falls through the root wanted, so this is the middle one of three real roots (as in Farrington
    and Manning 1990 for slope 1). It lies between p1 and the first coordinate at which the line reaches p2.
    """
    outside = p2 > shift + slope * p1
    low = np.maximum(p1, -shift / slope)
    high = np.minimum((p2 - shift) / slope, np.minimum(1.0, (1.0 - shift) / slope))
    q1 = np.clip(_middle_root(n1, p1, slope * n2, p2, shift, slope), low, high)
    inside = 1e-12 * (high - low)
    with np.errstate(divide="ignore", invalid="ignore"):
        for _ in range(POLISHING):
            q2 = shift + slope * q1
            spread1, spread2 = q1 * (1.0 - q1), q2 * (1.0 - q2)
            pull1, pull2 = n1 / spread1, slope * n2 / spread2
            away1, away2 = (p1 - q1), (p2 - q2)
            steep = pull1 * (1.0 + away1 * (1.0 - 2.0 * q1) / spread1)
            steep += slope * pull2 * (1.0 + away2 * (1.0 - 2.0 * q2) / spread2)
            q1 = np.clip(q1 + (pull1 * away1 + pull2 * away2) / steep, low + inside, high - inside)
    q1 = np.where(outside, q1, p1)
    q2 = np.where(outside, shift + slope * q1, p2)
    return q1, q2, outside


def _middle_root(n1: Array, p1: Array, m2: Array, p2: Array, shift: Array, slope: Array) -> NDArray[np.float64]:
    """Return the middle root of the cubic by the trigonometric form; m2 is slope * n2."""
    k0, k1, over = shift * (1.0 - shift), slope * (1.0 - 2.0 * shift), p2 - shift
    lead = slope * (n1 * slope + m2)
    a = -(n1 * (p1 * slope * slope + k1) + m2 * (over + slope)) / lead
    b = (n1 * (p1 * k1 - k0) + m2 * over) / lead
    c = n1 * p1 * k0 / lead
    a3 = a / 3.0
    q = np.maximum(a3 * a3 - b / 3.0, 1e-300)
    r = a3 * a3 * a3 - 0.5 * a3 * b + 0.5 * c
    root = np.sqrt(q)
    angle = np.arccos(np.clip(r / (q * root), -1.0, 1.0))
    return np.asarray(-2.0 * root * np.cos((angle - 2.0 * math.pi) / 3.0) - a3)

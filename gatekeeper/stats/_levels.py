"""Levels of harm on a rate, as straight lines between the arms' rates.

Rates are taken of the harmful answer (of the failures, where higher is better), `a` of the baseline, `b` of the
candidate. "Worse by exactly `level`" is the line b = shift + slope * a.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gatekeeper.stats import Question

EDGE = 0.98


def line(question: Question, level: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return (shift, slope) of "worse by exactly `level`"; levels out of range are cut to the range."""
    if not question.relative:
        return np.clip(level, -EDGE, EDGE), np.ones_like(level)
    if question.increase:
        return np.zeros_like(level), np.maximum(1.0 + level, 0.02)
    kept = np.minimum(level, EDGE)
    return kept, 1.0 - kept


def swapped(shift: NDArray[np.float64], slope: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the same line with the arms' roles exchanged: a = shift' + slope' * b."""
    return -shift / slope, 1.0 / slope


def bounds(question: Question) -> tuple[float, float]:
    """Return the smallest and largest level of harm there can be (a relative rise has no largest: 50 times)."""
    if not question.relative:
        return -EDGE, EDGE
    return (-EDGE, 50.0) if question.increase else (-50.0, EDGE)


def effect(question: Question, low_harm: float, high_harm: float) -> tuple[float | None, float | None]:
    """Turn an interval of harm into one of candidate against baseline; an end at its bound says nothing."""
    first, last = bounds(question)
    trivial = (None, None) if question.relative else (-1.0, 1.0)
    low = trivial[0] if low_harm <= first else low_harm
    high = trivial[1] if high_harm >= last else high_harm
    if question.increase:
        return low, high
    return (None if high is None else -high), (None if low is None else -low)


def estimate(question: Question, a_value: float, b_value: float) -> float | None:
    """Return candidate against baseline: a difference, or a relative change (None on a zero baseline)."""
    if not question.relative:
        return b_value - a_value
    return b_value / a_value - 1.0 if a_value > 0 else None

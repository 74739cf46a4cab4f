"""Where a monotone e-value falls below its bar: an end of an interval, from few evaluations of many levels at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

REACH = np.geomspace(0.8, 48.0, 14)
"""How far from the estimate the end is first looked for, in steps."""

POINTS = np.arange(1, 14) / 14.0
"""Where it is looked for next, within the stretch found: it is then known to about a twentieth of a step."""


def last_rejected(
    log_e: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    bar: float,
    reach: tuple[float, float],
    estimate: float,
    step: float,
    also: float,
) -> float:
    """Return the last level, going from reach[0] to reach[1], whose log e-value is at least `bar`.

    log_e: of an array of levels; it must not rise from reach[0] to reach[1]. estimate, step: where the end is likely,
    as a level and a spread > 0. also: a level that must fall on its right side. The level returned is a rejected one,
    so that coverage is kept; reach[0] when not even that is rejected.
    """
    start, end = reach
    away = -step if start < end else step
    levels = np.clip(np.concatenate([estimate + away * REACH, [estimate, also]]), min(reach), max(reach))
    levels = np.concatenate([[start], np.sort(levels)[:: 1 if start < end else -1], [end]])
    low, high = _stretch(log_e(levels) >= bar, levels)
    if low == high:
        return low
    levels = np.concatenate([[low], low + (high - low) * POINTS, [high]])
    return _stretch(log_e(levels) >= bar, levels)[0]


def _stretch(rejected: NDArray[np.bool_], levels: NDArray[np.float64]) -> tuple[float, float]:
    """Return the last level up to which all are rejected and the next one; an end of the levels twice."""
    kept = np.flatnonzero(~rejected)
    place = int(kept[0]) if len(kept) else len(levels)
    return float(levels[max(place - 1, 0)]), float(levels[min(place, len(levels) - 1)])

"""Does the baseline move while a rollout runs? A streaming test over time bins, of bounded size.

Looks are gathered into at most `MOST_BINS` bins; when they are full, neighbours are merged. At looks that lie a
quarter further apart each time, the variance between bins is held against the variance within (one-way analysis of
variance, F by its chi-square limit). The k-th such test has level LEVEL * 6 / (pi k)^2, which sums to LEVEL over all.
"""

from __future__ import annotations

import math
from typing import Any

LEVEL = 0.001
MOST_BINS = 32
LEAST_BINS = 4
FIRST_CHECK = 8
CHECKS_GROW = 1.25
LEAST_ROWS = 30
LEAST_EVENTS = 10.0
LEAST_WEIGHT = 30.0
"""What a bin must hold to be compared: rows; of a rate events and non-events, of numbers rows' worth of weight."""


def begin() -> dict[str, Any]:
    """Return the state before any look: plain numbers and lists."""
    return {"bins": [], "width": 1, "looks": 0, "check": FIRST_CHECK, "checks": 0, "told": None}


def absorb(state: dict[str, Any], n: float, total: float, square: float) -> dict[str, Any]:
    """Return the state with one look's window of the baseline: its rows, their sum and their sum of squares.

    A metric with a heavy tail is better given as its logarithms, a quantile as "exceeds" (1 or 0).
    """
    bins = list(state["bins"])
    looks, width = state["looks"] + 1, state["width"]
    if bins and bins[-1][3] < width:
        bins[-1] = [bins[-1][0] + n, bins[-1][1] + total, bins[-1][2] + square, bins[-1][3] + 1]
    else:
        bins.append([n, total, square, 1])
    if len(bins) > MOST_BINS:
        bins = [_joined(bins[i : i + 2]) for i in range(0, len(bins), 2)]
        width *= 2
    new = {**state, "bins": bins, "width": width, "looks": looks}
    if looks >= state["check"]:
        new["checks"] = state["checks"] + 1
        new["check"] = math.ceil(looks * CHECKS_GROW)
        new["told"] = state["told"] or _told(bins, LEVEL * 6.0 / (math.pi * new["checks"]) ** 2)
    return new


def warning(state: dict[str, Any]) -> str | None:
    """Say how the baseline moved, once it was found to; None while it was not."""
    told: str | None = state["told"]
    return told


def between(bins: list[list[float]]) -> tuple[float, float, int]:
    """Return (p, ratio, bins): the p-value of equal means, and the variance between bins over what is expected.

    bins: [rows, sum, sum of squares, ...] each, in time order; those that hold too little are joined first. p is 1
    where nothing can be told.
    """
    some = _filled(bins)
    if len(some) < LEAST_BINS:
        return 1.0, 1.0, len(some)
    n, total, square = (sum(one[part] for one in some) for part in range(3))
    mean = total / n
    apart = sum(one[0] * (one[1] / one[0] - mean) ** 2 for one in some)
    inside = square - sum(one[1] ** 2 / one[0] for one in some)
    freedom = len(some) - 1
    if inside <= 1e-12 * max(square, 1e-300):
        return (0.0, math.inf, len(some)) if apart > 1e-9 * max(square, 1e-300) else (1.0, 1.0, len(some))
    ratio = apart / freedom / (inside / (n - len(some)))
    return chi_square_tail(ratio * freedom, freedom), ratio, len(some)


def chi_square_tail(value: float, freedom: int) -> float:
    """Return the chance that a chi-square exceeds a value, by Wilson and Hilferty's (1931) cube root."""
    scale = 2.0 / (9.0 * freedom)
    z = ((value / freedom) ** (1.0 / 3.0) - (1.0 - scale)) / math.sqrt(scale)
    return 0.5 * math.erfc(z / math.sqrt(2.0))


def _told(bins: list[list[float]], level: float) -> str | None:
    """Say how the baseline moved when equal means are refused at a level."""
    p, ratio, _ = between(bins)
    if p >= level:
        return None
    some = _filled(bins)
    values = [one[1] / one[0] for one in some]
    low, high = min(values), max(values)
    rows = sum(one[0] for one in some)
    return (
        f"the baseline itself moves: between {low:.3g} and {high:.3g} over {len(some)} periods of {rows:,.0f} requests "
        f"in all, {ratio:.1f} times the variance that independent requests have; judge arms only within the same "
        "period, as arms that run side by side are"
    )


def _joined(some: list[list[float]]) -> list[float]:
    """Return bins as one."""
    return [sum(part) for part in zip(*some, strict=True)]


def _filled(bins: list[list[float]]) -> list[list[float]]:
    """Join neighbours until each bin holds enough; what is left at the end goes to the last."""
    yes_or_no = all(abs(one[1] - one[2]) <= 1e-9 * max(one[2], 1.0) for one in bins)
    done: list[list[float]] = []
    open_: list[float] | None = None
    for one in bins:
        open_ = list(one) if open_ is None else _joined([open_, list(one)])
        if _enough(open_, yes_or_no=yes_or_no):
            done.append(open_)
            open_ = None
    if open_ is not None and done:
        done[-1] = _joined([done[-1], open_])
    return done


def _enough(one: list[float], *, yes_or_no: bool) -> bool:
    """Tell whether a bin's mean is near normal."""
    n, total, square = one[:3]
    if n < LEAST_ROWS:
        return False
    if yes_or_no:
        return min(total, n - total) >= LEAST_EVENTS
    return square <= 0 or total * total >= LEAST_WEIGHT * square

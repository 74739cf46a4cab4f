"""Goal 5, of shadow pairs: a p95 with a ratio margin where both arms answered the same requests."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

import draws
import limits
import numpy as np
import ours
from figures import Case, errors, median, speed
from goal_quantiles import ALPHA, LEVEL, LONGEST, LOOKS_PER_LIMIT, MARGIN, MEDIAN_MS, SIGMA
from scipy import stats

if TYPE_CHECKING:
    from collections.abc import Callable

    from figures import Figure
    from numpy.typing import NDArray

    Pairs = tuple[NDArray[np.float64], NDArray[np.float64]]
    Draw = Callable[[np.random.Generator, tuple[int, int]], Pairs]

RHO = 0.8
"""Correlation of the logarithms: a long prompt is slow in both arms."""

SMALLER_SIGMA = 0.6
"""Log sd of a candidate whose latencies have another shape."""

LOOKS, PER_LOOK = 40, 200


def _latencies(ratio: float, rho: float, sigma: float = SIGMA) -> Draw:
    """Return a draw of pairs of lognormal latencies in ms; the candidate's p95 is `ratio` times the baseline's."""
    z = float(stats.norm.ppf(LEVEL))
    centre = math.log(MEDIAN_MS) + z * (SIGMA - sigma) + math.log(ratio)

    def draw(rng: np.random.Generator, shape: tuple[int, int]) -> Pairs:
        a, own = rng.standard_normal((2, *shape))
        b = rho * a + math.sqrt(1.0 - rho**2) * own
        return MEDIAN_MS * np.exp(SIGMA * a), np.exp(centre + sigma * b)

    return draw


def _speed(beyond: float, name: str, replicates: int, rng: np.random.Generator) -> list[Figure]:
    """Look until a p95 that is slower than its margin by a further share is seen; held also against unpaired arms.

    The limit is that of whoever knows how the arms' answers go together, which these bets do not: it is shown only.
    """
    asked = ours.stream("latency_ms.p95", MARGIN, beyond, alpha=ALPHA, paired=True)
    limit = limits.lognormal_quantile_pairs(SIGMA, 1.0 + beyond, LEVEL, RHO, ALPHA)
    unpaired = limits.lognormal_quantile(SIGMA, 1.0 + beyond, LEVEL, ALPHA)
    per_look, count = round(limit / LOOKS_PER_LIMIT), int(LONGEST * LOOKS_PER_LIMIT)
    looks = draws.number_pairs(rng, replicates, count, per_look, _latencies((1.0 + MARGIN) * (1.0 + beyond), RHO))
    at = ours.judge(asked, looks, replicates).rollback
    seen = np.where(at > 0, at, count) * float(per_look)
    figures = speed(name, seen, at > 0, limit, (None, None, 0.98))
    return [*figures, median(name, "median pairs / unpaired limit", seen / unpaired)]


def _null(
    margin: float, rho: float, sigma: float, name: str, replicates: int, rng: np.random.Generator
) -> list[Figure]:
    """Look forty times at a candidate whose p95 is exactly on its margin."""
    asked = ours.stream("latency_ms.p95", margin, 0.1, alpha=ALPHA, paired=True)
    looks = draws.number_pairs(rng, replicates, LOOKS, PER_LOOK, _latencies(1.0 + margin, rho, sigma))
    decided = ours.judge(asked, looks, replicates, until="both" if margin else "rollback")
    return errors(name, decided, ALPHA, promotion=margin > 0)


def cases() -> list[Case]:
    """List the goal's simulations."""
    found = [
        Case(
            goal=5,
            name=f"pairs (correlation {RHO}), p95 {beyond:+.0%} beyond a margin of {MARGIN:.0%}",
            run=partial(_speed, beyond),
            replicates=1000,
        )
        for beyond in (0.10, 0.25)
    ]
    nulls = [
        ("margin 0", 0.0, RHO, SIGMA),
        ("unrelated, margin 0", 0.0, 0.0, SIGMA),
        (f"another shape (sigma {SMALLER_SIGMA}), margin 0", 0.0, RHO, SMALLER_SIGMA),
        (f"on a margin of {MARGIN:.0%}", MARGIN, RHO, SIGMA),
    ]
    return found + [
        Case(goal=5, name=f"pairs of equal p95, {what}", run=partial(_null, margin, rho, sigma), replicates=4000)
        for what, margin, rho, sigma in nulls
    ]

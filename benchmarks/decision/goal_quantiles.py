"""Goal 5: a p95 with a ratio margin, however the latencies are distributed."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

import draws
import limits
import numpy as np
import ours
from figures import Case, errors, speed
from scipy import stats

if TYPE_CHECKING:
    from collections.abc import Callable

    from figures import Figure
    from numpy.typing import NDArray

ALPHA = 0.05
LEVEL = 0.95
SIGMA, OTHER_SIGMA = 0.8, 0.4
MEDIAN_MS = 300.0
MARGIN = 0.10
LOOKS_PER_LIMIT = 25
LONGEST = 6.0
LOOKS, PER_ARM = 40, 250
ROUNDED_MS = 50.0


def _lognormal(ratio: float, sigma: float = SIGMA) -> Callable[..., NDArray[np.float64]]:
    """Return a `draw`: lognormal latencies in ms; the candidate's p95 is `ratio` times the baseline's."""
    z = float(stats.norm.ppf(LEVEL))
    centre = math.log(MEDIAN_MS) + z * (SIGMA - sigma) + math.log(ratio)

    def draw(rng: np.random.Generator, shape: tuple[int, int], arm: int) -> NDArray[np.float64]:
        return rng.lognormal(centre, sigma, shape) if arm else rng.lognormal(math.log(MEDIAN_MS), SIGMA, shape)

    return draw


def _rounded(draw: Callable[..., NDArray[np.float64]]) -> Callable[..., NDArray[np.float64]]:
    """Return the same latencies on a grid of 50 ms, as a coarse clock reports them."""

    def rounded(rng: np.random.Generator, shape: tuple[int, int], arm: int) -> NDArray[np.float64]:
        return np.ceil(draw(rng, shape, arm) / ROUNDED_MS) * ROUNDED_MS

    return rounded


def _speed(beyond: float, name: str, replicates: int, rng: np.random.Generator) -> list[Figure]:
    """Look until a p95 that is slower than its margin by a further share is seen."""
    asked = ours.stream("latency_ms.p95", MARGIN, beyond, alpha=ALPHA)
    limit = limits.lognormal_quantile(SIGMA, 1.0 + beyond, LEVEL, ALPHA)
    per_arm = round(limit / LOOKS_PER_LIMIT)
    count = int(LONGEST * LOOKS_PER_LIMIT)
    draw = _lognormal((1.0 + MARGIN) * (1.0 + beyond))
    at = ours.judge(asked, draws.numbers(rng, replicates, count, per_arm, draw), replicates).rollback
    seen = np.where(at > 0, at, count) * float(per_arm)
    return speed(name, seen, at > 0, limit, (1.4, 1.6, None))


def _null(
    margin: float, sigma: float, name: str, replicates: int, rng: np.random.Generator, *, rounded: bool
) -> list[Figure]:
    """Look at a candidate whose p95 is exactly on its margin (rounding: whose exact latencies are equal)."""
    asked = ours.stream("latency_ms.p95", margin, 0.1, alpha=ALPHA)
    draw = _lognormal(1.0 + margin, sigma)
    looks = draws.numbers(rng, replicates, LOOKS, PER_ARM, _rounded(draw) if rounded else draw)
    both = margin > 0 and not rounded
    return errors(
        name, ours.judge(asked, looks, replicates, until="both" if both else "rollback"), ALPHA, promotion=both
    )


def cases() -> list[Case]:
    """List the goal's simulations."""
    found = [
        Case(
            goal=5, name=f"p95 {beyond:+.0%} beyond a margin of {MARGIN:.0%}", run=partial(_speed, beyond), replicates=n
        )
        for beyond, n in ((0.10, 1000), (0.25, 1000))
    ]
    nulls = [
        ("same shape, margin 0", 0.0, SIGMA, False),
        ("another shape (sigma .4), margin 0", 0.0, OTHER_SIGMA, False),
        ("another shape (sigma .4), on a margin of 10%", MARGIN, OTHER_SIGMA, False),
        ("rounded to 50 ms, margin 0", 0.0, SIGMA, True),
        ("rounded to 50 ms, another shape, margin 0", 0.0, OTHER_SIGMA, True),
    ]
    return found + [
        Case(goal=5, name=f"equal p95, {what}", run=partial(_null, margin, sigma, rounded=rounded), replicates=4000)
        for what, margin, sigma, rounded in nulls
    ]

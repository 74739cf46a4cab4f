"""Goal 4: rates of shadow pairs, whose answers go together."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import draws
import limits
import numpy as np
import ours
from figures import Case, errors, median, speed

if TYPE_CHECKING:
    from figures import Figure

ALPHA = 0.05
RHO = 0.6
LOOKS_PER_LIMIT = 40
LONGEST = 8.0
BOUNDS = (1.1, 1.35, 0.98)


def _speed(
    margin: float, detect: float, p_a: float, p_b: float, name: str, replicates: int, rng: np.random.Generator
) -> list[Figure]:
    """Look forty times within each limit until the regression is seen; held also against half the unpaired samples."""
    asked = ours.stream("refusal_rate", margin, detect, alpha=ALPHA, paired=True)
    cells = draws.correlated(p_a, p_b, RHO)
    allowed = asked.question.margin or 0.0
    limit = limits.pairs(cells[1], cells[2], allowed, ALPHA)
    unpaired = limits.rates(p_a, p_b, allowed, ALPHA)
    per_look = max(round(limit / LOOKS_PER_LIMIT), 2)
    count = int(LONGEST * limit / per_look) + 1
    at = ours.judge(asked, draws.tables(rng, replicates, count, per_look, cells), replicates).rollback
    seen = np.where(at > 0, at, count) * float(per_look)
    figures = speed(name, seen, at > 0, limit, BOUNDS)
    half = median(name, "median pairs / unpaired limit", seen / unpaired, 0.5)
    return [*figures, half]


def _equal(p_a: float, p_b: float, margin: float, name: str, replicates: int, rng: np.random.Generator) -> list[Figure]:
    """Look a hundred times at pairs exactly on the margin."""
    asked = ours.stream("refusal_rate", margin, 0.01, alpha=ALPHA, paired=True)
    looks = draws.tables(rng, replicates, 100, 100, draws.correlated(p_a, p_b, RHO))
    decided = ours.judge(asked, looks, replicates, until="both")
    return errors(name, decided, ALPHA, promotion=margin > 0)


def cases() -> list[Case]:
    """List the goal's simulations."""
    speeds = [(0.0, 0.05, 0.2, 0.25), (0.0, 0.01, 0.02, 0.03), (0.01, 0.02, 0.02, 0.05)]
    nulls = [(0.0, 0.02, 0.02), (0.01, 0.02, 0.03)]
    return [
        *[
            Case(
                goal=4,
                name=f"pairs, {a:.0%} -> {b:.0%}, margin {100 * margin:.0f}pp, detect {100 * detect:.0f}pp",
                run=partial(_speed, margin, detect, a, b),
                replicates=1000,
            )
            for margin, detect, a, b in speeds
        ],
        *[
            Case(
                goal=4,
                name=f"pairs on a margin of {100 * m:.0f}pp, {a:.0%}",
                run=partial(_equal, a, b, m),
                replicates=4000,
            )
            for m, a, b in nulls
        ],
    ]

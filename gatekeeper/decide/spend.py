"""How a rollout's two error budgets are shared out.

Any proven regression rolls back, so `false_rollback` is divided over every question that may do it. Going forward
needs every question of every stage to be proven, so each may use all of `false_promotion`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

CRITICAL_WEIGHT = 4.0
"""A critical metric's share of the budget, in shares of an ordinary one."""

EQUALITY_SHARE = 0.2
"""What part of the promotion budget proving a candidate better than `detect` may use where the margin is 0."""

SEGMENTS_SHARE = 0.5
"""What part of a question's budget its segments have together; all traffic has the rest."""


def shares(budget: float, critical: Sequence[bool], stages: int) -> list[float]:
    """Divide a budget over the questions of one of `stages` equal stages."""
    weights = [CRITICAL_WEIGHT if yes else 1.0 for yes in critical]
    return [budget / stages * weight / sum(weights) for weight in weights]


def segment_share(budget: float, arrival: int) -> float:
    """Return what the segment that came `arrival`-th (from 1) may spend: 6 / (pi k)^2, which sums to 1 over all k."""
    return budget * 6.0 / (math.pi * arrival) ** 2

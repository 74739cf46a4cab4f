"""Do the arms have the same mix of segments? A Dirichlet-multinomial mixture for each segment, exact.

Under the null a unit's arm does not depend on its segment: the candidate's share is one number, whatever it is. The
e-value of a segment against the others is the marginal likelihood of the arms' order under two shares, its own and
the others' (Jeffreys priors), over the greatest likelihood under one share (universal inference, Wasserman et al.
2020). The segments' e-values are averaged. Counts alone; any order.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

ALPHA = 0.001
"""Error level of the check."""

MOST = 64
"""Segments that are averaged over; those that there are not yet count for nothing."""

LOG_PRIOR = 2.0 * math.lgamma(0.5)


def log_e(counts: Sequence[Sequence[float]]) -> float:
    """Return the log e-value of counts by segment and arm, shape (segments, 2); 0 below two segments."""
    a, b = (sum(row[arm] for row in counts) for arm in (0, 1))
    if len(counts) < 2 or not a or not b:  # noqa: PLR2004 - one segment has nothing to differ from
        return 0.0
    best = a * math.log(a / (a + b)) + b * math.log(b / (a + b))
    terms = [_marginal(*row) + _marginal(a - row[0], b - row[1]) - best for row in counts]
    top = max(terms)
    return top + math.log(sum(math.exp(term - top) for term in terms) / MOST)


def _marginal(a: float, b: float) -> float:
    """Return the log marginal likelihood of a sequence with a and b of each kind under Beta(1/2, 1/2)."""
    return math.lgamma(a + 0.5) + math.lgamma(b + 0.5) - math.lgamma(a + b + 1.0) - LOG_PRIOR

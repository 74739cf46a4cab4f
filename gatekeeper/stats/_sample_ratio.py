"""Is traffic split as it was declared? A Dirichlet-multinomial mixture (Lindon and Malek 2022), exact.

The e-value against "each unit goes to its arm with the declared share" is the marginal likelihood of the counts
under a Dirichlet prior centred on the declared shares, over their likelihood. Counts alone; any order.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

ALPHA = 0.001
"""Error level of the check."""

CONCENTRATION = 200.0
"""The prior's weight in units: within 1.7 times the least possible delay for an even split off by 1 to 10 points."""


def log_e(counts: Sequence[float], shares: Sequence[float]) -> float:
    """Return the log e-value; shares are positive and sum to 1."""
    total = sum(counts)
    result = math.lgamma(CONCENTRATION) - math.lgamma(CONCENTRATION + total)
    for count, share in zip(counts, shares, strict=True):
        prior = CONCENTRATION * share
        result += math.lgamma(prior + count) - math.lgamma(prior) - count * math.log(share)
    return result

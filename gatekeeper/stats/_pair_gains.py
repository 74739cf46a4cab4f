"""What a pair of answers gains at a threshold: additive bets, 1 + u (1{high > c} - t) - v (1{low >= c} - t).

The stakes are those that would grow fastest if the arms' shares beyond the threshold were an alternative's and the
pair's answers unrelated: with log odds x beyond the null's, and small t, that is exp(x) - 1 for the high arm and
1 - exp(-x) for the low arm. Related answers vary less in their difference and bear larger stakes on both arms at once.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gatekeeper.stats import _alternatives

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

LARGER = 1.25
"""Related answers: the stakes of a pull larger by this factor; at a correlation of 0.8 twice, unrelated once."""

WIDTH = 0.6
"""Related answers: the fan of divisions is narrower than that of unrelated arms."""

MOST_LOST = 0.95
"""Part of the stake that the worst pair may cost."""


class Gains(NamedTuple):
    """Hold log gains of each bet, shape (n,), and log weights; gains but `neither` are over that of neither beyond.

    both: what two beyond gain over the sum of one and one; never negative.
    """

    low: Array
    high: Array
    both: Array
    neither: Array
    log_weight: Array


@lru_cache(maxsize=512)
def around(t: float, pull: float | None) -> Gains:
    """Return bets around a pull (see `_alternatives`)."""
    chosen = _alternatives.around(t, None if pull is None else LARGER * pull, width=WIDTH)
    u, v = np.expm1(chosen.high), -np.expm1(-chosen.low)
    changes = np.stack([-u * t - v * (1.0 - t), u * (1.0 - t) + v * t, (u - v) * (1.0 - t), (v - u) * t])
    changes *= np.minimum(1.0, MOST_LOST / -changes.min(axis=0))
    low, high, both, neither = np.log1p(changes)
    return Gains(low - neither, high - neither, both - low - high + neither, neither, chosen.log_weight)

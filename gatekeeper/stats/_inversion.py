"""How many of the high arm are enough: where the log e-value reaches its bar, for many streams at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gatekeeper.stats._thresholds import Lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gatekeeper.stats._alternatives import Alternatives

    Array = NDArray[np.float64]

STEPS = 3
"""Newton steps: from above a convex curve's root they never pass it, so that fewer make bounds wider, never wrong."""


def enough(
    chosen: Sequence[Alternatives], offsets: Sequence[Array], bars: Array, k_low: Sequence[Array]
) -> list[Lines]:
    """Return for each stream the counts of the high arm that reach the bar at the given counts of the low arm."""
    sizes = [len(k) for k in k_low]
    most = max(sizes)
    k = np.stack([np.concatenate([part, np.full(most - len(part), part[-1])]) for part in k_low])
    low, high = (np.stack([getattr(a, name) for a in chosen]) for name in ("low", "high"))
    fixed = np.stack(offsets)[:, None, :] - k[:, :, None] * low[:, None, :]
    with np.errstate(divide="ignore", invalid="ignore"):
        alone = (bars[:, None, None] - fixed) / high[:, None, :]
    needed = np.min(np.where(high[:, None, :] > 0, alone, np.inf), axis=2)
    for step in range(STEPS + 1):
        needed = np.maximum(needed, 0.0)
        log_e, grows, falls = _tangents(fixed, needed, low, high)
        needed = needed + (bars[:, None] - log_e) / grows
        if step == STEPS:
            slope = falls / grows
    return [Lines(k[i, :m], needed[i, :m], slope[i, :m]) for i, m in enumerate(sizes)]


def _tangents(fixed: Array, k_high: Array, low: Array, high: Array) -> tuple[Array, Array, Array]:
    """Return log e-values, and their slopes in the high arm's and (negative) in the low arm's count."""
    terms = fixed + k_high[:, :, None] * high[:, None, :]
    top = terms.max(axis=2)
    terms -= top[:, :, None]
    np.exp(terms, out=terms)
    sums = terms @ np.stack([np.ones_like(low), high, low], axis=2)
    return top + np.log(sums[..., 0]), np.maximum(sums[..., 1] / sums[..., 0], 1e-9), sums[..., 2] / sums[..., 0]

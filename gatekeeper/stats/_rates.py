"""Two arms' counts by stratum, as people read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gatekeeper.stats import Picture, _levels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gatekeeper.stats import Question


def flipped(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return counts [n_a, x_a, n_b, x_b] of the opposite answer."""
    turned = counts.copy()
    turned[..., 1] = counts[..., 0] - counts[..., 1]
    turned[..., 3] = counts[..., 2] - counts[..., 3]
    return turned


def pictures(
    questions: Sequence[Question],
    counts: Sequence[NDArray[np.float64]],
    low_harm: Sequence[float],
    high_harm: Sequence[float],
) -> list[Picture]:
    """Show rates of the answer asked for, from counts (strata, 4) of the harmful one and an interval of harm, each.

    With several strata the estimate compares within them (Mantel and Haenszel 1959); the arms' values are over all.
    """
    strata = [len(one) for one in counts]
    rows = np.concatenate(counts)
    turned = np.repeat([not question.increase for question in questions], strata)
    rows[turned] = flipped(rows[turned])
    starts = np.cumsum([0, *strata[:-1]])
    total = np.add.reduceat(rows, starts)
    within = _within(rows, total, starts).tolist()
    return [
        _picture(question, all_counts, rates, low, high)
        for question, all_counts, rates, low, high in zip(
            questions, total.tolist(), within, low_harm, high_harm, strict=True
        )
    ]


def _picture(
    question: Question, counts: Sequence[float], within: Sequence[float], low_harm: float, high_harm: float
) -> Picture:
    """Show one stream; within: both arms' rates to be compared."""
    n_a, x_a, n_b, x_b = counts
    sizes = round(n_a), round(n_b)
    if not n_a or not n_b:
        rates = x_a / n_a if n_a else None, x_b / n_b if n_b else None
        return Picture(a_n=sizes[0], b_n=sizes[1], a_value=rates[0], b_value=rates[1], note="an arm has no data")
    lower, upper = _levels.effect(question, low_harm, high_harm)
    return Picture(
        a_n=sizes[0],
        b_n=sizes[1],
        a_value=x_a / n_a,
        b_value=x_b / n_b,
        estimate=_levels.estimate(question, *within),
        lower=lower,
        upper=upper,
    )


def _within(rows: NDArray[np.float64], total: NDArray[np.float64], starts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return both arms' rates, shape (streams, 2), over strata weighted alike in both.

    Strata that lack an arm weigh nothing; where all do, and where there is one, rates are those of the totals.
    """
    n, x = rows[:, ::2], rows[:, 1::2]
    weight = n[:, 0] * n[:, 1] / np.maximum(n.sum(axis=1), 1e-300)
    rates = x / np.where(n > 0, n, 1.0)
    sums = np.add.reduceat(np.column_stack([rates * weight[:, None], weight]), starts)
    pooled = total[:, 1::2] / np.where(total[:, ::2] > 0, total[:, ::2], 1.0)
    joined = (np.diff(starts, append=len(rows)) > 1) & (sums[:, 2] > 0)
    return np.asarray(np.where(joined[:, None], sums[:, :2] / np.where(joined, sums[:, 2], 1.0)[:, None], pooled))

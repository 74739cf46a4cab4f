"""Two arms' counts by stratum, as people read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatekeeper.stats import Picture, _levels

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gatekeeper.stats import Question


def flipped(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return counts [n_a, x_a, n_b, x_b] of the opposite answer."""
    turned = counts.copy()
    turned[..., 1] = counts[..., 0] - counts[..., 1]
    turned[..., 3] = counts[..., 2] - counts[..., 3]
    return turned


def picture(question: Question, counts: NDArray[np.float64], low_harm: float, high_harm: float) -> Picture:
    """Show rates of the answer asked for, from counts (strata, 4) of the harmful one and an interval of harm.

    With several strata the estimate compares within them (Mantel and Haenszel 1959); the arms' values are over all.
    """
    if not question.increase:
        counts = flipped(counts)
    n_a, x_a, n_b, x_b = (float(v) for v in counts.sum(axis=0))
    sizes = round(n_a), round(n_b)
    if not n_a or not n_b:
        rates = x_a / n_a if n_a else None, x_b / n_b if n_b else None
        return Picture(a_n=sizes[0], b_n=sizes[1], a_value=rates[0], b_value=rates[1], note="an arm has no data")
    shown = x_a / n_a, x_b / n_b
    lower, upper = _levels.effect(question, low_harm, high_harm)
    estimate = _levels.estimate(question, *(shown if len(counts) == 1 else _within(counts)))
    return Picture(
        a_n=sizes[0],
        b_n=sizes[1],
        a_value=shown[0],
        b_value=shown[1],
        estimate=estimate,
        lower=lower,
        upper=upper,
    )


def _within(counts: NDArray[np.float64]) -> tuple[float, float]:
    """Return both arms' rates over strata weighted alike in both; strata that lack an arm weigh nothing."""
    n_a, x_a, n_b, x_b = counts[(counts[:, 0] > 0) & (counts[:, 2] > 0)].T
    if not len(n_a):
        n_a, x_a, n_b, x_b = counts.sum(axis=0)[:, None]
    weight = n_a * n_b / (n_a + n_b)
    return float(weight @ (x_a / n_a) / weight.sum()), float(weight @ (x_b / n_b) / weight.sum())

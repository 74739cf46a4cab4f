"""Sums and sums of products: all that tests of means need of their data; merged exactly and in any order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from gatekeeper.stats import Batch, Question, State

LEAST_N = 100
"""Observations an arm needs before a normal approximation is trusted at all."""


def begin() -> State:
    """Start with nothing: counts (a, b), sums and products over the columns (a's two, b's two)."""
    return {"n": np.zeros(2), "sum": np.zeros(4), "product": np.zeros((4, 4))}


def absorb(state: State, batch: Batch, *, paired: bool) -> State:
    """Add a window; a number has the denominator 1."""
    a, b = _two(batch.a), _two(batch.b)
    product = np.zeros((4, 4))
    if paired:
        rows = np.concatenate([a, b], axis=1)
        product = rows.T @ rows
    else:
        product[:2, :2], product[2:, 2:] = a.T @ a, b.T @ b
    return {
        "n": state["n"] + [len(a), len(b)],
        "sum": state["sum"] + np.concatenate([a.sum(axis=0), b.sum(axis=0)]),
        "product": state["product"] + product,
    }


def _two(values: np.ndarray) -> np.ndarray:
    """Return numerator and denominator columns."""
    return values if values.shape[1] > 1 else np.concatenate([values, np.ones_like(values)], axis=1)


def values(state: State) -> tuple[float | None, float | None]:
    """Return each arm's total over its denominator's total; None where that is not positive."""
    total = state["sum"]
    return tuple(float(total[i] / total[i + 1]) if total[i + 1] > 0 else None for i in (0, 2))  # type: ignore[return-value]


def spread(state: State, a_value: float, b_value: float, a_scale: float, b_scale: float, *, paired: bool) -> float:
    """Return the variance of b_value / b_scale - a_value / a_scale by the delta method.

    Each arm's residual is numerator - value * denominator, over n times the mean denominator. Paired: one pair more is
    assumed, whose answers are unrelated, so that pairs that all agree do not look certain.
    """
    n, total, product = state["n"], state["sum"], state["product"]
    weight = np.array([-1.0, a_value, 1.0, -b_value])
    weight[:2] /= a_scale * total[1] / n[0]
    weight[2:] /= b_scale * total[3] / n[1]
    blocks = [max(float(weight[s] @ product[s, s] @ weight[s]), 0.0) for s in (slice(0, 2), slice(2, 4))]
    floor = 1e-12 * float(np.abs(weight[:2]) @ np.abs(product[:2, :2]) @ np.abs(weight[:2]))
    if sum(blocks) <= floor:
        return 0.0
    if not paired:
        return blocks[0] / float(n[0]) ** 2 + blocks[1] / float(n[1]) ** 2
    pairs = float(n[0])
    square = max(float(weight @ product @ weight), 0.0)
    return (square + sum(blocks) / pairs) / (pairs * (pairs + 1.0))


def why_not(question: Question, state: State, *, candidate_only: bool = False) -> str:
    """Return why means cannot be compared, "" when they can."""
    n = state["n"]
    used = n[1:] if candidate_only else n
    if not used.min():
        return "an arm has no data"
    if used.min() < LEAST_N:
        return f"means are judged from {LEAST_N} observations in each arm on"
    old, new = values(state)
    if new is None or (old is None and not candidate_only):
        return "an arm has no successes to divide by"
    if question.relative and not candidate_only and (old or 0.0) * new <= 0:
        return "a relative margin needs positive means"
    return ""

"""Sums and sums of products, by stratum: all that tests of means need of their data.

They merge exactly and in any order. Arms are compared post-stratified: each arm's mean within a stratum is weighted by
the stratum's share of both arms' observations, so that arms that saw another mix of traffic do not differ for it alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gatekeeper.stats import Batch, Question, State

    Array = NDArray[np.float64]

LEAST_N = 100
"""Observations an arm needs before a normal approximation is trusted at all."""

LEAST_IN_STRATUM = 20
"""Strata with fewer in an arm are put together: their own variances would be no more than guesses."""

ROUNDING = 1e-12
"""A variance below this part of its terms is what rounding left of none."""

ARMS = (slice(0, 2), slice(2, 4))
"""Each arm's numerator and denominator among the columns."""


def begin(question: Question) -> State:
    """Start with nothing: by stratum, counts (a, b), sums and products over the columns (a's two, b's two)."""
    del question
    return {"n": np.zeros((1, 2)), "sum": np.zeros((1, 4)), "product": np.zeros((1, 4, 4))}


def absorb(questions: Sequence[Question], states: Sequence[State], batches: Sequence[Batch]) -> list[State]:
    """Add each stream's look; strata that are new stand after those already known."""
    del questions
    names = ("n", "sum", "product")
    return [
        {name: _plus(state[name], more) for name, more in zip(names, batch.sums(), strict=True)}
        for state, batch in zip(states, batches, strict=True)
    ]


def _plus(old: Array, new: Array) -> Array:
    """Add, with zeros for strata that only one of both knows."""
    if len(old) < len(new):
        old, new = new, old
    total = old.copy()
    total[: len(new)] += new
    return total


def flat(state: State) -> State:
    """Return the state with its strata put together."""
    return {name: part.sum(axis=0, keepdims=True) for name, part in state.items()}


def comparable(state: State) -> State:
    """Return the strata in which both arms can be compared, small ones put together; none when there are none."""
    least = state["n"].min(axis=1)
    if len(least) == 1:
        return state
    large, small = least >= LEAST_IN_STRATUM, (least > 0) & (least < LEAST_IN_STRATUM)
    rest = {name: part[small].sum(axis=0, keepdims=True) for name, part in state.items()}
    keep_rest = small.any() and (rest["n"].min() >= LEAST_IN_STRATUM or not large.any())
    return {
        name: np.concatenate([part[large], rest[name]]) if keep_rest else part[large] for name, part in state.items()
    }


def _means(state: State) -> tuple[Array, Array]:
    """Return each stratum's weight, shape (strata,), and the weighted means of the columns, shape (4,)."""
    n = state["n"]
    weight = n.sum(axis=1) / max(float(n.sum()), 1.0)
    share = np.divide(weight[:, None], n, out=np.zeros_like(n), where=n > 0)
    return weight, np.asarray((np.repeat(share, 2, axis=1) * state["sum"]).sum(axis=0))


def values(state: State) -> tuple[float | None, float | None]:
    """Return each arm's mean numerator over its mean denominator; None where that is not positive."""
    mean = _means(state)[1]
    a, b = (float(mean[s][0] / mean[s][1]) if mean[s][1] > 0 else None for s in ARMS)
    return a, b


def arm_spread(state: State, arm: int, value: float, scale: float) -> float:
    """Return the variance of an arm's value over `scale` by the delta method, 0 when nothing varies.

    The residual is numerator - value * denominator, over the mean denominator; strata vary on their own.
    """
    weight, mean = _means(state)
    part = ARMS[arm]
    n, total, product = state["n"][:, arm], state["sum"][:, part], state["product"][:, part, part]
    line = np.array([1.0, -value]) / (scale * mean[part][1])
    square = line @ product @ line / n
    variance = np.maximum(square - (total @ line / n) ** 2, 0.0)
    terms = np.abs(line) @ np.abs(product) @ np.abs(line) / n
    found = float(weight**2 @ (variance / n))
    return found if found > ROUNDING * float(weight**2 @ (terms / n)) else 0.0


def spread(state: State, a_value: float, b_value: float, a_scale: float, b_scale: float, *, paired: bool) -> float:
    """Return the variance of b_value / b_scale - a_value / a_scale, 0 when nothing varies.

    Pairs are taken over all strata. One more is assumed, whose answers are unrelated, so that pairs that all agree do
    not look certain.
    """
    if not paired:
        return arm_spread(state, 0, a_value, a_scale) + arm_spread(state, 1, b_value, b_scale)
    whole = flat(state)
    pairs, product, mean = float(whole["n"][0, 0]), whole["product"][0], _means(whole)[1]
    line = np.array([-1.0, a_value, 1.0, -b_value])
    line[:2] /= a_scale * mean[1]
    line[2:] /= b_scale * mean[3]
    alone = arm_spread(whole, 0, a_value, a_scale) + arm_spread(whole, 1, b_value, b_scale)
    if alone <= 0:
        return 0.0
    return (max(float(line @ product @ line), 0.0) + alone * pairs) / (pairs * (pairs + 1.0))


def why_not(n: Array) -> str:
    """Return why means of so many observations cannot be judged, "" when they can."""
    if not len(n):
        return "no class of traffic has data of both arms"
    least = float(n.sum(axis=0).min())
    if not least:
        return "an arm has no data"
    if least < LEAST_N:
        more = int(np.ceil(LEAST_N - least))
        return f"means are judged from {LEAST_N} observations in each arm on, {more} more are needed"
    return ""

"""Sums and sums of products, by stratum: all that tests of means need of their data.

They merge exactly and in any order. Arms are compared post-stratified: each arm's mean within a stratum is weighted by
the stratum's share of both arms' observations, so that arms that saw another mix of traffic do not differ for it alone.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

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
    if len(state["n"]) == 1:
        return state
    least = state["n"].min(axis=1)
    large, small = least >= LEAST_IN_STRATUM, (least > 0) & (least < LEAST_IN_STRATUM)
    rest = {name: part[small].sum(axis=0, keepdims=True) for name, part in state.items()}
    keep_rest = small.any() and (rest["n"].min() >= LEAST_IN_STRATUM or not large.any())
    return {
        name: np.concatenate([part[large], rest[name]]) if keep_rest else part[large] for name, part in state.items()
    }


class _Stratum(NamedTuple):
    """Hold one arm's moments in one stratum: plain numbers, of which a few cost less than arrays of as few.

    weight: the stratum's share of both arms' observations. n: the arm's own. top, bottom: its numerators' and
    denominators' means; the rest: the means of their products.
    """

    weight: float
    n: float
    top: float
    bottom: float
    top_top: float
    top_bottom: float
    bottom_bottom: float


def _strata(state: State, arm: int) -> list[_Stratum]:
    """Return an arm's moments by stratum, those left out in which it has nothing."""
    n = state["n"].tolist()
    every = max(sum(a + b for a, b in n), 1.0)
    top, bottom = ARMS[arm].start, ARMS[arm].start + 1
    return [
        _Stratum(
            weight=(here[0] + here[1]) / every,
            n=here[arm],
            top=total[top] / here[arm],
            bottom=total[bottom] / here[arm],
            top_top=product[top][top] / here[arm],
            top_bottom=product[top][bottom] / here[arm],
            bottom_bottom=product[bottom][bottom] / here[arm],
        )
        for here, total, product in zip(n, state["sum"].tolist(), state["product"].tolist(), strict=True)
        if here[arm] > 0
    ]


def _value(strata: list[_Stratum]) -> float | None:
    """Return the mean numerator over the mean denominator; None where that is not positive."""
    bottom = sum(one.weight * one.bottom for one in strata)
    return sum(one.weight * one.top for one in strata) / bottom if bottom > 0 else None


def values(state: State) -> tuple[float | None, float | None]:
    """Return each arm's mean numerator over its mean denominator; None where that is not positive."""
    return _value(_strata(state, 0)), _value(_strata(state, 1))


def arm_spread(state: State, arm: int, value: float, scale: float) -> float:
    """Return the variance of an arm's value over `scale` by the delta method, 0 when nothing varies.

    The residual is numerator - value * denominator, over the mean denominator; strata vary on their own.
    """
    strata = _strata(state, arm)
    unit = 1.0 / (scale * sum(one.weight * one.bottom for one in strata))
    slope = -value * unit
    found = most = 0.0
    for one in strata:
        ends = unit * unit * one.top_top + slope * slope * one.bottom_bottom
        cross = 2.0 * unit * slope * one.top_bottom
        variance = max(ends + cross - (unit * one.top + slope * one.bottom) ** 2, 0.0)
        found += one.weight * one.weight * variance / one.n
        most += one.weight * one.weight * (ends + abs(cross)) / one.n
    return found if found > ROUNDING * most else 0.0


def spread(state: State, a_value: float, b_value: float, a_scale: float, b_scale: float, *, paired: bool) -> float:
    """Return the variance of b_value / b_scale - a_value / a_scale, 0 when nothing varies.

    Pairs are taken over all strata. One more is assumed, whose answers are unrelated, so that pairs that all agree do
    not look certain.
    """
    if not paired:
        return arm_spread(state, 0, a_value, a_scale) + arm_spread(state, 1, b_value, b_scale)
    whole = flat(state)
    pairs, product = float(whole["n"][0, 0]), whole["product"][0]
    line = np.array([-1.0, a_value, 1.0, -b_value])
    line[:2] /= a_scale * whole["sum"][0, 1] / pairs
    line[2:] /= b_scale * whole["sum"][0, 3] / pairs
    alone = arm_spread(whole, 0, a_value, a_scale) + arm_spread(whole, 1, b_value, b_scale)
    if alone <= 0:
        return 0.0
    return (max(float(line @ product @ line), 0.0) + alone * pairs) / (pairs * (pairs + 1.0))


def why_not(sizes: Sequence[float]) -> str:
    """Return why means of so many observations, by arm, cannot be judged, "" when they can."""
    least = min(sizes)
    if not least:
        return "an arm has no data"
    if least < LEAST_N:
        more = math.ceil(LEAST_N - least)
        return f"means are judged from {LEAST_N} observations in each arm on, {more} more are needed"
    return ""

"""Means, and quotients of totals, of two independent arms: a one-sided asymptotic confidence sequence.

On the logarithm of the ratio of means where the margin is relative (delta-method variance), on their difference where
it is absolute; see `_mean_sequence`. Asymptotic: errors are at most alpha in the limit of many observations, so it
does not speak below 100 in each arm, nor where all values are equal. State: sums and products, merged exactly and in
any order.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from gatekeeper.stats import Batch, Picture, Question, State, Weight, _mean_sequence, _moments

if TYPE_CHECKING:
    from collections.abc import Sequence

PAIRED = False
EXACT = False


def begin(question: Question) -> State:
    """Start with nothing."""
    del question
    return _moments.begin()


def absorb(questions: Sequence[Question], states: Sequence[State], batches: Sequence[Batch]) -> list[State]:
    """Add each stream's window."""
    del questions
    return [_moments.absorb(state, batch, paired=PAIRED) for state, batch in zip(states, batches, strict=True)]


def _measured(question: Question, state: State, *, paired: bool) -> tuple[float, float]:
    """Return (estimate, variance) of the log ratio or the difference; variance 0 when nothing varies."""
    old, new = _moments.values(state)
    if old is None or new is None:
        return 0.0, 0.0
    if question.relative:
        return math.log(new / old), _moments.spread(state, old, new, old, new, paired=paired)
    return new - old, _moments.spread(state, old, new, 1.0, 1.0, paired=paired)


def _scale(question: Question) -> float:
    """Return the mixture's scale: the regression worth catching fastest."""
    return math.log1p(question.detect) if question.relative else question.detect


def _level(question: Question, harm: float) -> float:
    """Return harm on the axis of the estimate, positive: log(1 + m), -log(1 - m) or m."""
    if not question.relative:
        return harm
    return math.log1p(harm) if question.increase else -math.log1p(-harm)


def weigh_means(question: Question, state: State, *, paired: bool) -> Weight:
    """Return the e-values that belong to the sequence's bounds."""
    nothing = Weight(rollback=-math.inf, promotion=-math.inf)
    if _moments.why_not(question, state):
        return nothing
    estimate, variance = _measured(question, state, paired=paired)
    if variance <= 0:
        return nothing
    harm = estimate if question.increase else -estimate
    scale = _scale(question)
    proven = -math.inf
    if question.proof_margin is not None:
        proven = _mean_sequence.log_e(_level(question, question.proof_margin) - harm, variance, scale)
    return Weight(
        rollback=_mean_sequence.log_e(harm - _level(question, question.margin or 0.0), variance, scale),
        promotion=proven,
    )


def picture_means(question: Question, state: State, *, paired: bool) -> Picture:
    """Show both values with the sequence's bounds."""
    old, new = _moments.values(state)
    a_n, b_n = (int(n) for n in state["n"])
    note = _moments.why_not(question, state)
    if old is None or new is None or (question.relative and old * new <= 0):
        return Picture(a_n=a_n, b_n=b_n, a_value=old, b_value=new, note=note)
    estimate, variance = _measured(question, state, paired=paired)
    shown = math.expm1(estimate) if question.relative else estimate
    if not note and variance <= 0:
        note = "all values are equal, so nothing tells how far they could vary"
    if note:
        return Picture(a_n=a_n, b_n=b_n, a_value=old, b_value=new, estimate=shown, note=note)
    ends = [_mean_sequence.half_width(variance, _scale(question), alpha) for alpha in _alphas(question)]
    lower, upper = estimate - ends[0], estimate + ends[1]
    if question.relative:
        lower, upper = math.expm1(lower), math.expm1(upper)
    return Picture(a_n=a_n, b_n=b_n, a_value=old, b_value=new, estimate=shown, lower=lower, upper=upper)


def _alphas(question: Question) -> tuple[float, float]:
    """Return the error levels of the lower and of the upper bound."""
    both = question.alpha_rollback, question.alpha_promotion
    return both if question.increase else both[::-1]


def weigh(question: Question, state: State) -> Weight:
    """Return both e-values at the policy's margin."""
    return weigh_means(question, state, paired=PAIRED)


def picture(question: Question, state: State) -> Picture:
    """Show both values and the interval."""
    return picture_means(question, state, paired=PAIRED)

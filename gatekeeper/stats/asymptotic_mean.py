"""Means, and quotients of totals, of two independent arms: a one-sided asymptotic confidence sequence.

On the logarithm of the ratio of means where the margin is relative (delta-method variance), on their difference where
it is absolute; see `_mean_sequence`. Post-stratified: see `_moments`. Asymptotic: errors are at most alpha in the limit
of many observations, so it does not speak below 100 in each arm, nor where all values are equal. State: sums and
products, merged exactly and in any order.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from gatekeeper.stats import Picture, Question, State, Weight, _means, _moments

if TYPE_CHECKING:
    from gatekeeper.stats._means import Bars, Measured

PAIRED = False
EXACT = False

begin, absorb = _moments.begin, _moments.absorb


def measure(question: Question, state: State, *, paired: bool) -> Measured:
    """Return the log ratio or the difference of the arms' values."""
    used = _moments.flat(state) if paired else _moments.comparable(state)
    a_n, b_n = state["n"].sum(axis=0).tolist()
    sizes = [a_n, b_n] if used is state else used["n"].sum(axis=0).tolist()
    note = _moments.why_not(sizes) if len(used["n"]) else "no class of traffic has data of both arms"
    old, new = _moments.values(used if len(used["n"]) else _moments.flat(state))
    if old is None or new is None or not len(used["n"]):
        note = note or "an arm has no successes to divide by"
        return _means.Measured((a_n, b_n), (old, new), None, 0.0, note)
    if question.relative and old * new <= 0:
        note = note or "a relative margin needs positive means"
        return _means.Measured((a_n, b_n), (old, new), None, 0.0, note)
    scales = (old, new) if question.relative else (1.0, 1.0)
    variance = _means.cautious(_moments.spread(used, old, new, *scales, paired=paired), sizes)
    estimate = math.log(new / old) if question.relative else new - old
    return _means.Measured((a_n, b_n), (old, new), estimate, variance, note or ("" if variance > 0 else _means.EQUAL))


def bars(question: Question) -> Bars:
    """Return margins and effects on the axis of the estimate."""
    margin, proof = question.margin or 0.0, question.proof_margin
    allowed = _level(question, margin)
    return _means.Bars(
        allowed=allowed,
        proven=None if proof is None else _level(question, proof),
        worth=_level(question, margin + question.detect) - allowed,
        ahead=_level(question, proof or question.detect),
    )


def _level(question: Question, harm: float) -> float:
    """Return harm on the axis of the estimate, positive: log(1 + m), -log(1 - m) or m."""
    if not question.relative:
        return harm
    return math.log1p(harm) if question.increase else -math.log1p(-min(harm, 1.0 - 1e-9))


def weigh(question: Question, state: State) -> Weight:
    """Return both e-values at the policy's margin."""
    return _means.weigh(question, measure(question, state, paired=PAIRED), bars(question))


def picture(question: Question, state: State) -> Picture:
    """Show both values and the interval."""
    measured = measure(question, state, paired=PAIRED)
    return _means.picture(question, measured, bars(question), logarithm=question.relative)

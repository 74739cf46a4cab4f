"""A candidate's mean, or quotient of totals, against an absolute bound: an asymptotic confidence sequence.

As `asymptotic_mean` on the candidate alone, over all its traffic; a tenth of the bound is to be seen soonest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatekeeper.stats import Picture, Question, State, Weight, _means, _moments
from gatekeeper.stats.rate_limit import bound

if TYPE_CHECKING:
    from gatekeeper.stats._means import Bars, Measured

PAIRED = False
EXACT = False

WORTH = 0.1
"""Effect to be seen soonest, as a share of the bound."""

begin, absorb = _moments.begin, _moments.absorb


def _measure(state: State) -> Measured:
    """Return the candidate's value with its variance."""
    whole = _moments.flat(state)
    old, value = _moments.values(whole)
    a_n, b_n = whole["n"][0].tolist()
    note = _moments.why_not([b_n])
    if value is None:
        return _means.Measured(
            (a_n, b_n), (old, value), None, 0.0, note or "the candidate has no successes to divide by"
        )
    variance = _means.cautious(_moments.arm_spread(whole, 1, value, 1.0), [b_n])
    return _means.Measured((a_n, b_n), (old, value), value, variance, note or ("" if variance > 0 else _means.EQUAL))


def _bars(question: Question) -> Bars:
    """Return the bound as harm."""
    limit = bound(question)
    worth = WORTH * abs(limit)
    harm = limit if question.increase else -limit
    return _means.Bars(allowed=harm, proven=harm, worth=worth, ahead=worth)


def weigh(question: Question, state: State) -> Weight:
    """Return the e-values against "within the limit" and "beyond the limit"."""
    return _means.weigh(question, _measure(state), _bars(question))


def picture(question: Question, state: State) -> Picture:
    """Show the candidate's value with its interval; the effect is the value itself."""
    return _means.picture(question, _measure(state), _bars(question), logarithm=False)

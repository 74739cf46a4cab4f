"""Means, and quotients of totals, on the same requests (shadow pairs): an asymptotic confidence sequence of pairs.

As `asymptotic_mean`, with the variance of the pair's difference. One more pair is assumed whose answers are unrelated:
arms that agreed on every pair are then known to about one pair in n, instead of for certain.
"""

from __future__ import annotations

from gatekeeper.stats import Picture, Question, State, Weight, _means, _moments
from gatekeeper.stats.asymptotic_mean import bars, measure

PAIRED = True
EXACT = False

begin, absorb = _moments.begin, _moments.absorb


def weigh(question: Question, state: State) -> Weight:
    """Return both e-values at the policy's margin."""
    return _means.weigh(question, measure(question, state, paired=PAIRED), bars(question))


def picture(question: Question, state: State) -> Picture:
    """Show both values and the interval."""
    measured = measure(question, state, paired=PAIRED)
    return _means.picture(question, measured, bars(question), logarithm=question.relative)

"""Means, and quotients of totals, on the same requests (shadow pairs): an asymptotic confidence sequence of pairs.

As `asymptotic_mean`, with the variance of the pair's difference. One more pair is assumed whose answers are unrelated:
arms that agreed on every pair are then known to about one pair in n, instead of for certain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatekeeper.stats import Batch, Picture, Question, State, Weight, _moments, asymptotic_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

PAIRED = True
EXACT = False


def begin(question: Question) -> State:
    """Start with nothing."""
    del question
    return _moments.begin()


def absorb(questions: Sequence[Question], states: Sequence[State], batches: Sequence[Batch]) -> list[State]:
    """Add each stream's pairs."""
    del questions
    return [_moments.absorb(state, batch, paired=PAIRED) for state, batch in zip(states, batches, strict=True)]


def weigh(question: Question, state: State) -> Weight:
    """Return both e-values at the policy's margin."""
    return asymptotic_mean.weigh_means(question, state, paired=PAIRED)


def picture(question: Question, state: State) -> Picture:
    """Show both values and the interval."""
    return asymptotic_mean.picture_means(question, state, paired=PAIRED)

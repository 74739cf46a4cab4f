"""A candidate's mean, or quotient of totals, against an absolute bound: an asymptotic confidence sequence.

As `asymptotic_mean` on the candidate alone; the mixture's scale is a tenth of the bound.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from gatekeeper.stats import Batch, Picture, Question, State, Weight, _mean_sequence, _moments
from gatekeeper.stats.rate_limit import bound

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


def _measured(question: Question, state: State) -> tuple[float | None, float, str]:
    """Return the candidate's value, its variance, and why it cannot be judged."""
    value = _moments.values(state)[1]
    note = _moments.why_not(question, state, candidate_only=True)
    if value is None or note:
        return value, 0.0, note
    alone = {
        "n": state["n"][[1, 1]],
        "sum": state["sum"][[2, 3, 2, 3]],
        "product": state["product"][2:, 2:],
    }
    doubled = _moments.begin()
    doubled |= {"n": alone["n"], "sum": alone["sum"]}
    doubled["product"][:2, :2] = doubled["product"][2:, 2:] = alone["product"]
    variance = _moments.spread(doubled, value, value, 1.0, 1.0, paired=False) / 2.0
    note = "" if variance > 0 else "all values are equal, so nothing tells how far they could vary"
    return value, variance, note


def _scale(question: Question) -> float:
    """Return the mixture's scale."""
    return max(abs(bound(question)) / 10.0, 1e-9)


def weigh(question: Question, state: State) -> Weight:
    """Return the e-values against "within the limit" and "beyond the limit"."""
    value, variance, note = _measured(question, state)
    if value is None or note:
        return Weight(rollback=-math.inf, promotion=-math.inf)
    harm = value - bound(question) if question.increase else bound(question) - value
    return Weight(
        rollback=_mean_sequence.log_e(harm, variance, _scale(question)),
        promotion=_mean_sequence.log_e(-harm, variance, _scale(question)),
    )


def picture(question: Question, state: State) -> Picture:
    """Show the candidate's value with its interval; the effect is the value itself."""
    value, variance, note = _measured(question, state)
    a_n, b_n = (int(n) for n in state["n"])
    old = _moments.values(state)[0]
    if value is None or note:
        return Picture(a_n=a_n, b_n=b_n, a_value=old, b_value=value, estimate=value, note=note)
    alphas = [question.alpha_rollback, question.alpha_promotion]
    if not question.increase:
        alphas.reverse()
    below, above = (_mean_sequence.half_width(variance, _scale(question), alpha) for alpha in alphas)
    return Picture(
        a_n=a_n, b_n=b_n, a_value=old, b_value=value, estimate=value, lower=value - below, upper=value + above
    )

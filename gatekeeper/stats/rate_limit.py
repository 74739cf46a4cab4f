"""A candidate's rate against an absolute bound: likelihood ratios against the bound, mixed. Exact.

Each ratio is monotone in the answer, so its expectation is at most 1 on the whole one-sided null. Counts alone:
merged exactly and in any order. The baseline does not matter.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from gatekeeper.stats import Batch, Picture, Question, State, Weight
from gatekeeper.stats._mixture import bernoulli_log_e, last_rejected

if TYPE_CHECKING:
    from collections.abc import Sequence

PAIRED = False
EXACT = True
NARROW = 1e-6


def begin(question: Question) -> State:
    """Start with no data: [n, yes] of the baseline and of the candidate."""
    del question
    return {"a": [0, 0], "b": [0, 0]}


def absorb(questions: Sequence[Question], states: Sequence[State], batches: Sequence[Batch]) -> list[State]:
    """Count each stream's answers."""
    del questions
    return [
        {
            "a": [state["a"][0] + len(batch.a), state["a"][1] + int(batch.a[:, 0].sum())],
            "b": [state["b"][0] + len(batch.b), state["b"][1] + int(batch.b[:, 0].sum())],
        }
        for state, batch in zip(states, batches, strict=True)
    ]


def bound(question: Question) -> float:
    """Return the limit."""
    if question.limit is None:
        msg = "a limit test needs a limit"
        raise ValueError(msg)
    return question.limit


def weigh(question: Question, state: State) -> Weight:
    """Return the e-values against "within the limit" and "beyond the limit"."""
    n, yes = state["b"]
    limit = bound(question)
    up = bernoulli_log_e(yes, n, limit, above=True)
    down = bernoulli_log_e(yes, n, limit, above=False)
    return Weight(rollback=up, promotion=down) if question.increase else Weight(rollback=down, promotion=up)


def picture(question: Question, state: State) -> Picture:
    """Show the candidate's rate with its interval; the effect is the rate itself."""
    (a_n, a_yes), (n, yes) = state["a"], state["b"]
    old = a_yes / a_n if a_n else None
    if not n:
        return Picture(a_n=a_n, b_n=0, a_value=old, b_value=None, note="the candidate has no data")
    bars = [-math.log(question.alpha_rollback), -math.log(question.alpha_promotion)]
    if not question.increase:
        bars.reverse()
    low = last_rejected(lambda p: bernoulli_log_e(yes, n, p, above=True), bars[0], NARROW, 1 - NARROW)
    high = last_rejected(lambda p: bernoulli_log_e(yes, n, p, above=False), bars[1], 1 - NARROW, NARROW)
    return Picture(
        a_n=a_n,
        b_n=n,
        a_value=old,
        b_value=yes / n,
        estimate=yes / n,
        lower=0.0 if low <= NARROW else low,
        upper=1.0 if high >= 1 - NARROW else high,
    )

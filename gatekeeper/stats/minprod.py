"""A quantile of two independent arms: the product of two one-sample bets, least over all thresholds. Exact.

The null "q_b <= q_a" (the baseline shifted by the margin) says that some threshold c has P(b > c) <= t and
P(a >= c) >= t, with t = 1 - quantile. At a fixed c each arm's indicator is bet on (one-sample quantile bets, as in
Howard and Ramdas 2022), and the arms' e-values multiply; the least over c is an e-process for the whole null. No
assumption on the distributions; ties are fine. Products are mixed over pairs of strengths (`_alternatives`). State: two
log histograms, merged exactly and in any order; values are held to 0.1 % and rounded against the claim.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

from gatekeeper.stats import Batch, Picture, Question, State, Weight, _alternatives, _histogram, _quantiles, _thresholds

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from gatekeeper.stats._alternatives import Alternatives
    from gatekeeper.stats._thresholds import Arm

PAIRED = False
EXACT = True


def begin(question: Question) -> State:
    """Start with two empty histograms."""
    del question
    return {"a": _histogram.empty(), "b": _histogram.empty()}


def absorb(questions: Sequence[Question], states: Sequence[State], batches: Sequence[Batch]) -> list[State]:
    """Add each stream's values."""
    del questions
    return [_quantiles.absorb(state, batch) for state, batch in zip(states, batches, strict=True)]


def least(
    low: Arm, low_at: NDArray[np.int64], high: Arm, high_at: NDArray[np.int64], t: float, chosen: Alternatives
) -> float:
    """Return the log e-value against "the upper-t quantile of `high` is at most that of `low`".

    low_at, high_at: where the arms' buckets stand after the margin has shifted one of them.
    """
    if not low.n or not high.n:
        return 0.0
    offset = _alternatives.offset_of(chosen, low.n, high.n)
    return _thresholds.least(
        partial(_alternatives.log_e, offset, chosen),
        partial(_thresholds.beyond, low, low_at, high, high_at),
        _thresholds.ends(low, t),
    )


def weigh(question: Question, state: State) -> Weight:
    """Return both e-values at the policy's margin."""
    base, other = (_thresholds.arm(histogram) for histogram in _quantiles.arms(question, state))
    t = 1.0 - _quantiles.share(question)
    up = _histogram.shifted(question, base.at, _quantiles.level(question, question.margin or 0.0), up=True)
    worse = least(base, up, other, other.at, t, _quantiles.alternatives(question, worse=True))
    if question.proof_margin is None:
        return Weight(rollback=worse, promotion=-math.inf)
    down = _histogram.shifted(question, base.at, _quantiles.level(question, question.proof_margin), up=False)
    proven = least(other, other.at, base, down, t, _quantiles.alternatives(question, worse=False))
    return Weight(rollback=worse, promotion=proven)


def picture(question: Question, state: State) -> Picture:
    """Invert both e-processes."""
    return _quantiles.pictures([question], [state])[0]


def pictures(questions: Sequence[Question], states: Sequence[State]) -> list[Picture]:
    """Draw many streams' pictures in one go, which is several times faster than one by one."""
    return _quantiles.pictures(questions, states)

"""A quantile of two independent arms: the product of two one-sample bets, least over all thresholds. Exact.

The null "q_b <= q_a" (the baseline shifted by the margin) says that some threshold c has P(b > c) <= t and
P(a >= c) >= t, with t = 1 - quantile. At a fixed c each arm's indicator is bet on (one-sample quantile bets, as in
Howard and Ramdas 2022), and the arms' e-values multiply; the least over c is an e-process for the whole null. No
assumption on the distributions; ties are fine. Products are mixed over pairs of strengths (`_alternatives`). State: two
log histograms, merged exactly and in any order while they are small (see `_histogram`); values are held to 0.1 % about
the quantile and rounded against the claim.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gatekeeper.stats import Batch, Picture, Question, State, Weight, _histogram, _least, _quantiles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gatekeeper.stats._quantiles import Asked

PAIRED = False
EXACT = True


def begin(question: Question) -> State:
    """Start with two empty histograms."""
    del question
    return {"a": _histogram.empty(), "b": _histogram.empty()}


def absorb(questions: Sequence[Question], states: Sequence[State], batches: Sequence[Batch]) -> list[State]:
    """Add each stream's values."""
    return _quantiles.absorb(questions, states, batches)


def log_e(asked: Sequence[Asked], enough: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
    """Return the log e-values against claims on arms that are not empty; enough: see `_least.least`."""
    table = _quantiles.table(asked)
    bets = _least.Bets(np.stack([-table.low, table.high], axis=1), _quantiles.offsets(table, asked))
    return _least.least([one.claim for one in asked], bets, np.array([one.t for one in asked]), enough)


def weigh(question: Question, state: State) -> Weight:
    """Return both e-values at the policy's margin."""
    return weighs([question], [state])[0]


def weighs(questions: Sequence[Question], states: Sequence[State]) -> list[Weight]:
    """Weigh many streams in one go, which is several times faster than one by one."""
    return _quantiles.weighs(questions, states, log_e)


def roughly(questions: Sequence[Question], states: Sequence[State], proven: Sequence[bool]) -> list[Weight]:
    """Do what `weighs` does, but tell what certainly decides nothing as more than it is, which is quicker."""
    return _quantiles.roughly(questions, states, proven, log_e)


def picture(question: Question, state: State) -> Picture:
    """Invert both e-processes."""
    return _quantiles.pictures([question], [state])[0]


def pictures(questions: Sequence[Question], states: Sequence[State]) -> list[Picture]:
    """Draw many streams' pictures in one go, which is several times faster than one by one."""
    return _quantiles.pictures(questions, states)

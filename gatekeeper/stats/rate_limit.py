"""A candidate's rate against an absolute bound: likelihood ratios against the bound, mixed. Exact.

Each ratio is monotone in the answer, so its expectation is at most 1 on the whole one-sided null. Counts alone:
merged exactly and in any order. A part of the rollback's capital starts later, a little at each window (`_onset`), and
that part needs windows in time order. The baseline does not matter.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from gatekeeper.stats import Batch, Picture, Question, State, Weight, _onset
from gatekeeper.stats._crossing import last_rejected
from gatekeeper.stats._mixture import log_sum, lognormal_weights

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

PAIRED = False
EXACT = True

LOG_ODDS = np.geomspace(0.04, 5.0, 14)
LOG_WEIGHTS = lognormal_weights(LOG_ODDS, 0.65, 0.95)
"""Alternatives by their distance from the bound in log odds: .65 is about twice a rare rate's bound, or half of it."""

NARROW = 1e-6
"""Bounds that the interval is looked for between keep this distance from 0 and 1."""

NOTHING = -700.0
"""Logarithm of a capital too small to matter, where none has started yet."""


def begin(question: Question) -> State:
    """Start with no data: [n, yes] of the baseline and of the candidate, and the later starts' capital."""
    del question
    return {"a": [0.0, 0.0], "b": [0.0, 0.0], "late": np.full(len(LOG_ODDS), NOTHING), "windows": 0}


def absorb(questions: Sequence[Question], states: Sequence[State], batches: Sequence[Batch]) -> list[State]:
    """Add each stream's windows."""
    return [_added(question, state, batch) for question, state, batch in zip(questions, states, batches, strict=True)]


def _added(question: Question, state: State, batch: Batch) -> State:
    """Return one stream's state with its windows added."""
    windows = batch.windows(state["a"][0] + state["b"][0]).sum(axis=1)
    n_a, x_a, n_b, x_b = windows.sum(axis=0).tolist()
    n, yes = windows[windows[:, 2] > 0, 2:].T
    harm = yes if question.increase else n - yes
    gains = _log_gains(np.array([_harmful(question, bound(question))]), above=True)[0]
    late = state["late"]
    for number, step in enumerate(harm[:, None] * gains[0] + (n - harm)[:, None] * gains[1], state["windows"] + 1):
        late = np.maximum(_onset.absorb(late, number, step), NOTHING)
    return {
        "a": [state["a"][0] + n_a, state["a"][1] + x_a],
        "b": [state["b"][0] + n_b, state["b"][1] + x_b],
        "late": late,
        "windows": state["windows"] + len(n),
    }


def bound(question: Question) -> float:
    """Return the limit."""
    if question.limit is None:
        msg = "a limit test needs a limit"
        raise ValueError(msg)
    return question.limit


def _harmful(question: Question, rate: float) -> float:
    """Turn a rate into the harmful answer's, and back."""
    return rate if question.increase else 1.0 - rate


def _log_gains(rates: NDArray[np.float64], *, above: bool) -> NDArray[np.float64]:
    """Return log gains of a yes and of a no against null rates, shape (rates, 2, alternatives)."""
    null = rates[:, None]
    odds = null / (1.0 - null) * np.exp(LOG_ODDS if above else -LOG_ODDS)
    return np.stack([np.log(odds / (1.0 + odds) / null), -np.log((1.0 + odds) * (1.0 - null))], axis=1)


def _log_e(question: Question, state: State, rates: NDArray[np.float64], *, worse: bool) -> NDArray[np.float64]:
    """Return log e-values against "the harmful answer's rate is at most each of `rates`" (worse) or "at least".

    What the later starts have gained against the limit counts at any smaller rate too: that null is a part of it.
    """
    n, yes = state["b"]
    harm = yes if question.increase else n - yes
    log_e = log_sum(np.array([harm, n - harm]) @ _log_gains(rates, above=worse) + LOG_WEIGHTS)
    if not worse:
        return np.asarray(log_e)
    held = rates <= _harmful(question, bound(question))
    return _onset.together(log_e, np.where(held, log_sum(state["late"] + LOG_WEIGHTS), -np.inf))


def weigh(question: Question, state: State) -> Weight:
    """Return the e-values against "within the limit" and "beyond the limit"."""
    limit = np.array([_harmful(question, bound(question))])
    worse, better = (float(_log_e(question, state, limit, worse=worse)[0]) for worse in (True, False))
    return Weight(rollback=worse, promotion=better)


def picture(question: Question, state: State) -> Picture:
    """Show the candidate's rate with its interval; the effect is the rate itself.

    Where the rate rose late, the upper end is never below the lower.
    """
    (a_n, a_yes), (n, yes) = state["a"], state["b"]
    old = a_yes / a_n if a_n else None
    if not n:
        return Picture(a_n=round(a_n), b_n=0, a_value=old, b_value=None, note="the candidate has no data")
    rate, limit = _harmful(question, yes / n), _harmful(question, bound(question))
    step = math.sqrt(rate * (1.0 - rate) / n + 1.0 / (n + 1.0) ** 2)
    ends = (NARROW, 1.0 - NARROW)

    def worse(rates: NDArray[np.float64]) -> NDArray[np.float64]:
        return _log_e(question, state, rates, worse=True)

    def better(rates: NDArray[np.float64]) -> NDArray[np.float64]:
        return _log_e(question, state, rates, worse=False)

    low = last_rejected(worse, -math.log(question.alpha_rollback), ends, rate, step, limit)
    high = last_rejected(better, -math.log(question.alpha_promotion), ends[::-1], rate, step, limit)
    drawn = (0.0 if low <= ends[0] else low, 1.0 if high >= ends[1] else max(low, high))
    lower, upper = sorted(_harmful(question, end) for end in drawn)
    return Picture(
        a_n=round(a_n),
        b_n=round(n),
        a_value=old,
        b_value=yes / n,
        estimate=yes / n,
        lower=lower,
        upper=upper,
    )

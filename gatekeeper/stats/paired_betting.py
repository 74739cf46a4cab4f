"""Two rates on the same requests (shadow pairs): betting on the pair's difference, exact for any dependence in it.

Waudby-Smith and Ramdas (2024, JRSSB). With D = b - shift - slope * a the null says E[D] <= 0, and the product of
1 + stake * D is an e-process as long as each stake, in [0, 1 / -min D), is set before its pair is seen. At margin 0
it is a sequential McNemar test. Stakes follow the past share of pairs that differ (`_pair_bets`) and are mixed over
the effect's size. A part of the rollback's capital starts later, a little at each window (`_onset`), so that a release
that goes wrong after a long good time is still caught soon. Windows must come in time order.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from gatekeeper.stats import Batch, Picture, Question, State, Weight, _levels, _onset, _pair_bets
from gatekeeper.stats._crossing import last_rejected
from gatekeeper.stats._mixture import log_sum

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

PAIRED = True
EXACT = True

NOTHING = -700.0
"""Logarithm of a capital too small to matter, where none has started yet."""


def begin(question: Question) -> State:
    """Start with no pairs: counts by stake size, and the later starts' capital by guess."""
    del question
    return {
        "counts": np.zeros((len(_pair_bets.SIZES), 4)),
        "late": np.full(len(_pair_bets.ROLLBACK_REACH), NOTHING),
        "windows": 0,
    }


def absorb(questions: Sequence[Question], states: Sequence[State], batches: Sequence[Batch]) -> list[State]:
    """Add each stream's windows; a window's stakes rest on the windows before it."""
    return [_added(question, state, batch) for question, state, batch in zip(questions, states, batches, strict=True)]


def _added(question: Question, state: State, batch: Batch) -> State:
    """Return one stream's state with its windows added."""
    past = state["counts"].sum(axis=0)
    windows = batch.tables(float(past.sum()))
    windows = windows[windows.any(axis=1)]
    if not len(windows):
        return state
    windows = windows if question.increase else windows[:, ::-1]
    places = _pair_bets.sizes(question, past + np.cumsum(windows, axis=0) - windows)
    counts, late = state["counts"].copy(), state["late"]
    np.add.at(counts, places, windows)
    margin = np.array([question.margin or 0.0])
    gains = _pair_bets.log_gains(question, margin, places, worse=True)[0]
    for number, step in enumerate(np.einsum("wjc,wc->wj", gains, windows), state["windows"] + 1):
        late = np.maximum(_onset.absorb(late, number, step), NOTHING)
    return {"counts": counts, "late": late, "windows": state["windows"] + len(windows)}


def _log_e(question: Question, state: State, levels: NDArray[np.float64], *, worse: bool) -> NDArray[np.float64]:
    """Return log e-values against "worse by at most each level" (worse) or "by at least".

    What the later starts have gained against the margin counts at any smaller level too: that null is a part of it.
    """
    counts = state["counts"]
    places = np.flatnonzero(counts.any(axis=1))
    gains = _pair_bets.log_gains(question, levels, places, worse=worse)
    log_weights = _pair_bets.LOG_WEIGHTS[0 if worse else 1]
    log_e = log_sum(np.einsum("lwjc,wc->lj", gains, counts[places]) + log_weights)
    if not worse:
        return np.asarray(log_e)
    late = np.where(levels <= (question.margin or 0.0), log_sum(state["late"] + log_weights), -np.inf)
    return _onset.together(log_e, late)


def weigh(question: Question, state: State) -> Weight:
    """Return both e-values at the policy's margin."""
    proven = -math.inf
    if question.proof_margin is not None:
        proven = float(_log_e(question, state, np.array([question.proof_margin]), worse=False)[0])
    worse = _log_e(question, state, np.array([question.margin or 0.0]), worse=True)
    return Weight(rollback=float(worse[0]), promotion=proven)


def picture(question: Question, state: State) -> Picture:
    """Invert both e-processes; where the arms drew apart late, the upper end is never below the lower."""
    table = state["counts"].sum(axis=0)
    n = float(table.sum())
    if not n:
        return Picture(a_n=0, b_n=0, a_value=None, b_value=None, note="no pair has both answers")
    rates = [float(table[2] + table[3]) / n, float(table[1] + table[3]) / n]
    low, high = _ends(question, state, rates, n)
    lower, upper = _levels.effect(question, low, max(low, high))
    if not question.increase:
        rates = [1.0 - rate for rate in rates]
    return Picture(
        a_n=round(n),
        b_n=round(n),
        a_value=rates[0],
        b_value=rates[1],
        estimate=_levels.estimate(question, *rates),
        lower=lower,
        upper=upper,
    )


def _ends(question: Question, state: State, rates: list[float], n: float) -> tuple[float, float]:
    """Return the last level of harm rejected from below, and from above."""
    unit = 1.0 if not question.relative else rates[0] if question.increase else 1.0 - rates[0]
    unit = max(unit, 1.0 / (n + 1.0))
    differ = float(state["counts"][:, 1:3].sum())
    estimate, step = (rates[1] - rates[0]) / unit, math.sqrt(differ + 1.0) / (n * unit)
    first, last = _levels.bounds(question)
    bars = -math.log(question.alpha_rollback), -math.log(question.alpha_promotion)
    margin = question.margin or 0.0

    def worse(levels: NDArray[np.float64]) -> NDArray[np.float64]:
        return _log_e(question, state, levels, worse=True)

    def better(levels: NDArray[np.float64]) -> NDArray[np.float64]:
        return _log_e(question, state, levels, worse=False)

    low = last_rejected(worse, bars[0], (first, last), estimate, step, margin)
    high = last_rejected(better, bars[1], (last, first), estimate, step, question.proof_margin or margin)
    return low, high

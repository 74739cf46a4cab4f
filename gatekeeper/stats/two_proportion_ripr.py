"""Two independent rates: mixture of reverse-information-projection e-processes, exact at any n, rate and split.

Turner, Ly and Grünwald (2024, JSPI) and Turner and Grünwald (2023) for nulls with a margin. A window's e-value is the
likelihood ratio of a guess (p_a, p_b), made from earlier windows alone, to its projection (q_a, q_b) onto the null's
boundary line b = shift + slope * a. At a point of the line the expected value is
(1 + s_a t)^n_a (1 + s_b slope t)^n_b with n_a s_a + slope n_b s_b = 0 by the projection, hence at most 1; inside the
null it is smaller. Guesses are mixed over a grid of effects beyond the margin. Assumes independent requests whose
rates do not differ between arms for another reason than the release. Windows must come in time order.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from gatekeeper.stats import Batch, Picture, Question, State, Weight, _levels
from gatekeeper.stats._mixture import log_sum, lognormal_weights
from gatekeeper.stats._projection import project

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

PAIRED = False
EXACT = True

FAR = (0.3, 0.6, 1.0, 1.5, 3.0, 5.0, 8.0, 12.0, 18.0, 25.0)
GRID = np.array([*(-point for point in reversed(FAR)), 0.0, *FAR])
AT_MARGIN = len(FAR)
AT_DETECT = AT_MARGIN + 1 + FAR.index(1.0)
"""Margins the e-processes are kept for, in units of `detect` from the policy's own: they draw the interval."""

ROLLBACK_REACH = np.geomspace(0.5, 10.0, 12)
PROMOTION_REACH = np.geomspace(0.25, 4.0, 12)
"""How far beyond the margin the guessed effects lie, in units of `detect` (rollback) and of the margin (promotion)."""

PLUG_IN_SHARE = 0.2
"""Weight of the guess that takes both arms' own past rates."""

LOG_WEIGHTS = np.log1p(-PLUG_IN_SHARE) + np.stack(
    [lognormal_weights(ROLLBACK_REACH, 1.5, 1.2), lognormal_weights(PROMOTION_REACH, 1.0, 0.6)]
)
LOG_WEIGHTS = np.concatenate([LOG_WEIGHTS, np.full((2, 1), math.log(PLUG_IN_SHARE))], axis=1)
PRIOR_RATE = 0.05
PRIOR_N = 2.0
FIRST_WINDOW = 16
WINDOW_SHARE = 0.1
"""A window is cut so that none exceeds 16 rows or a tenth of what came before: guesses then follow the data."""


def begin(question: Question) -> State:
    """Start with no data and every e-value at 1."""
    del question
    return {
        "counts": np.zeros(4),
        "pending": np.zeros(4),
        "log_e": np.zeros((2, len(GRID), LOG_WEIGHTS.shape[1])),
    }


def absorb(questions: Sequence[Question], states: Sequence[State], batches: Sequence[Batch]) -> list[State]:
    """Add a window to each stream, cut into smaller ones in time order; the streams are computed side by side."""
    cuts = [
        _cut(batch, int(state["counts"].sum()), flip=not question.increase)
        for question, state, batch in zip(questions, states, batches, strict=True)
    ]
    lines = [_lines(question) for question in questions]
    new: list[State] = [dict(state) for state in states]
    for turn in range(max((len(cut) for cut in cuts), default=0)):
        live = [i for i, cut in enumerate(cuts) if turn < len(cut)]
        _turn(new, live, [cuts[i][turn] for i in live], [lines[i] for i in live])
    return new


def _turn(
    states: list[State],
    live: list[int],
    windows: list[NDArray[np.float64]],
    lines: list[tuple[NDArray[np.float64], ...]],
) -> None:
    """Add one small window to each of the streams `live`, in place; it waits while an arm has nothing in it."""
    ready: list[int] = []
    for place, (i, window) in enumerate(zip(live, windows, strict=True)):
        states[i]["pending"] = states[i]["pending"] + window
        if states[i]["pending"][0] and states[i]["pending"][2]:
            ready.append(place)
    if not ready:
        return
    chosen = [states[live[place]] for place in ready]
    window = np.stack([state["pending"] for state in chosen])
    past = np.stack([state["counts"] for state in chosen])
    null = tuple(np.stack([lines[place][part] for place in ready]) for part in range(4))
    steps = _log_ratio(past, window, *null)
    for state, step, seen in zip(chosen, steps, window, strict=True):
        state["log_e"] = state["log_e"] + step
        state["counts"] = state["counts"] + seen
        state["pending"] = np.zeros(4)


def _cut(batch: Batch, past: int, *, flip: bool) -> list[NDArray[np.float64]]:
    """Cut a window in time order into counts [n_a, x_a, n_b, x_b]."""
    order = np.sort(np.concatenate([batch.a_at, batch.b_at]))
    if not len(order):
        return []
    ends: list[int] = []
    done = 0
    while done < len(order):
        done += max(FIRST_WINDOW, int(WINDOW_SHARE * (past + done)))
        ends.append(min(done, len(order)))
    marks = order[np.array(ends) - 1] + 1
    columns = []
    for values, at in ((batch.a, batch.a_at), (batch.b, batch.b_at)):
        harm = 1.0 - values[:, 0] if flip else values[:, 0]
        stops = np.searchsorted(at, marks)
        columns += [np.diff(stops, prepend=0), np.diff(np.concatenate([[0.0], np.cumsum(harm)])[stops], prepend=0.0)]
    return list(np.stack(columns, axis=1).astype(np.float64))


def _grid(question: Question) -> NDArray[np.float64]:
    """Return the margins the e-processes are kept for, those out of range at its edge."""
    return np.clip((question.margin or 0.0) + question.detect * GRID, *_levels.bounds(question))


def _lines(question: Question) -> tuple[NDArray[np.float64], ...]:
    """Return null shift, slope (2, G, 1) and alternative shift, slope (2, G, 12) for rollback and promotion."""
    levels = _grid(question)[:, None]
    nulls = _levels.line(question, levels)
    worse = _levels.line(question, levels + question.detect * ROLLBACK_REACH)
    scale = question.proof_margin or question.detect
    better = _levels.line(question, levels - scale * PROMOTION_REACH)
    back, forth = _levels.swapped(*nulls), _levels.swapped(*better)
    return tuple(np.stack(both) for both in zip((*nulls, *worse), (*back, *forth), strict=True))


def _log_ratio(
    past: NDArray[np.float64],
    window: NDArray[np.float64],
    shift: NDArray[np.float64],
    slope: NDArray[np.float64],
    alt_shift: NDArray[np.float64],
    alt_slope: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the log e-values (streams, 2, G, 13) of one window each, guessed from the past.

    past, window: (streams, 4) as [n_a, x_a, n_b, x_b]. In direction 0 the second arm is the candidate, in 1 the
    baseline: the null bounds the second arm's rate from above by the line.
    """
    sides = np.array([[0, 1, 2, 3], [2, 3, 0, 1]])
    n1, x1, n2, x2 = np.moveaxis(window[:, sides], 2, 0)[..., None, None]
    m1, y1, m2, y2 = np.moveaxis(past[:, sides], 2, 0)[..., None, None]
    share = n2 / (n1 + n2)
    pooled = (y1 + y2 + PRIOR_N * PRIOR_RATE) / (m1 + m2 + PRIOR_N)
    first = (pooled - share * alt_shift) / (1.0 - share + share * alt_slope)
    shape = (*first.shape[:-1], 1)
    own1 = np.broadcast_to((y1 + PRIOR_N * pooled) / (m1 + PRIOR_N), shape)
    own2 = np.broadcast_to((y2 + PRIOR_N * pooled) / (m2 + PRIOR_N), shape)
    floor1, floor2 = 0.25 / (m1 + 4.0), 0.25 / (m2 + 4.0)
    low = np.maximum(floor1, (floor2 - alt_shift) / alt_slope)
    high = np.minimum(1.0 - floor1, (1.0 - floor2 - alt_shift) / alt_slope)
    first = np.maximum(np.minimum(first, high), np.minimum(low, high))
    p1 = np.clip(np.concatenate([first, own1], axis=-1), floor1, 1.0 - floor1)
    p2 = np.clip(np.concatenate([alt_shift + alt_slope * first, own2], axis=-1), floor2, 1.0 - floor2)
    q1, q2, outside = project(n1, p1, n2, p2, shift, slope)
    gain = (
        x1 * np.log(p1 / q1)
        + (n1 - x1) * np.log((1.0 - p1) / (1.0 - q1))
        + x2 * np.log(p2 / q2)
        + (n2 - x2) * np.log((1.0 - p2) / (1.0 - q2))
    )
    return np.where(outside, gain, 0.0)


def _log_e(state: State) -> NDArray[np.float64]:
    """Return the mixtures' log e-values, shape (2, G)."""
    return np.asarray(log_sum(state["log_e"] + LOG_WEIGHTS[:, None, :]))


def weigh(question: Question, state: State) -> Weight:
    """Return both e-values at the policy's margin."""
    log_e = _log_e(state)
    place = AT_MARGIN if question.proof_margin == question.margin else AT_DETECT
    proven = float(log_e[1, place]) if question.proof_margin is not None else -math.inf
    return Weight(rollback=float(log_e[0, AT_MARGIN]), promotion=proven)


def picture(question: Question, state: State) -> Picture:
    """Invert the e-processes on the grid of margins; an end is the last rejected point, so that coverage is exact."""
    n_a, x_a, n_b, x_b = (float(v) for v in state["counts"] + state["pending"])
    if not n_a or not n_b:
        return Picture(a_n=int(n_a), b_n=int(n_b), a_value=None, b_value=None, note="an arm has no data")
    rates = [x_a / n_a, x_b / n_b]
    if not question.increase:
        rates = [1.0 - rate for rate in rates]
    log_e = _log_e(state)
    levels = _grid(question)
    first, last = _levels.bounds(question)
    low = _crossing(levels, log_e[0], -math.log(question.alpha_rollback), first)
    high = -_crossing(-levels[::-1], log_e[1][::-1], -math.log(question.alpha_promotion), -last)
    lower, upper = _levels.effect(question, low, high)
    return Picture(
        a_n=int(n_a),
        b_n=int(n_b),
        a_value=rates[0],
        b_value=rates[1],
        estimate=_levels.estimate(question, *rates),
        lower=lower,
        upper=upper,
    )


def _crossing(levels: NDArray[np.float64], log_e: NDArray[np.float64], bar: float, nothing: float) -> float:
    """Return the largest level up to which all are rejected; `nothing` when the first is not."""
    kept = np.flatnonzero(log_e < bar)
    if not len(kept):
        return float(levels[-1])
    return float(levels[kept[0] - 1]) if kept[0] else nothing

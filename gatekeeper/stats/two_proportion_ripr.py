"""Two independent rates: mixture of reverse-information-projection e-processes, exact at any n, rate and split.

Turner, Ly and Grünwald (2024, JSPI), and Turner and Grünwald (2023) for nulls with a margin. A window's e-value is a
likelihood ratio of two points chosen from earlier windows alone (`_tilt`); e-values of windows, and of strata (classes
of traffic whose rates may differ, each against the same margin), multiply. The points are mixed over a grid of effects
beyond the margin. Counts may be fractional where a unit's requests count once together: by the weighted inequality of
the arithmetic and geometric mean the expectation is only smaller. Assumes units that are independent and, within a
stratum and a window, alike in both arms but for the release. Windows must come in time order.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from gatekeeper.stats import Batch, Picture, Question, State, Weight, _ledger, _levels, _onset, _rates
from gatekeeper.stats._mixture import log_sum, lognormal_weights
from gatekeeper.stats._tilt import Line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

PAIRED = False
EXACT = True

FAR = (0.3, 0.6, 1.0, 1.5, 3.0, 5.0, 8.0, 12.0, 18.0, 25.0)
GRID = np.array([*(-point for point in reversed(FAR)), 0.0, *FAR])
AT_MARGIN = len(FAR)
AT_DETECT = AT_MARGIN + 1 + FAR.index(1.0)
"""Margins the e-processes are kept for, in units of `detect` from the policy's own: they draw the interval."""

ROLLBACK_REACH = np.geomspace(0.3, 5.0, 10)
GROSS = np.array([0.5, 0.2])
"""Guessed effects: so many times `detect` beyond the margin, and two that know no scale: what is left of the null's
rate in the baseline."""

GROSS_SHARE = 0.1
PROMOTION_REACH = np.geomspace(0.3, 3.0, len(ROLLBACK_REACH) + len(GROSS))
"""Guessed distance inside the margin for promotion, in units of the margin: no change is 1."""

LOG_WEIGHTS = np.stack(
    [
        np.concatenate(
            [
                math.log1p(-GROSS_SHARE) + lognormal_weights(ROLLBACK_REACH, 1.0, 0.35),
                np.full(len(GROSS), math.log(GROSS_SHARE / len(GROSS))),
            ]
        ),
        lognormal_weights(PROMOTION_REACH, 1.0, 0.4),
    ]
)
"""Both are centred on the effect that was declared to matter. A spread of .35 to .4 costs about .3 nats there, a tenth
of the log(20) that a decision takes, and a quarter at half or twice the declared effect."""

ALL_WEIGHTS = LOG_WEIGHTS[[0, 1, 0]]
"""Weights of what speaks for rollback, for promotion, and for harm that began late."""

LEAST_KEPT = np.stack(
    [np.concatenate([0.5 / np.maximum(1.0, ROLLBACK_REACH) ** 0.6, GROSS]), np.full(len(PROMOTION_REACH), 0.1)]
)
"""How far a bet may go while rates are hardly known: to this share of the baseline's null rate. Twice `detect` being
the bet's own effect where it is as large as the rate itself, half is kept at 1, less beyond."""

LEAST_SHARE = (0.005, 0.005)
"""A window waits for more until it holds a two-hundredth of what came before, within a look and at its end."""

GRID_SHARE = (0.25, 0.05)
EVERY_OTHER = slice(0, None, 2)
GRID_WEIGHTS = LOG_WEIGHTS[:, EVERY_OTHER] - log_sum(LOG_WEIGHTS[:, EVERY_OTHER])[:, None]
"""What draws the interval alone bets on every other effect, and in windows of at least a quarter of their past; at a
look's end, when it is drawn, a twentieth is enough."""


def begin(question: Question) -> State:
    """Start with no data and every e-value at 1."""
    del question
    bets = LOG_WEIGHTS.shape[1]
    return {
        **_ledger.begin((2, bets)),
        "late": np.full(bets, -np.inf),
        "windows": 0,
        "grid": _ledger.begin((2, len(GRID), len(GRID_WEIGHTS[0]))),
    }


def absorb(questions: Sequence[Question], states: Sequence[State], batches: Sequence[Batch]) -> list[State]:
    """Add a look to each stream, window by window; the streams are computed side by side."""
    looks = [batch.windows(float(state["counts"][:, ::2].sum())) for state, batch in zip(states, batches, strict=True)]
    strata = [max(w.shape[1], len(state["counts"])) for w, state in zip(looks, states, strict=True)]
    windows = _ledger.side_by_side(looks, strata)
    turned = np.repeat([not question.increase for question in questions], strata)
    windows[:, turned] = _rates.flipped(windows[:, turned])
    asked = [_unspent(question) for question in questions]
    decide = _ledger.Ledger(asked, states, strata, _decide_lines, LEAST_SHARE)
    draw = _ledger.Ledger(asked, [s["grid"] for s in states], strata, _grid_lines, GRID_SHARE)
    late, count = np.array([s["late"] for s in states]), np.array([s["windows"] for s in states])
    steps = decide.add(windows, apart=True)
    if steps:
        for at in range(len(windows)):
            now = np.flatnonzero(steps.at == at)
            moved = steps.owner[now]
            count[moved] += 1
            late[moved] = _onset.absorb(late[moved], count[moved, None], steps.log_e[now, 0])
    draw.add(windows, apart=False)
    return [
        {**state, "late": one, "windows": number, "grid": grid}
        for state, one, number, grid in zip(decide.states(), late, count.tolist(), draw.states(), strict=True)
    ]


@lru_cache(maxsize=4096)
def _unspent(question: Question) -> Question:
    """Return what bets depend on: not on what part of the error budget may be spent, nor on the arms' shares.

    Of absolute margins the same is asked whether more or less is harm, since counts are of the harmful answer.
    """
    increase = question.increase or not question.relative
    return _only(replace(question, alpha_rollback=1.0, alpha_promotion=1.0, share=0.5, increase=increase))


@lru_cache(maxsize=4096)
def _only(question: Question) -> Question:
    """Return the one object that stands for all equal questions: it is found without comparing them."""
    return question


@lru_cache(maxsize=4096)
def _decide_lines(question: Question) -> Line:
    """Return the lines of both directions' bets, each (2, 1) or (2, bets), at the margins that decide."""
    margin = question.margin or 0.0
    proof = margin if question.proof_margin is None else question.proof_margin
    worse, better = _lines(question, np.array([margin])), _lines(question, np.array([proof]))
    picked = [np.stack([back[0, 0], forth[1, 0]]) for back, forth in zip(worse, better, strict=True)]
    return Line(*picked)


@lru_cache(maxsize=4096)
def _grid_lines(question: Question) -> Line:
    """Return the lines of both directions, every margin of the grid and the grid's bets, (2, G, 1) or (2, G, bets)."""
    full = _lines(question, _grid(question))
    return Line(*(part if part.shape[-1] == 1 else part[..., EVERY_OTHER] for part in full))


def _lines(question: Question, levels: NDArray[np.float64]) -> Line:
    """Return the lines at these margins, each (2, margins, 1) or (2, margins, bets).

    In direction 0 the second arm is the candidate, in 1 the baseline: the null bounds its rate from above.
    """
    at = levels[:, None]
    scale = question.proof_margin or question.detect
    gross = np.full(len(GROSS), np.inf)
    null = _levels.line(question, at)
    worse = _levels.line(question, at + np.concatenate([question.detect * ROLLBACK_REACH, gross]))
    better = _levels.line(question, at - scale * PROMOTION_REACH)
    back, forth = _levels.swapped(*null), _levels.swapped(*better)
    return Line(
        shift=np.stack([null[0], back[0]]),
        slope=np.stack([null[1], back[1]]),
        goal_shift=np.stack([worse[0], forth[0]]),
        goal_slope=np.stack([worse[1], forth[1]]),
        least=np.repeat(LEAST_KEPT[:, None, :], len(levels), axis=1),
    )


@lru_cache(maxsize=4096)
def _grid(question: Question) -> NDArray[np.float64]:
    """Return the margins the e-processes are kept for, those out of range at its edge."""
    return np.clip((question.margin or 0.0) + question.detect * GRID, *_levels.bounds(question))


def weigh(question: Question, state: State) -> Weight:
    """Return both e-values at the policy's margin; harm may also have begun late."""
    return weighs([question], [state])[0]


def weighs(questions: Sequence[Question], states: Sequence[State]) -> list[Weight]:
    """Weigh many streams in one go."""
    terms = np.empty((len(states), 3, LOG_WEIGHTS.shape[1]))
    for row, state in zip(terms, states, strict=True):
        row[:2], row[2] = state["log_e"], state["late"]
    terms += ALL_WEIGHTS
    worse, better, late = log_sum(terms).T
    worse = _with_late(states, worse, late)
    return [
        Weight(rollback=back, promotion=-math.inf if question.proof_margin is None else forth)
        for question, back, forth in zip(questions, worse.tolist(), better.tolist(), strict=True)
    ]


def _with_late(states: Sequence[State], log_e: Floats, late: Floats) -> Floats:
    """Return e-values against harm from the start, (streams, ...), together with those against later harm."""
    begun = np.array([state["windows"] > 0 for state in states]).reshape(-1, *(1,) * (log_e.ndim - 1))
    return np.where(begun, _onset.together(log_e, late), log_e)


def picture(question: Question, state: State) -> Picture:
    """Invert the e-processes on the grid of margins; an end is the last rejected point, so that coverage is exact.

    What speaks for harm beyond the policy's margin that began late speaks against every smaller one too.
    """
    return pictures([question], [state])[0]


def pictures(questions: Sequence[Question], states: Sequence[State]) -> list[Picture]:
    """Draw many streams' pictures in one go."""
    terms = np.array([state["grid"]["log_e"] for state in states]) + GRID_WEIGHTS[:, None, :]
    log_e = log_sum(np.ascontiguousarray(np.moveaxis(terms, -1, 0)), axis=0)  # few bets, which are quicker side by side
    late = log_sum(np.array([state["late"] for state in states]) + LOG_WEIGHTS[0])[:, None]
    log_e[:, 0, :AT_MARGIN] = _with_late(states, log_e[:, 0, :AT_MARGIN], late)
    for (worse, better), question, weight in zip(log_e, questions, weighs(questions, states), strict=True):
        worse[AT_MARGIN] = weight.rollback
        if question.proof_margin is not None:
            better[AT_MARGIN if question.proof_margin == question.margin else AT_DETECT] = weight.promotion
    levels = np.array([_grid(question) for question in questions])
    bounds = np.array([_levels.bounds(question) for question in questions])
    bars = -np.log([(question.alpha_rollback, question.alpha_promotion) for question in questions])
    low = _crossings(levels, log_e[:, 0] >= bars[:, :1], bounds[:, 0])
    high = _crossings(levels[:, ::-1], log_e[:, 1, ::-1] >= bars[:, 1:], bounds[:, 1])
    counts = [state["counts"] + state["pending"] for state in states]
    return _rates.pictures(questions, counts, low.tolist(), high.tolist())


def _crossings(levels: Floats, rejected: NDArray[np.bool_], nothing: Floats) -> Floats:
    """Return each row's last level up to which all are rejected; `nothing` where the first is not."""
    first = np.where(rejected.all(axis=1), levels.shape[1], rejected.argmin(axis=1))
    found = levels[np.arange(len(levels)), np.maximum(first - 1, 0)]
    return np.asarray(np.where(first > 0, found, nothing))

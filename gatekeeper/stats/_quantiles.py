"""What the quantile tests share: which arm is to stay below the other, what they bet on, and the picture.

Where less is harm the arms exchange their roles: "b at least (1 - m) a" is "a at most b / (1 - m)".
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from gatekeeper.stats import Batch, Picture, Question, State, _alternatives, _histogram, _inversion, _thresholds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gatekeeper.stats._alternatives import Alternatives
    from gatekeeper.stats._histogram import Histogram
    from gatekeeper.stats._thresholds import Arm

    Places = NDArray[np.int64]

SMALLEST, LARGEST = 0.02, 50.0
"""Ratios beyond these are no bound at all."""

MOST_HARM = 0.98
"""Where less is harm, no more than this share can be lost."""


def share(question: Question) -> float:
    """Return the quantile asked for."""
    if question.quantile is None:
        msg = "a quantile test needs a quantile"
        raise ValueError(msg)
    return question.quantile


def absorb(state: State, batch: Batch) -> State:
    """Return the state with both histograms grown by a look's values."""
    a, b = batch.histograms()
    return {**state, "a": _histogram.add(state["a"], a), "b": _histogram.add(state["b"], b)}


def arms(question: Question, state: State) -> tuple[Histogram, Histogram]:
    """Return the arm that must not be exceeded, and the one that must not exceed it."""
    return (state["a"], state["b"]) if question.increase else (state["b"], state["a"])


def level(question: Question, harm: float) -> float:
    """Turn harm into how far the second arm of `arms` may exceed the first."""
    if question.relative and not question.increase:
        return 1.0 / (1.0 - min(harm, MOST_HARM)) - 1.0
    return harm


def pull(question: Question, *, worse: bool) -> float | None:
    """Return the pull (see `_alternatives`) to bet on: `detect` beyond the margin (worse), or no change at all.

    No change lies a whole margin away from the harm that promotion must rule out. None where the margin is in the
    metric's unit: bets may not depend on the data, and nothing else tells how large the values are.
    """
    if not question.relative:
        return None
    if worse:
        margin = question.margin or 0.0
        far = math.log1p(level(question, margin + question.detect)) - math.log1p(level(question, margin))
    else:
        far = math.log1p(level(question, question.proof_margin or question.detect))
    return _alternatives.TAIL * far


def alternatives(question: Question, *, worse: bool) -> Alternatives:
    """Return what is bet on; the high arm is the candidate where harm is claimed and more is harm, and so on."""
    size = question.share if worse is question.increase else 1.0 - question.share
    return _alternatives.around(1.0 - share(question), pull(question, worse=worse), size)


def pictures(questions: Sequence[Question], states: Sequence[State]) -> list[Picture]:
    """Show quantiles and the intervals of their ratios (relative) or differences, for many streams at once."""
    both = [(_thresholds.arm(state["a"]), _thresholds.arm(state["b"])) for state in states]
    drawn = [_values(question, a, b) for question, (a, b) in zip(questions, both, strict=True)]
    open_ones = [i for i, picture in enumerate(drawn) if not picture.note]
    if not open_ones:
        return drawn
    bounds = _bounds([questions[i] for i in open_ones], [both[i] for i in open_ones])
    for i, (low, high) in zip(open_ones, bounds, strict=True):
        lower, upper = (low, high) if questions[i].increase else (-high, -low)
        drawn[i] = _bounded(questions[i], drawn[i], lower, upper)
    return drawn


def _values(question: Question, a: Arm, b: Arm) -> Picture:
    """Show both quantiles and the estimate."""
    p = share(question)
    old, new = (_histogram.quantile_of(arm.at, arm.below[1:], p) for arm in (a, b))
    a_n, b_n = round(a.n), round(b.n)
    if old is None or new is None:
        return Picture(a_n=a_n, b_n=b_n, a_value=old, b_value=new, note="an arm has no data")
    estimate = new - old
    if question.relative:
        estimate = new / old - 1.0 if old > 0 else None  # type: ignore[assignment]
    return Picture(a_n=a_n, b_n=b_n, a_value=old, b_value=new, estimate=estimate)


def _bounded(question: Question, picture: Picture, lower: float, upper: float) -> Picture:
    """Add bounds: log ratios in buckets where relative; an end too far out says nothing."""
    if question.relative:
        ends = [math.exp(min(max(end * _histogram.WIDTH, -700.0), 700.0)) for end in (lower, upper)]
        low = ends[0] - 1.0 if ends[0] > SMALLEST else None
        high = ends[1] - 1.0 if ends[1] < LARGEST else None
    else:
        low, high = (end if math.isfinite(end) else None for end in (lower, upper))
    return Picture(
        a_n=picture.a_n,
        b_n=picture.b_n,
        a_value=picture.a_value,
        b_value=picture.b_value,
        estimate=picture.estimate,
        lower=low,
        upper=high,
    )


def _bounds(questions: Sequence[Question], both: Sequence[tuple[Arm, Arm]]) -> list[tuple[float, float]]:
    """Return how far the second arm (the baseline, where less is harm) surely exceeds the first, and how far it may."""
    jobs = []
    for question, (a, b) in zip(questions, both, strict=True):
        first, second = (a, b) if question.increase else (b, a)
        t = 1.0 - share(question)
        for low, high, worse in ((first, second, True), (second, first, False)):
            chosen = alternatives(question, worse=worse)
            bar = -math.log(question.alpha_rollback if worse else question.alpha_promotion)
            offset = _alternatives.offset_of(chosen, low.n, high.n)
            jobs.append((low, high, _thresholds.ends(low, t), chosen, offset, bar))
    lines = _inversion.enough(
        [job[3] for job in jobs],
        [job[4] for job in jobs],
        np.array([job[5] for job in jobs]),
        [job[0].n - job[0].below[job[2]] for job in jobs],
    )
    found = []
    for i, (job, line) in enumerate(zip(jobs, lines, strict=True)):
        between = _buckets_between if questions[i // 2].relative else _values_between
        found.append(_thresholds.reach(job[0], job[1], job[2], line, between))
    return [(low, -high) for low, high in zip(found[::2], found[1::2], strict=True)]


def _buckets_between(low: Places, high: Places) -> NDArray[np.float64]:
    """Return from the low bucket's upper edge to the high one's lower edge, in buckets."""
    return (high - low - 1).astype(np.float64)


def _values_between(low: Places, high: Places) -> NDArray[np.float64]:
    """Return from the low bucket's upper edge to the high one's lower edge, in the metric's unit."""
    return np.asarray(np.exp(high * _histogram.WIDTH) - np.exp((low + 1) * _histogram.WIDTH))

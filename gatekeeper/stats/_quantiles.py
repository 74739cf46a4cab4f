"""What the quantile tests share: which arm is to stay below the other, what they bet on, and the picture.

Where less is harm the arms exchange their roles: "b at least (1 - m) a" is "a at most b / (1 - m)".
"""

from __future__ import annotations

import math
from functools import lru_cache, partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gatekeeper.stats import Batch, Picture, Question, State, Weight, _alternatives, _histogram, _inversion, _thresholds
from gatekeeper.stats._alternatives import Alternatives
from gatekeeper.stats._thresholds import Claim

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from gatekeeper.stats._histogram import Histogram
    from gatekeeper.stats._thresholds import Arm

    Array = NDArray[np.float64]
    Places = NDArray[np.int64]
    LogE = Callable[["Sequence[Asked]", "Array | None"], Array]

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


def absorb(questions: Sequence[Question], states: Sequence[State], batches: Sequence[Batch]) -> list[State]:
    """Return states with both histograms grown by a look's values, and narrowed once they are large."""
    new = [one for batch in batches for one in batch.histograms()]
    grown = iter(_histogram.add([state[arm] for state in states for arm in ("a", "b")], new))
    found = []
    for question, state in zip(questions, states, strict=True):
        wanted = share(question)
        found.append(
            {**state, "a": _histogram.kept_small(next(grown), wanted), "b": _histogram.kept_small(next(grown), wanted)}
        )
    return found


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


@lru_cache(maxsize=4096)
def alternatives(question: Question, *, worse: bool) -> Alternatives:
    """Return what is bet on; the high arm is the candidate where harm is claimed and more is harm, and so on."""
    size = question.share if worse is question.increase else 1.0 - question.share
    return _alternatives.around(1.0 - share(question), pull(question, worse=worse), size)


class Asked(NamedTuple):
    """Hold a claim about one stream, and the question it is a part of; worse: the claim is "no worse than allowed"."""

    question: Question
    claim: Claim
    worse: bool

    @property
    def t(self) -> float:
        """Return the share beyond the quantile."""
        return 1.0 - share(self.question)


def table(asked: Sequence[Asked]) -> Alternatives:
    """Return what each claim is bet on, as arrays (claims, bets)."""
    rows = [alternatives(one.question, worse=one.worse) for one in asked]
    distinct = {id(row): row for row in rows}
    places = {key: place for place, key in enumerate(distinct)}
    return Alternatives(*np.array([*distinct.values()]).swapaxes(0, 1)[:, [places[id(row)] for row in rows]])


def offsets(of: Alternatives, asked: Sequence[Asked]) -> NDArray[np.float64]:
    """Return each bet's log weight, less what the arms' values cost it, shape (claims, bets)."""
    low, high = (np.array([arm.n for arm in arms])[:, None] for arms in _arms(asked))
    return _alternatives.offset_of(of, low, high)


def _arms(asked: Sequence[Asked]) -> tuple[list[Arm], list[Arm]]:
    """Return the low and the high arms."""
    return [one.claim.low for one in asked], [one.claim.high for one in asked]


def weighs(
    questions: Sequence[Question],
    states: Sequence[State],
    log_e: LogE,
    *,
    both: tuple[str, str] | None = None,
) -> list[Weight]:
    """Weigh many streams' claims; log_e: the log e-values against those whose arms are not empty.

    both: of pairs, where the states hold the histograms of pairs beyond together, for either claim.
    """
    return _told(questions, _open(_claims(questions, states, both), log_e, None))


def roughly(
    questions: Sequence[Question],
    states: Sequence[State],
    proven: Sequence[bool],
    log_e: LogE,
    *,
    both: tuple[str, str] | None = None,
) -> list[Weight]:
    """Do what `weighs` does, but a log e-value that certainly decides nothing may be told as more than it is.

    That is one that crosses nothing, not even half of a failure's bar; and promotion's of a stream that was proven
    before, while rollback's is below that half.
    """
    asked = _claims(questions, states, both)
    known = iter([yes for yes, question in zip(proven, questions, strict=True) if question.proof_margin is not None])
    enough = np.array([_enough(one) if one.worse or not next(known) else math.inf for one in asked])
    found = _told(questions, _open(asked, log_e, enough))
    for i, (question, weight) in enumerate(zip(questions, found, strict=True)):
        if proven[i] and weight.rollback >= _half(question):
            found[i] = weighs([question], [states[i]], log_e, both=both)[0]
    return found


def _claims(questions: Sequence[Question], states: Sequence[State], both: tuple[str, str] | None) -> list[Asked]:
    """Return the claims against rollback and, where there is one, against promotion, stream by stream."""
    asked = []
    for question, state in zip(questions, states, strict=True):
        base, other = (_thresholds.arm(histogram) for histogram in arms(question, state))
        pairs = [_thresholds.arm(state[name]) for name in both] if both else [None, None]
        asked.append(_claim(question, base, other, pairs[0], worse=True))
        if question.proof_margin is not None:
            asked.append(_claim(question, base, other, pairs[1], worse=False))
    return asked


def _told(questions: Sequence[Question], log_e: Array) -> list[Weight]:
    """Return what the claims' log e-values are of each stream."""
    found = iter(log_e.tolist())
    return [
        Weight(rollback=next(found), promotion=-math.inf if question.proof_margin is None else next(found))
        for question in questions
    ]


def _claim(question: Question, base: Arm, other: Arm, both: Arm | None, *, worse: bool) -> Asked:
    """Return a claim at the policy's margin."""
    if worse:
        shift = partial(_histogram.shifted, question, level=level(question, question.margin or 0.0), up=True)
        return Asked(question, Claim(base, other, shift, other.first, both), worse)
    harm = level(question, question.proof_margin or 0.0)
    moved = _histogram.shifted(question, base.first, harm, up=False)
    return Asked(question, Claim(other, base, _unmoved, moved, both), worse)


def _unmoved(at: Places) -> Places:
    """Return buckets as they stand."""
    return at


def _enough(one: Asked) -> float:
    """Return the log e-value below which nothing comes of a claim."""
    return _half(one.question) if one.worse else -math.log(one.question.alpha_promotion)


def _half(question: Question) -> float:
    """Return half of a failure's bar."""
    return -math.log(question.alpha_rollback) / 2.0


def _open(asked: Sequence[Asked], log_e: LogE, enough: Array | None) -> Array:
    """Return log e-values; 0 against claims about an empty arm."""
    found = np.zeros(len(asked))
    at = [i for i, one in enumerate(asked) if one.claim.low.n and one.claim.high.n]
    if at:
        found[at] = log_e([asked[i] for i in at], None if enough is None else enough[at])
    return found


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
    old, new = (_histogram.quantile_of(arm.first, arm.last, arm.below[1:], p) for arm in (a, b))
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
    asked = []
    for question, (a, b) in zip(questions, both, strict=True):
        first, second = (a, b) if question.increase else (b, a)
        asked.append(Asked(question, Claim(first, second, _unmoved, second.first), worse=True))
        asked.append(Asked(question, Claim(second, first, _unmoved, first.first), worse=False))
    of = table(asked)
    found = _inversion.reach(
        [_inversion.Side(one.claim.low, one.claim.high, one.question.relative) for one in asked],
        np.array([one.t for one in asked]),
        of,
        offsets(of, asked),
        -np.log([one.question.alpha_rollback if one.worse else one.question.alpha_promotion for one in asked]),
    ).tolist()
    return [(low, -high) for low, high in zip(found[::2], found[1::2], strict=True)]

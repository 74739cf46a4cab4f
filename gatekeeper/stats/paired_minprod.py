"""A quantile on the same requests (shadow pairs): bets on the pair, least over all thresholds. Exact for any pairing.

As `minprod`, but a pair is bet on as a whole, 1 + u (1{b > c} - t) - v (1{a >= c} - t), whose expectation is at most 1
under the null whatever ties a to b. Pairs that are slow together say nothing and cost nothing, so that related
answers are decided on sooner. State: log histograms of both arms and of the pairs' smaller value (at the policy's
margin, for each direction), merged exactly and in any order while they are small. The interval is drawn by `minprod`'s
e-processes, which hold for pairs whose answers are not negatively related.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from gatekeeper.stats import Batch, Picture, Question, State, Weight, _histogram, _least, _pair_gains, _quantiles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gatekeeper.stats._pair_gains import Gains
    from gatekeeper.stats._quantiles import Asked

    Places = NDArray[np.int64]

PAIRED = True
EXACT = True


def begin(question: Question) -> State:
    """Start with empty histograms."""
    del question
    return {name: _histogram.empty() for name in ("a", "b", "worse", "better")}


def absorb(questions: Sequence[Question], states: Sequence[State], batches: Sequence[Batch]) -> list[State]:
    """Add each stream's pairs."""
    grown = _quantiles.absorb(questions, states, batches)
    return [_absorb(*one) for one in zip(questions, grown, batches, strict=True)]


def _absorb(question: Question, new: State, batch: Batch) -> State:
    """Add pairs; `worse` and `better` hold min(first, second - 1), at or above c when both indicators are yes.

    new: the state with both arms' values added.
    """
    a_values, b_values, weights, _ = batch.values()
    a, b = _histogram.buckets(a_values), _histogram.buckets(b_values)
    base, other = (a, b) if question.increase else (b, a)
    up = _shift(question, base, question.margin or 0.0, up=True)
    both = {"worse": np.minimum(up, other - 1)}
    if question.proof_margin is not None:
        down = _shift(question, base, question.proof_margin, up=False)
        both["better"] = np.minimum(other, down - 1)
    more = [_histogram.counted(places, weights) for places in both.values()]
    new |= zip(both, _histogram.add([new[name] for name in both], more), strict=True)
    fine = new["b" if question.increase else "a"].get("fine")
    return new | {name: _histogram.narrowed(new[name], fine) for name in both if "fine" not in new[name]}


def _shift(question: Question, at: Places, harm: float, *, up: bool) -> Places:
    """Move buckets by the allowed harm."""
    return _histogram.shifted(question, at, _quantiles.level(question, harm), up=up)


def _log_e(asked: Sequence[Asked], enough: NDArray[np.float64] | None) -> NDArray[np.float64]:
    """Return the log e-values against claims on pairs; enough: see `_least.least`."""
    gains = [_gains(one.question, worse=one.worse) for one in asked]
    fixed = [one.claim.low.n * gain.neither + gain.log_weight for one, gain in zip(asked, gains, strict=True)]
    bets = _least.Bets(np.array([(gain.low, gain.high, gain.both) for gain in gains]), np.array(fixed))
    return _least.least([one.claim for one in asked], bets, np.array([one.t for one in asked]), enough)


@lru_cache(maxsize=4096)
def _gains(question: Question, *, worse: bool) -> Gains:
    """Return what is bet on."""
    return _pair_gains.around(1.0 - _quantiles.share(question), _quantiles.pull(question, worse=worse))


def weigh(question: Question, state: State) -> Weight:
    """Return both e-values at the policy's margin."""
    return weighs([question], [state])[0]


def weighs(questions: Sequence[Question], states: Sequence[State]) -> list[Weight]:
    """Weigh many streams in one go, which is several times faster than one by one."""
    return _quantiles.weighs(questions, states, _log_e, both=("worse", "better"))


def roughly(questions: Sequence[Question], states: Sequence[State], proven: Sequence[bool]) -> list[Weight]:
    """Do what `weighs` does, but tell what certainly decides nothing as more than it is, which is quicker."""
    return _quantiles.roughly(questions, states, proven, _log_e, both=("worse", "better"))


def picture(question: Question, state: State) -> Picture:
    """Draw the interval by `minprod`."""
    return _quantiles.pictures([question], [state])[0]


def pictures(questions: Sequence[Question], states: Sequence[State]) -> list[Picture]:
    """Draw many streams' pictures in one go."""
    return _quantiles.pictures(questions, states)

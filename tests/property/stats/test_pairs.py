"""E-values of pairs have mean at most 1 whatever ties a pair's halves, by summing over all outcomes."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from gatekeeper.stats import Question, _onset, paired_betting

SLACK = 1 + 1e-9
MARGINS = st.sampled_from([0.0, 0.005, 0.03, 0.1])
CELL = st.one_of(st.floats(1e-4, 1), st.sampled_from([0.0, 1e-4, 1e-3]))
BAR = st.sampled_from([math.inf, math.log(1.2)])


@dataclass(frozen=True)
class Counts:
    """Windows of counts (windows, 4) of [neither, candidate alone, baseline alone, both]."""

    counts: np.ndarray

    def tables(self, past: float) -> np.ndarray:
        """Return the counts whatever the past."""
        del past
        return self.counts


@dataclass(frozen=True)
class Case:
    """A question, and a joint law of a pair that lies in the null of one of its two directions."""

    asked: Question
    law: np.ndarray
    worse: bool


@st.composite
def cases(draw: st.DrawFn) -> Case:
    margin, relative, increase, worse = draw(MARGINS), draw(st.booleans()), draw(st.booleans()), draw(st.booleans())
    proof = margin or 0.02
    asked = Question(margin=margin, relative=relative, increase=increase, detect=max(margin, 0.01), proof_margin=proof)
    cells = np.array(draw(st.tuples(CELL, CELL, CELL, CELL)))
    assume(cells.any())
    d = excess(asked, margin if worse else proof)
    within, beyond = (d < 0, d > 0) if worse else (d > 0, d < 0)
    kept, moved = abs(cells[within] @ d[within]), abs(cells[beyond] @ d[beyond])
    assume(worse or kept > 0)
    if moved > kept:
        cells = np.where(beyond, cells * kept / moved, cells)
    assume(cells.any())
    law = np.where(beyond, draw(st.sampled_from([1.0, 1.0, 0.5])), 1.0) * cells
    return Case(asked, law / law.sum(), worse)


def excess(asked: Question, level: float) -> np.ndarray:
    """Return by how much each kind of pair is worse than the level."""
    sign = 1.0 if asked.increase else -1.0
    base = np.array([0.0, 0.0, 1.0, 1.0]) if asked.relative else np.ones(4)
    return sign * np.array([0.0, 1.0, -1.0, 0.0]) - level * base


def mean(case: Case, looks: list[list[tuple[float, np.ndarray]]], bar: float) -> float:
    """Return the mean e-value when one stops at the first look at which it reaches e^bar, or at the last."""
    live, total = [(1.0, paired_betting.begin(case.asked))], 0.0
    for place, look in enumerate(looks):
        grown = [(p * q, state, Counts(counts)) for p, state in live for q, counts in look]
        states = paired_betting.absorb([case.asked] * len(grown), *zip(*((s, c) for _, s, c in grown), strict=True))
        live = []
        for (chance, _, _), state in zip(grown, states, strict=True):
            weight = paired_betting.weigh(case.asked, state)
            log_e = weight.rollback if case.worse else weight.promotion
            if log_e >= bar or place == len(looks) - 1:
                total += chance * math.exp(log_e)
            else:
                live.append((chance, state))
    return total


def outcomes(law: np.ndarray, n: int) -> list[tuple[float, np.ndarray]]:
    """Return the chance and the counts, as one window, of everything that n pairs can show."""
    grid = np.array([cut for cut in itertools.product(range(n + 1), repeat=4) if sum(cut) == n], float)
    chances = stats.multinomial.pmf(grid, n, law)
    return [(chance, counts[None]) for chance, counts in zip(chances.tolist(), grid, strict=True) if chance > 0]


@settings(max_examples=25)
@given(case=cases(), sizes=st.lists(st.integers(1, 3), min_size=1, max_size=2), bar=BAR)
def test_over_looks(case: Case, sizes: list[int], bar: float):
    assert mean(case, [outcomes(case.law, n) for n in sizes], bar) <= SLACK


@settings(max_examples=12)
@given(case=cases())
def test_over_windows_of_one_pair_within_a_look(case: Case):
    first = outcomes(case.law, 1)
    look = [
        (math.prod(p for p, _ in path), np.concatenate([window for _, window in path]))
        for path in itertools.product(first, repeat=3)
    ]
    assert mean(case, [look], math.inf) <= SLACK


@settings(max_examples=12)
@given(case=cases(), n=st.sampled_from([30, 2000]))
def test_after_a_long_time(case: Case, n: int):
    """Given the past the mean grows by no more than what is kept for a late start."""
    past = np.round(n * case.law)[None]
    assume(past.sum() > 0)
    test = paired_betting
    before = test.weigh(case.asked, test.absorb([case.asked], [test.begin(case.asked)], [Counts(past)])[0])
    start = math.exp(before.rollback) + 1 - _onset.FROM_THE_START if case.worse else math.exp(before.promotion)
    looks = [[(1.0, past)], outcomes(case.law, 1), outcomes(case.law, 2)]
    assert mean(case, looks, math.inf) <= start * SLACK


@settings(max_examples=20)
@given(case=cases(), share=st.floats(0, 1), units=st.integers(1, 3), bar=BAR)
def test_units_of_two_related_pairs_that_count_half(case: Case, share: float, units: int, bar: float):
    """A unit's two pairs are alike, or come apart: each has the law, whatever ties them."""
    law = case.law
    joint = share * np.diag(law) + (1 - share) * np.outer(law, law)
    half = np.eye(4) / 2
    unit = [(joint[i, j], half[i] + half[j]) for i in range(4) for j in range(4) if joint[i, j] > 0]
    look = [
        (math.prod(p for p, _ in path), np.sum([table for _, table in path], axis=0)[None])
        for path in itertools.product(unit, repeat=min(units, 2))
    ]
    assert mean(case, [look] if units > 1 else [look, look], bar) <= SLACK

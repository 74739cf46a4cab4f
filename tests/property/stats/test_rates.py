"""E-values of two independent rates have mean at most 1 under every null, by summing over all outcomes."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from gatekeeper.stats import Question, _onset, two_proportion_ripr

SLACK = 1 + 1e-9
SHARES = st.one_of(st.floats(1e-4, 1 - 1e-4), st.sampled_from([1e-4, 0.001, 0.02]))
MARGINS = st.sampled_from([0.0, 0.005, 0.03, 0.1])
BAR = st.sampled_from([math.inf, math.log(1.2)])


@dataclass(frozen=True)
class Counts:
    """One window of counts (strata, 4) as [n_a, x_a, n_b, x_b]."""

    counts: np.ndarray

    def windows(self, past: float) -> np.ndarray:
        """Return the counts whatever the past."""
        del past
        return self.counts[None]


@dataclass(frozen=True)
class Case:
    """A question, and rates of both arms by stratum that lie in the null of one of its two directions."""

    asked: Question
    rates: list[tuple[float, float]]
    worse: bool


@st.composite
def cases(draw: st.DrawFn, strata: int) -> Case:
    margin, relative, increase, worse = draw(MARGINS), draw(st.booleans()), draw(st.booleans()), draw(st.booleans())
    proof = margin or 0.02
    asked = Question(margin=margin, relative=relative, increase=increase, detect=max(margin, 0.01), proof_margin=proof)
    found = []
    for _ in range(strata):
        a, inside = draw(SHARES), draw(st.sampled_from([0.0, 0.0, 0.3]))
        harm = (margin if worse else proof) * (a if relative else 1.0)
        edge = a + harm if increase else a - harm
        b = edge + inside * ((0.0 if worse is increase else 1.0) - edge)
        if not (0 <= edge <= 1 and 0 <= b <= 1):
            b = a if worse else (1.0 if increase else 0.0)
            a = a if worse else 1.0 - b
        found.append((a, b))
    return Case(asked, found, worse)


def outcomes(sizes: list[tuple[int, int]], rates: list[tuple[float, float]]) -> list[tuple[float, np.ndarray]]:
    """Return the chance and the counts of everything that one look of these sizes can show."""
    flat_n, flat_p = [n for pair in sizes for n in pair], [p for pair in rates for p in pair]
    grid = np.array(list(itertools.product(*(range(n + 1) for n in flat_n))), float)
    chances = np.prod(stats.binom.pmf(grid, flat_n, flat_p), axis=1)
    counts = np.stack([np.broadcast_to(flat_n, grid.shape), grid], axis=2).reshape(len(grid), -1, 4)
    return [(chance, count) for chance, count in zip(chances.tolist(), counts, strict=True) if chance > 0]


def mean(case: Case, looks: list[list[tuple[float, np.ndarray]]], bar: float) -> float:
    """Return the mean e-value when one stops at the first look at which it reaches e^bar, or at the last."""
    test = two_proportion_ripr
    live, total = [(1.0, test.begin(case.asked))], 0.0
    for place, look in enumerate(looks):
        grown = [(p * q, state, counts) for p, state in live for q, counts in look]
        asked = [case.asked] * len(grown)
        states = test.absorb(asked, [state for _, state, _ in grown], [Counts(counts) for *_, counts in grown])
        live = []
        for (chance, _, _), state in zip(grown, states, strict=True):
            weight = test.weigh(case.asked, state)
            log_e = weight.rollback if case.worse else weight.promotion
            if log_e >= bar or place == len(looks) - 1:
                total += chance * math.exp(log_e)
            else:
                live.append((chance, state))
    return total


SIZE = st.tuples(st.integers(1, 6), st.integers(1, 6))
UNEVEN = st.sampled_from([(11, 1), (1, 11), (9, 1)])


@settings(max_examples=12)
@given(case=cases(1), first=st.one_of(SIZE, UNEVEN), second=st.one_of(SIZE, UNEVEN), bar=BAR)
def test_over_two_looks(case: Case, first: tuple[int, int], second: tuple[int, int], bar: float):
    looks = [outcomes([size], case.rates) for size in (first, second)]
    assert mean(case, looks, bar) <= SLACK


@settings(max_examples=6)
@given(case=cases(1), sizes=st.lists(st.sampled_from([(1, 1), (2, 0), (0, 1)]), min_size=4, max_size=4))
def test_over_many_small_looks_after_a_long_quiet_time(case: Case, sizes: list[tuple[int, int]]):
    """Given the past the mean grows by no more than what is kept for a late start."""
    test = two_proportion_ripr
    a, b = case.rates[0]
    quiet = np.array([[40.0, round(40 * a), 40.0, round(40 * b)]])
    before = test.weigh(case.asked, test.absorb([case.asked], [test.begin(case.asked)], [Counts(quiet)])[0])
    start = math.exp(before.rollback) + 1 - _onset.FROM_THE_START if case.worse else math.exp(before.promotion)
    looks = [outcomes([size], case.rates) for size in sizes]
    assert mean(case, [[(1.0, quiet)], *looks], math.inf) <= start * SLACK


@settings(max_examples=10)
@given(case=cases(2), sizes=st.lists(st.tuples(st.integers(1, 3), st.integers(1, 3)), min_size=3, max_size=3), bar=BAR)
def test_strata_with_rates_of_their_own_the_second_of_which_comes_later(
    case: Case, sizes: list[tuple[int, int]], bar: float
):
    looks = [outcomes(sizes[:1], case.rates[:1]), outcomes(sizes[1:], case.rates)]
    assert mean(case, looks, bar) <= SLACK


@settings(max_examples=12)
@given(
    case=cases(1),
    units=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    tied=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    looks=st.integers(1, 2),
    bar=BAR,
)
def test_units_of_two_related_requests_that_count_half(
    case: Case, units: tuple[int, int], tied: tuple[float, float], looks: int, bar: float
):
    """A unit shows 0, 1/2 or 1: any law with the arm's mean, between always alike and never."""
    laws = []
    for rate, share in zip(case.rates[0], tied, strict=True):
        half = share * 2 * min(rate, 1 - rate)
        laws.append({0.0: 1 - rate - half / 2, 0.5: half, 1.0: rate - half / 2})
    look = []
    for shown in itertools.product(*(itertools.product(law, repeat=n) for law, n in zip(laws, units, strict=True))):
        chance = math.prod(law[x] for law, arm in zip(laws, shown, strict=True) for x in arm)
        look.append((chance, np.array([[units[0], sum(shown[0]), units[1], sum(shown[1])]], float)))
    assert mean(case, [look] * (1 if max(units) > 2 else looks), bar) <= SLACK

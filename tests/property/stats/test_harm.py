"""More harm in the candidate never speaks for it."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from gatekeeper.stats import Question, minprod, paired_betting, rate_limit, two_proportion_ripr
from gatekeeper.stats._rows import Rows

if TYPE_CHECKING:
    from gatekeeper.stats import Test

NEAR = 1e-9


@dataclass(frozen=True)
class Counts:
    """One window of counts in either form."""

    counts: np.ndarray

    def windows(self, past: float) -> np.ndarray:
        """Return the counts whatever the past."""
        del past
        return self.counts[None, None]

    def tables(self, past: float) -> np.ndarray:
        """Return the counts whatever the past."""
        del past
        return self.counts[None]


def question(margin: float, *, relative: bool = False, increase: bool = True) -> Question:
    return Question(
        margin=margin, relative=relative, increase=increase, detect=max(margin, 0.02), proof_margin=margin or 0.02
    )


QUESTIONS = st.builds(question, st.sampled_from([0.0, 0.02, 0.1]), relative=st.booleans(), increase=st.booleans())


def after(test: Test, asked: Question, windows: list[object]) -> tuple[float, float]:
    state = test.begin(asked)
    for window in windows:
        state = test.absorb([asked], [state], [Counts(np.asarray(window, float))])[0]
    weight = test.weigh(asked, state)
    return weight.rollback, weight.promotion


def grows(asked: Question, less: tuple[float, float], more: tuple[float, float]) -> bool:
    """Tell whether more yes (of the candidate) speaks more for rollback, less for promotion; or the other way."""
    if not asked.increase:
        less, more = more, less
    return more[0] >= less[0] - NEAR and more[1] <= less[1] + NEAR


@settings(max_examples=40)
@given(
    asked=QUESTIONS,
    past=st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=3),
    n=st.tuples(st.integers(8, 30), st.integers(8, 30)),
    shares=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_one_more_yes_in_the_last_window_of_a_rate(
    asked: Question, past: list[tuple[int, int]], n: tuple[int, int], shares: tuple[float, float]
):
    x_a, x_b = round(shares[0] * n[0]), round(shares[1] * (n[1] - 1))
    before = [[30, a, 30, b] for a, b in past]
    less, more = (after(two_proportion_ripr, asked, [*before, [n[0], x_a, n[1], x]]) for x in (x_b, x_b + 1))
    assert grows(asked, less, more)


@settings(max_examples=40)
@given(
    asked=QUESTIONS,
    past=st.lists(st.tuples(*[st.integers(0, 20)] * 4), max_size=3),
    last=st.tuples(*[st.integers(0, 20)] * 4),
    of_both=st.booleans(),
)
def test_one_more_yes_in_the_last_window_of_pairs(
    asked: Question, past: list[tuple[int, ...]], last: tuple[int, ...], *, of_both: bool
):
    less, more = np.array(last), np.array(last)
    less[2 if of_both else 0] += 1
    more[3 if of_both else 1] += 1
    assert grows(asked, *(after(paired_betting, asked, [*past, window]) for window in (less, more)))


@settings(max_examples=40)
@given(
    limit=st.floats(0.001, 0.9),
    increase=st.booleans(),
    past=st.lists(st.integers(0, 50), max_size=3),
    n=st.integers(1, 50),
    share=st.floats(0, 1),
)
def test_one_more_yes_against_a_limit(*, limit: float, increase: bool, past: list[int], n: int, share: float):
    asked = Question(margin=None, limit=limit, increase=increase)
    before = [[0, 0, 50, yes] for yes in past]
    yes = round(share * (n - 1))
    assert grows(asked, *(after(rate_limit, asked, [*before, [0, 0, n, x]]) for x in (yes, yes + 1)))


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000), row=st.integers(0, 59), factor=st.floats(1, 10), increase=st.booleans())
def test_one_larger_value_for_a_quantile(*, seed: int, row: int, factor: float, increase: bool):
    asked = Question(margin=0.1, relative=True, increase=increase, detect=0.1, proof_margin=0.1, quantile=0.8)
    rng = np.random.default_rng(seed)
    a, b = rng.lognormal(4, 1, (2, 60))
    more = b.copy()
    more[row] *= factor
    found = []
    for values in (b, more):
        data = Rows(a=a[:, None], b=values[:, None], a_at=2 * np.arange(60), b_at=2 * np.arange(60) + 1)
        weight = minprod.weigh(asked, minprod.absorb([asked], [minprod.begin(asked)], [data])[0])
        found.append((weight.rollback, weight.promotion))
    assert grows(asked, *found)


@pytest.mark.parametrize("margin", [0.0, 0.05])
@pytest.mark.parametrize("a", [0.02, 0.3])
def test_the_mean_over_two_looks_of_a_rate_rises_with_the_candidates(margin: float, a: float):
    asked = question(margin)
    sizes = [6, 4, 6, 4]
    grid = np.array(list(itertools.product(*(range(n + 1) for n in sizes))), float)
    states = [two_proportion_ripr.begin(asked)] * len(grid)
    for place in (0, 2):
        windows = [Counts(np.array([6, row[place], 4, row[place + 1]])) for row in grid]
        states = two_proportion_ripr.absorb([asked] * len(grid), states, windows)
    values = np.exp([two_proportion_ripr.weigh(asked, state).rollback for state in states])
    means = [float(np.prod(stats.binom.pmf(grid, sizes, [a, b, a, b]), axis=1) @ values) for b in np.linspace(0, 1, 11)]
    assert all(later >= earlier * (1 - NEAR) for earlier, later in itertools.pairwise(means))


@pytest.mark.parametrize("margin", [0.0, 0.05])
def test_the_mean_over_two_looks_of_pairs_rises_with_the_candidates(margin: float):
    asked = question(margin)
    grid = [np.array(cut, float) for cut in itertools.product(range(4), repeat=4) if sum(cut) == 3]
    paths = list(itertools.product(grid, repeat=2))
    values = [math.exp(after(paired_betting, asked, list(path))[0]) for path in paths]
    means = []
    for b in np.linspace(0, 1, 7):
        law = np.array([0.8 * (1 - b), 0.8 * b, 0.2 * (1 - b), 0.2 * b])
        means.append(
            sum(float(np.prod(stats.multinomial.pmf(path, 3, law))) * e for path, e in zip(paths, values, strict=True))
        )
    assert all(later >= earlier * (1 - NEAR) for earlier, later in itertools.pairwise(means))

"""The judge's building blocks at a fixed sample size against scipy, where it has the same thing."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import optimize, stats

from gatekeeper.stats import (
    Question,
    Weight,
    _mixture,
    _moments,
    _onset,
    _projection,
    _sample_ratio,
    asymptotic_mean,
    paired_betting,
    paired_mean,
    quantile_limit,
    rate_limit,
)
from gatekeeper.stats._rows import Rows

if TYPE_CHECKING:
    from gatekeeper.stats import Picture, Test


def rows(a: object, b: object, *, paired: bool = False) -> Rows:
    a, b = np.asarray(a, float)[:, None], np.asarray(b, float)[:, None]
    return Rows(a=a, b=b, a_at=2 * np.arange(len(a)), b_at=2 * np.arange(len(b)) + 1, paired=paired)


def judged(test: Test, question: Question, batch: Rows) -> tuple[Weight, Picture]:
    state = test.absorb([question], [test.begin(question)], [batch])[0]
    return test.weigh(question, state), test.picture(question, state)


def answers(yes: int, n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).permutation(np.repeat([1.0, 0.0], [yes, n - yes]))


def test_the_projection_is_the_root_of_its_condition():
    rng = np.random.default_rng(11)
    tried = 0
    while tried < 200:
        n1, n2 = rng.integers(1, 400, 2).astype(float)
        slope, shift = float(np.exp(rng.uniform(-0.5, 0.5))), float(rng.uniform(0, 0.1))
        p1, p2 = rng.uniform(1e-3, 0.999, 2)
        if p2 <= shift + slope * p1 + 1e-3 or shift + slope * p1 >= 1:
            continue
        tried += 1

        def pull(q: float, point: tuple[float, ...] = (n1, p1, n2, p2, slope, shift)) -> float:
            n1, p1, n2, p2, slope, shift = point
            other = shift + slope * q
            return n1 * (p1 - q) / (q * (1 - q)) + slope * n2 * (p2 - other) / (other * (1 - other))

        high = min((p2 - shift) / slope, 1.0 - 1e-12)
        expected = optimize.brentq(pull, p1, high, xtol=1e-15)
        q1, q2, _ = _projection.project(*(np.array([v]) for v in (n1, p1, n2, p2, shift, slope)))
        assert q1[0] == pytest.approx(expected, rel=1e-8)
        assert q2[0] == pytest.approx(shift + slope * expected, rel=1e-8)


@pytest.mark.parametrize(
    ("counts", "shares"),
    [([530, 470], [0.5, 0.5]), ([8, 1], [0.9, 0.1]), ([0, 0], [0.5, 0.5]), ([900, 50, 60], [0.9, 0.05, 0.05])],
)
def test_the_sample_ratio_is_scipys_dirichlet_multinomial(counts: list[int], shares: list[float]):
    prior = [_sample_ratio.CONCENTRATION * share for share in shares]
    n = sum(counts)
    expected = stats.dirichlet_multinomial.logpmf(counts, prior, n) - stats.multinomial.logpmf(counts, n, shares)
    assert _sample_ratio.log_e(counts, shares) == pytest.approx(float(expected), abs=1e-8)


def test_lognormal_weights_are_scipys_density_on_a_log_grid():
    points = np.geomspace(0.3, 9.0, 15)
    density = stats.lognorm.pdf(points, s=1.2, scale=1.5) * points
    weights = np.exp(_mixture.lognormal_weights(points, 1.5, 1.2))
    assert weights == pytest.approx(density / density.sum())


@pytest.mark.parametrize(("yes", "n"), [(9, 60), (0, 60), (60, 60), (3, 8)])
def test_a_limits_e_values_are_mixtures_of_scipys_likelihoods(yes: int, n: int):
    """What is kept for a late start aside, which adds to the rollback's at most what it holds back."""
    question = Question(margin=None, limit=0.1)
    weight, _ = judged(rate_limit, question, rows(np.zeros(5), answers(yes, n)))
    expected = []
    for sign in (1, -1):
        odds = 0.1 / 0.9 * np.exp(sign * rate_limit.LOG_ODDS)
        ratios = stats.binom.pmf(yes, n, odds / (1 + odds)) / stats.binom.pmf(yes, n, 0.1)
        expected.append(math.log(ratios @ np.exp(rate_limit.LOG_WEIGHTS)))
    assert weight.promotion == pytest.approx(expected[1])
    from_the_start = math.log(_onset.FROM_THE_START) + expected[0]
    late = math.exp(weight.rollback) - math.exp(from_the_start)
    assert weight.rollback >= from_the_start
    assert late <= (1 - _onset.FROM_THE_START) * max(1.0, math.exp(expected[0])) * 2


@pytest.mark.parametrize(("yes", "n"), [(9, 60), (0, 60), (60, 60), (3, 8), (40, 2000)])
def test_an_always_valid_interval_of_a_rate_holds_the_exact_one(yes: int, n: int):
    question = Question(margin=None, limit=0.1, alpha_rollback=0.025, alpha_promotion=0.025)
    _, picture = judged(rate_limit, question, rows(np.zeros(5), answers(yes, n)))
    exact = stats.binomtest(yes, n).proportion_ci(0.95, "exact")
    assert picture.estimate == pytest.approx(yes / n)
    assert (picture.lower or 0.0) <= exact.low + 1e-4
    assert (1.0 if picture.upper is None else picture.upper) >= exact.high - 1e-4


def test_a_quantile_within_its_limit_is_a_question_about_a_rate():
    values = np.random.default_rng(3).lognormal(5, 1, 700)
    limit = float(np.quantile(values, 0.93))
    asked = Question(margin=None, limit=limit, quantile=0.95)
    weight, picture = judged(quantile_limit, asked, rows(np.ones(5), values))
    beyond = int((values > limit).sum())
    odds = 0.05 / 0.95 * np.exp(quantile_limit.LOG_ODDS)
    ratios = stats.binom.pmf(beyond, 700, odds / (1 + odds)) / stats.binom.pmf(beyond, 700, 0.05)
    assert weight.rollback == pytest.approx(math.log(ratios @ np.exp(quantile_limit.LOG_WEIGHTS)))
    assert picture.b_value == pytest.approx(np.quantile(values, 0.95, method="inverted_cdf"), rel=1e-3)


def test_two_means_are_as_far_apart_as_in_welchs_test():
    rng = np.random.default_rng(7)
    a, b = rng.gamma(2, 3, 900), rng.gamma(2, 3.2, 700)
    state = asymptotic_mean.absorb([Question(margin=0.0)], [_moments.begin(Question(margin=0.0))], [rows(a, b)])[0]
    spread = _moments.spread(state, a.mean(), b.mean(), 1.0, 1.0, paired=False)
    z = (b.mean() - a.mean()) / math.sqrt(spread)
    assert z == pytest.approx(stats.ttest_ind(b, a, equal_var=False).statistic, rel=2e-3)


def test_a_mean_of_pairs_is_as_far_from_0_as_in_the_paired_t_test():
    rng = np.random.default_rng(8)
    a = rng.gamma(2, 3, 2000)
    b = a * rng.lognormal(0.02, 0.3, 2000)
    state = paired_mean.absorb(
        [Question(margin=0.0)], [_moments.begin(Question(margin=0.0))], [rows(a, b, paired=True)]
    )[0]
    spread = _moments.spread(state, a.mean(), b.mean(), 1.0, 1.0, paired=True)
    z = (b.mean() - a.mean()) / math.sqrt(spread)
    assert z == pytest.approx(stats.ttest_rel(b, a).statistic, rel=5e-3)


def test_an_always_valid_interval_of_means_holds_welchs():
    rng = np.random.default_rng(9)
    a, b = rng.gamma(2, 3, 900), rng.gamma(2, 3.2, 900)
    question = Question(margin=0.3, proof_margin=0.3, detect=0.5, alpha_rollback=0.025, alpha_promotion=0.025)
    _, picture = judged(asymptotic_mean, question, rows(a, b))
    fixed = stats.ttest_ind(b, a, equal_var=False).confidence_interval(0.95)
    assert picture.lower is not None
    assert picture.upper is not None
    assert picture.lower < fixed.low < fixed.high < picture.upper


@pytest.mark.parametrize(("alone_b", "alone_a"), [(25, 5), (8, 8), (3, 20)])
def test_pairs_at_margin_0_never_say_more_than_an_exact_mcnemar_test(alone_b: int, alone_a: int):
    cells = np.repeat([0, 1, 2], [70, alone_b, alone_a])
    a, b = (np.random.default_rng(1).permutation(cells) == cell for cell in (2, 1))
    weight, _ = judged(paired_betting, Question(margin=0.0, proof_margin=0.02), rows(a, b, paired=True))
    exact = stats.binomtest(alone_b, alone_a + alone_b, 0.5, alternative="greater").pvalue
    assert -weight.rollback >= math.log(exact)

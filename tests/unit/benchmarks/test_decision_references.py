"""What benchmarks/decision is made of, against the packages it stands for; gbstats and statsmodels where installed."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks" / "decision"))

import limits
import peers
import spending

from gatekeeper.stats import _projection

ROWS = [(500, 10, 480, 24), (3000, 55, 3000, 90), (120, 40, 133, 44), (9000, 18, 1000, 6), (700, 30, 700, 12)]


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("alpha", [0.05, 0.01])
def test_growthbooks_interval_is_its_packages(row: tuple[int, int, int, int], alpha: float):
    tests = pytest.importorskip("gbstats.frequentist.tests")
    statistics = pytest.importorskip("gbstats.models.statistics")
    n_a, x_a, n_b, x_b = row
    arms = [statistics.SampleMeanStatistic(n=n, sum=x, sum_squares=x) for n, x in ((n_a, x_a), (n_b, x_b))]
    config = tests.SequentialConfig(difference_type="absolute", alpha=alpha, sequential_tuning_parameter=peers.TUNING)
    expected = tests.SequentialTwoSidedTTest(*arms, config).compute_result().ci
    counts = np.array(row, float)[None, None, :]
    estimate, variance = peers._difference(counts, unbiased=True)  # noqa: SLF001 - the rule's own parts
    width = peers.growthbook_half_width(variance, np.array([[n_a + n_b]], float), alpha)
    ours = [float((estimate - width)[0, 0]), float((estimate + width)[0, 0])]
    assert ours == pytest.approx(expected, abs=1e-9, rel=1e-9)
    assert bool(peers.growthbook(counts, alpha, 0.01)[0, 0]) is (expected[0] > 0)


@pytest.mark.parametrize("row", ROWS)
def test_the_rank_test_is_scipys(row: tuple[int, int, int, int]):
    n_a, x_a, n_b, x_b = row
    a, b = (np.repeat([1.0, 0.0], [x, n - x]) for n, x in ((n_a, x_a), (n_b, x_b)))
    two_sided = stats.mannwhitneyu(b, a, method="asymptotic").pvalue
    expected = two_sided <= 0.02 and x_b / n_b > x_a / n_a
    assert bool(peers.mann_whitney(np.array(row, float)[None, None, :], 0.05, 0.01)[0, 0]) is bool(expected)


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("margin", [0.0, 0.01, 0.05])
def test_the_projection_is_the_score_tests_fit(row: tuple[int, int, int, int], margin: float):
    proportion = pytest.importorskip("statsmodels.stats.proportion")
    n_a, x_a, n_b, x_b = row
    found = proportion.test_proportions_2indep(x_b, n_b, x_a, n_a, value=margin, method="score", compare="diff")
    parts = (np.array([value]) for value in (n_a, x_a / n_a, n_b, x_b / n_b, margin, 1.0))
    q_a, q_b, outside = _projection.project(*parts)
    if outside[0]:
        # statsmodels' closed form loses digits where two roots of the cubic nearly meet; ours is polished
        assert (q_a[0], q_b[0]) == pytest.approx((found.prop2_null, found.prop1_null), abs=1e-4)


def test_the_spending_boundaries_are_the_published_ones():
    assert spending.obrien_fleming(5, 0.025) == pytest.approx([4.8769, 3.3569, 2.6803, 2.2898, 2.0310], abs=1e-3)


def test_the_limit_is_the_least_divergence_on_a_grid():
    q = np.linspace(1e-4, 0.98, 2_000_001)
    total = np.zeros_like(q)
    for p, x in ((0.02, q), (0.04, q + 0.01)):
        total += p * np.log(p / x) + (1 - p) * np.log((1 - p) / (1 - x))
    assert limits.rates(0.02, 0.04, 0.01, 0.05) == pytest.approx(math.log(20) / total.min(), rel=1e-6)


@pytest.mark.parametrize(
    ("p_a", "p_b", "samples", "in_limits"),
    [(0.02, 0.03, 2900, 1.00), (0.02, 0.03, 4640, 1.60), (0.02, 0.03, 4930, 1.70), (0.02, 0.03, 3190, 1.10)],
)
def test_the_limit_of_rates_is_as_published(p_a: float, p_b: float, samples: float, in_limits: float):
    assert samples / limits.rates(p_a, p_b, 0.0, 0.05) == pytest.approx(in_limits, abs=0.01)


@pytest.mark.parametrize(("ratio", "samples", "in_limits"), [(1.10, 5510, 1.45), (1.25, 1000, 1.40)])
def test_the_limit_of_quantiles_is_as_published(ratio: float, samples: float, in_limits: float):
    assert samples / limits.lognormal_quantile(0.8, ratio, 0.95, 0.05) == pytest.approx(in_limits, abs=0.01)


@pytest.mark.parametrize("margin", [0.0, 0.01])
def test_a_pairs_limit_is_the_divergence_to_the_nearest_table(margin: float):
    from scipy import optimize  # noqa: PLC0415 - this test alone

    alone_b, alone_a = 0.06, 0.03

    def divergence(point: np.ndarray) -> float:
        q_b, q_a = point
        same = 1.0 - alone_b - alone_a
        return float(
            alone_b * math.log(alone_b / q_b)
            + alone_a * math.log(alone_a / q_a)
            + same * math.log(same / (1 - q_b - q_a))
        )

    best = optimize.minimize(
        divergence,
        x0=[0.05, 0.04],
        bounds=[(1e-6, 0.5)] * 2,
        constraints={"type": "ineq", "fun": lambda q: margin - (q[0] - q[1])},
        options={"ftol": 1e-14},
    )
    assert limits.pairs(alone_b, alone_a, margin, 0.05) == pytest.approx(math.log(20) / best.fun, rel=1e-5)

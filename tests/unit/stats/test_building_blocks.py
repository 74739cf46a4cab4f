"""The judge's small parts against independent computations."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy import optimize, special, stats

from gatekeeper.stats import (
    Question,
    _alternatives,
    _histogram,
    _inversion,
    _least,
    _mean_sequence,
    _moments,
    _projection,
    _sample_ratio,
    _thresholds,
    asymptotic_mean,
    paired_mean,
)
from gatekeeper.stats._rows import Rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gatekeeper.stats import Test

NOTHING = Question(margin=None)


def kl(p: float, q: float) -> float:
    return p * math.log(p / q) + (1 - p) * math.log((1 - p) / (1 - q))


def batch(a: object, b: object, *, paired: bool = False) -> Rows:
    a, b = np.asarray(a, float), np.asarray(b, float)
    a, b = (v[:, None] if v.ndim == 1 else v for v in (a, b))
    return Rows(a=a, b=b, a_at=2 * np.arange(len(a)), b_at=2 * np.arange(len(b)) + 1, paired=paired)


@pytest.mark.parametrize(
    ("n1", "p1", "n2", "p2", "shift", "slope"),
    [
        (10, 0.02, 10, 0.05, 0.0, 1.0),
        (99, 1e-4, 1, 0.2, 0.01, 1.0),
        (5, 0.3, 500, 0.9, 0.05, 1.0),
        (50, 0.5, 50, 0.46, -0.05, 1.0),
        (50, 0.1, 70, 0.3, 0.0, 1.5),
        (50, 0.1, 70, 0.3, 0.1, 0.9),
        (50, 0.001, 70, 0.999, 0.0, 1 / 1.1),
    ],
)
def test_the_projection_is_scipys_minimum(n1: float, p1: float, n2: float, p2: float, shift: float, slope: float):
    q1, q2, outside = _projection.project(*(np.array([float(v)]) for v in (n1, p1, n2, p2, shift, slope)))
    assert outside[0]
    assert q2[0] == pytest.approx(shift + slope * q1[0])
    bounds = (max(0.0, -shift / slope) + 1e-12, min(1.0, (1 - shift) / slope) - 1e-12)
    best = optimize.minimize_scalar(
        lambda q: n1 * kl(p1, q) + n2 * kl(p2, shift + slope * q),
        bounds=bounds,
        method="bounded",
        options={"xatol": 1e-13},
    )
    mine = n1 * kl(p1, q1[0]) + n2 * kl(p2, q2[0])
    assert mine <= best.fun * (1 + 1e-9)
    assert mine == pytest.approx(best.fun, rel=1e-4)


def test_a_point_within_the_null_is_its_own_projection():
    q1, q2, outside = _projection.project(*(np.array([v]) for v in (9.0, 0.3, 9.0, 0.2, 0.0, 1.0)))
    assert (q1[0], q2[0], outside[0]) == (0.3, 0.2, False)


def test_the_sample_ratio_is_scipys_dirichlet_multinomial():
    counts, shares = [530, 470], [0.6, 0.4]
    prior = [share * _sample_ratio.CONCENTRATION for share in shares]
    expected = stats.dirichlet_multinomial.logpmf(counts, prior, 1000) - stats.multinomial.logpmf(counts, 1000, shares)
    assert _sample_ratio.log_e(counts, shares) == pytest.approx(expected, abs=1e-9)


def test_a_histogram_keeps_quantiles_to_a_thousandth():
    values = np.random.default_rng(5).lognormal(5, 1, 5_000)
    histogram = _histogram.empty()
    for part in np.array_split(values, 7):
        histogram = _histogram.add([histogram], [_histogram.of(part, np.ones(len(part)))])[0]
    for share in (0.5, 0.95, 0.99):
        expected = np.quantile(values, share, method="inverted_cdf")
        assert _histogram.quantile(histogram, share) == pytest.approx(expected, rel=0.001)


def test_histograms_added_are_those_of_all_values_together():
    rng = np.random.default_rng(7)
    for sizes in rng.integers(0, 25, (200, 2)):
        first, second = (rng.integers(-30, 30, size) for size in sizes)
        parts = [_histogram.counted(first, np.ones(len(first))), _histogram.counted(second, np.full(len(second), 0.5))]
        weights = np.repeat([1.0, 0.5], sizes)
        found, expected = (
            _histogram.add(parts[:1], parts[1:])[0],
            _histogram.counted(np.concatenate([first, second]), weights),
        )
        assert {name: part.tolist() for name, part in found.items()} == {
            name: part.tolist() for name, part in expected.items()
        }


def test_many_histograms_added_at_once_are_each_added_alone():
    rng = np.random.default_rng(8)
    drawn = [_histogram.of(rng.lognormal(3, 0.5, size), np.ones(size)) for size in rng.integers(0, 900, 80)]
    old, new = drawn[::2], drawn[1::2]
    old = [_histogram.narrowed(one, np.array([2800, 3200])) if i % 3 else one for i, one in enumerate(old)]
    for one, more, found in zip(old, new, _histogram.add(old, new), strict=True):
        alone = _histogram.add([one], [more])[0]
        assert {name: part.tolist() for name, part in found.items()} == {
            name: part.tolist() for name, part in alone.items()
        }
        assert found["count"].sum() == one["count"].sum() + more["count"].sum()


def test_zeros_have_a_bucket_and_come_back_as_zero():
    histogram = _histogram.of(np.zeros(4), np.ones(4))
    assert _histogram.quantile(histogram, 0.5) == 0.0


def evidence(chosen: _alternatives.Alternatives, n: float, k_low: NDArray[Any], k_high: NDArray[Any]) -> NDArray[Any]:
    """Return the log e-value at thresholds beyond which lie so many of n values each, term by term."""
    terms = np.multiply.outer(k_high, chosen.high) - np.multiply.outer(k_low, chosen.low)
    return special.logsumexp(terms + _alternatives.offset_of(chosen, n, n), axis=-1)


def test_least_over_thresholds_equals_trying_every_one():
    rng = np.random.default_rng(3)
    low, high = (_thresholds.arm(_histogram.of(rng.lognormal(m, 0.8, 900), np.ones(900))) for m in (0, 0.2))
    chosen = _alternatives.around(0.05, 0.5)
    low_at, high_at = (np.repeat(part.first, np.diff(part.below).astype(int)) for part in (low, high))
    every = np.arange(min(low_at[0], high_at[0]) - 2, max(low_at[-1], high_at[-1]) + 3)
    k_low, k_high = ((at >= marks[:, None]).sum(axis=1) for at, marks in ((low_at, every), (high_at, every + 1)))
    expected = evidence(chosen, 900, k_low, k_high).min()
    bets = _least.Bets(np.array([(-chosen.low, chosen.high)]), _alternatives.offset_of(chosen, 900, 900)[None])
    claims = [_thresholds.Claim(low, high, lambda at: at, high.first)]
    assert _least.least(claims, bets, np.array([0.05])) == pytest.approx([expected], abs=1e-9)


@pytest.mark.parametrize("relative", [True, False])
def test_how_far_an_arm_may_rise_equals_trying_every_threshold(*, relative: bool):
    rng = np.random.default_rng(9)
    low, high = (_thresholds.arm(_histogram.of(rng.lognormal(m, 0.8, 2000), np.ones(2000))) for m in (0, 0.6))
    chosen = _alternatives.around(0.05, 0.5)
    offset, bar = _alternatives.offset_of(chosen, 2000, 2000), 4.0
    bets = _alternatives.Alternatives(*(part[None] for part in chosen))
    side = _inversion.Side(low, high, relative)
    found = _inversion.reach([side], np.array([0.05]), bets, offset[None], np.array([bar]))[0]

    def held(distance: float) -> bool:
        edges = low.last + 1 + distance
        if not relative:
            edges = np.log(np.exp((low.last + 1) * _histogram.WIDTH) + distance) / _histogram.WIDTH
        k_high = high.n - high.below[np.searchsorted(high.first, edges - 1e-6)]
        log_e = evidence(chosen, 2000, np.append(low.n - low.below[:-1], 0), np.append(k_high, 0))
        return bool(log_e.min() >= bar)

    assert found > 0
    assert held(found)
    assert not held(found * 1.06)


def test_the_spread_of_a_log_ratio_is_the_delta_methods():
    rng = np.random.default_rng(1)
    a, b = rng.gamma(2, 3, 400), rng.gamma(2, 4, 300)
    state = asymptotic_mean.absorb([NOTHING], [asymptotic_mean.begin(NOTHING)], [batch(a, b)])[0]
    means = a.mean(), b.mean()
    expected = a.var() / (400 * means[0] ** 2) + b.var() / (300 * means[1] ** 2)
    assert _moments.spread(state, *means, *means, paired=False) == pytest.approx(expected)


def test_the_spread_of_pairs_is_that_of_their_difference_and_one_pair_more():
    rng = np.random.default_rng(2)
    a = rng.gamma(2, 3, 500)
    b = a + rng.normal(0, 0.5, 500)
    state = asymptotic_mean.absorb([NOTHING], [asymptotic_mean.begin(NOTHING)], [batch(a, b, paired=True)])[0]
    got = _moments.spread(state, a.mean(), b.mean(), 1.0, 1.0, paired=True)
    expected = (np.sum((b - a - (b - a).mean()) ** 2) + a.var() + b.var()) / (500 * 501)
    assert got == pytest.approx(expected)


def test_a_quotients_spread_is_that_of_its_residuals():
    rng = np.random.default_rng(4)
    cost, success = rng.gamma(2, 1, 600), (rng.random(600) < 0.7).astype(float)
    both = np.stack([cost, success], axis=1)
    state = asymptotic_mean.absorb([NOTHING], [asymptotic_mean.begin(NOTHING)], [batch(both, both)])[0]
    ratio = cost.sum() / success.sum()
    residual = (cost - ratio * success) / (ratio * success.mean())
    assert _moments.values(state) == pytest.approx((ratio, ratio))
    expected = 2 * np.sum(residual**2) / 600**2
    assert _moments.spread(state, ratio, ratio, ratio, ratio, paired=False) == pytest.approx(expected)


@pytest.mark.parametrize("alpha", [0.05, 0.001])
def test_a_bound_and_its_e_value_agree(alpha: float):
    half = _mean_sequence.half_width(0.003, 0.1, alpha)
    assert _mean_sequence.log_e(half, 0.003, 0.1) == pytest.approx(-math.log(alpha))


@pytest.mark.parametrize("test", [asymptotic_mean, paired_mean])
def test_means_do_not_speak_before_there_are_a_hundred(test: Test):
    question = Question(margin=0.1, relative=True, proof_margin=0.1)
    values = np.random.default_rng(6).gamma(2, 1, 99)
    state = test.absorb([question], [test.begin(question)], [batch(values, 10 * values, paired=test.PAIRED)])[0]
    assert test.weigh(question, state).rollback == -math.inf
    assert "100" in test.picture(question, state).note


@pytest.mark.parametrize("test", [asymptotic_mean, paired_mean])
def test_constant_values_are_never_certain(test: Test):
    question = Question(margin=0.1, relative=True, proof_margin=0.1)
    state = test.absorb(
        [question], [test.begin(question)], [batch(np.full(500, 3.3), np.full(500, 3.3), paired=test.PAIRED)]
    )[0]
    assert test.weigh(question, state).promotion == -math.inf
    assert "equal" in test.picture(question, state).note

"""Means over strata: alike arms with unlike mixes are alike, and what cannot be compared is left out."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gatekeeper.stats import Question, _mean_sequence, _moments, asymptotic_mean, mean_limit, paired_mean

ASKED = Question(margin=0.1, relative=True, proof_margin=0.1, detect=0.1)


def sums(*strata: tuple[object, object], quotient: bool = False) -> dict[str, np.ndarray]:
    n, total, product = [], [], []
    for pair in strata:
        arms = [np.asarray(values, float) for values in pair]
        arms = [values if quotient else np.stack([values, np.ones_like(values)], axis=1) for values in arms]
        square = np.zeros((4, 4))
        square[:2, :2], square[2:, 2:] = (arm.T @ arm for arm in arms)
        n.append([len(arm) for arm in arms])
        total.append(np.concatenate([arm.sum(axis=0) for arm in arms]))
        product.append(square)
    return {"n": np.array(n, float), "sum": np.array(total), "product": np.array(product)}


def draws(*parts: tuple[float, int], seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [mean * rng.gamma(2, 0.5, n) for mean, n in parts]


def test_another_mix_of_traffic_is_no_regression():
    cheap_a, cheap_b, dear_a, dear_b = draws((1, 7000), (1, 3000), (10, 3000), (10, 7000))
    apart = sums((cheap_a, cheap_b), (dear_a, dear_b))
    assert asymptotic_mean.weigh(ASKED, _moments.flat(apart)).rollback > 50
    assert asymptotic_mean.weigh(ASKED, apart).rollback == -math.inf
    assert asymptotic_mean.picture(ASKED, apart).estimate == pytest.approx(0, abs=0.03)


def test_values_weigh_strata_by_their_share_of_both_arms():
    state = sums((np.full(300, 1.0), np.full(100, 2.0)), (np.full(100, 5.0), np.full(300, 6.0)))
    assert _moments.values(state) == pytest.approx((3.0, 4.0))


def test_one_stratum_is_the_plain_ratio_of_means():
    a, b = draws((1, 400), (1.1, 300))
    picture = asymptotic_mean.picture(ASKED, sums((a, b)))
    assert picture.estimate == pytest.approx(b.mean() / a.mean() - 1)
    spread = _moments.spread(sums((a, b)), a.mean(), b.mean(), a.mean(), b.mean(), paired=False)
    assert spread == pytest.approx(a.var() / a.mean() ** 2 / 400 + b.var() / b.mean() ** 2 / 300)


def test_strata_that_split_nothing_change_next_to_nothing():
    a, b = draws((1, 4000), (1.1, 4000))
    state = sums(*((a[i::4], b[i::4]) for i in range(4)))
    whole = asymptotic_mean.picture(ASKED, _moments.flat(state))
    split = asymptotic_mean.picture(ASKED, state)
    assert split.lower == pytest.approx(whole.lower, rel=0.05)


def test_the_variance_is_that_within_strata():
    cheap_a, cheap_b, dear_a, dear_b = draws((1, 500), (1, 500), (10, 500), (10, 500))
    state = sums((cheap_a, cheap_b), (dear_a, dear_b))
    a, b = _moments.values(state)
    found = _moments.spread(state, a, b, 1.0, 1.0, paired=False)
    assert found == pytest.approx(sum(part.var() / 500 / 4 for part in (cheap_a, cheap_b, dear_a, dear_b)))


def test_quotients_are_compared_stratum_by_stratum():
    rng = np.random.default_rng(3)

    def arm(n: int, cost: float, share: float) -> np.ndarray:
        return np.stack([cost * rng.gamma(2, 0.5, n), rng.random(n) < share], axis=1)

    state = sums((arm(6000, 1, 0.9), arm(2000, 1, 0.9)), (arm(2000, 8, 0.6), arm(6000, 8, 0.6)), quotient=True)
    picture = asymptotic_mean.picture(ASKED, state)
    assert picture.estimate == pytest.approx(0, abs=0.05)
    assert picture.a_value == pytest.approx((1 + 8) / (0.9 + 0.6), rel=0.05)


def test_a_stratum_of_one_arm_is_left_out_and_small_ones_are_put_together():
    a, b, small, alone = draws((1, 500), (1, 500), (1, 15), (50, 90))
    state = sums((a, b), (small, small), (small, small), (alone, np.zeros(0)))
    used = _moments.comparable(state)
    assert used["n"].tolist() == [[500, 500], [30, 30]]
    assert asymptotic_mean.picture(ASKED, state).estimate == pytest.approx(b.mean() / a.mean() - 1, abs=0.02)


def test_arms_that_share_no_stratum_are_not_compared():
    a, b = draws((1, 500), (1, 500))
    state = sums((a, np.zeros(0)), (np.zeros(0), b))
    assert asymptotic_mean.weigh(ASKED, state).promotion == -math.inf
    picture = asymptotic_mean.picture(ASKED, state)
    assert "no class of traffic" in picture.note
    assert (picture.a_n, picture.b_n) == (500, 500)


def test_strata_only_grow():
    a, b, c, d = draws((1, 50), (1, 60), (2, 70), (2, 80))
    batches = [_Summed(sums((a, b))), _Summed(sums((c, d), (a, b)))]
    state = asymptotic_mean.begin(ASKED)
    for batch in (*batches, batches[0]):
        state = asymptotic_mean.absorb([ASKED], [state], [batch])[0]
    assert state["n"].tolist() == [[170, 200], [50, 60]]


class _Summed:
    """A look that is known by its sums."""

    def __init__(self, state: dict[str, np.ndarray]) -> None:
        self._state = state

    def sums(self) -> tuple[np.ndarray, ...]:
        return tuple(self._state[name] for name in ("n", "sum", "product"))


@pytest.mark.parametrize("test", [asymptotic_mean, paired_mean])
def test_ten_values_are_no_mean_and_the_note_says_how_many_are_missing(test: object):
    state = sums((np.ones(10), np.repeat([100.0, 1.0], [7, 3])))
    weight, picture = test.weigh(ASKED, state), test.picture(ASKED, state)
    assert (weight.rollback, weight.promotion) == (-math.inf, -math.inf)
    assert "90 more" in picture.note


def test_a_limit_looks_at_the_candidate_alone():
    asked = Question(margin=None, limit=1.0)
    state = sums((np.zeros(0), draws((1.2, 2000))[0]))
    assert mean_limit.weigh(asked, state).rollback > 5
    assert mean_limit.picture(asked, sums((np.ones(500), np.zeros(0)))).note == "an arm has no data"


@pytest.mark.parametrize("alpha", [0.05, 0.01, 0.0004])
def test_the_scale_is_the_one_whose_bound_is_narrowest_where_the_effect_is_decided_on(alpha: float):
    scale = _mean_sequence.best_scale(0.1, alpha)
    variances = np.geomspace(1e-6, 1e-2, 20_000)
    widths = np.array([_mean_sequence.half_width(v, scale, alpha) for v in variances])
    deciding = variances[np.searchsorted(widths, 0.1)]
    others = [_mean_sequence.half_width(deciding, scale * f, alpha) for f in np.geomspace(0.5, 2, 201)]
    assert _mean_sequence.half_width(deciding, scale, alpha) <= min(others) * 1.002

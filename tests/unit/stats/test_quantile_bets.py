"""What quantile tests bet on, the search for the least evidence, and the interval as its exact inverse."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import stats

from gatekeeper.stats import Question, _alternatives, _histogram, _quantiles, _thresholds, minprod, paired_minprod
from gatekeeper.stats import quantile_limit as limited
from gatekeeper.stats._rows import Rows

if TYPE_CHECKING:
    from types import ModuleType


def state(a: np.ndarray, b: np.ndarray) -> dict[str, object]:
    return {"a": _histogram.of(a, np.ones(len(a))), "b": _histogram.of(b, np.ones(len(b)))}


def latencies(n: int, factor: float = 1.0, m: int | None = None, seed: int = 0) -> dict[str, object]:
    rng = np.random.default_rng(seed)
    return state(rng.lognormal(6, 0.8, n), factor * rng.lognormal(6, 0.8, m or n))


def question(*, relative: bool = True, increase: bool = True, margin: float = 0.05, **more: float) -> Question:
    unit = 1.0 if relative else 400.0
    return Question(
        margin=margin * unit,
        proof_margin=margin * unit,
        detect=0.1 * unit,
        relative=relative,
        increase=increase,
        quantile=0.95 if increase else 0.05,
        **more,
    )


@pytest.mark.parametrize("share", [0.5, 0.1, 0.9])
@pytest.mark.parametrize("pull", [None, 0.02, 0.7, 6.0])
def test_every_alternative_is_a_fair_bet_at_the_null(share: float, pull: float | None):
    chosen = _alternatives.around(0.05, pull, share)
    assert np.exp(chosen.log_weight).sum() == pytest.approx(1.0)
    assert min(chosen.low.min(), chosen.high.min()) >= 0
    low, high = (0.05 * np.exp(x) + 0.95 for x in (-chosen.low, chosen.high))
    assert low * np.exp(-chosen.low_cost) == pytest.approx(np.ones(len(low)))
    assert high * np.exp(-chosen.high_cost) == pytest.approx(np.ones(len(high)))


def test_the_smaller_arm_is_bet_to_be_the_farther_from_the_null():
    few, even, many = (_alternatives.around(0.05, 0.7, share) for share in (0.1, 0.5, 0.9))
    weight = np.exp(even.log_weight)
    assert weight @ few.high > weight @ even.high > weight @ many.high


@pytest.mark.parametrize(("n", "m"), [(7, 9), (400, 300), (4000, 400), (30000, 30000)])
@pytest.mark.parametrize("relative", [True, False])
@pytest.mark.parametrize("increase", [True, False])
def test_the_interval_is_the_inverse_of_the_e_values(n: int, m: int, *, relative: bool, increase: bool):
    asked = question(relative=relative, increase=increase, share=0.4)
    data = latencies(n, 1.2, m)
    picture = minprod.picture(asked, data)
    bars = {True: -math.log(asked.alpha_rollback), False: -math.log(asked.alpha_promotion)}
    for end, worse, inward in ((picture.lower, increase, 1), (picture.upper, not increase, -1)):
        if end is None:
            continue
        near = 0.003 if relative else 0.003 * abs(picture.b_value) + 0.03 * abs(end)
        held, gone = (_evidence(asked, data, at, worse=worse) for at in (end - inward * near, end + 20 * inward * near))
        assert held >= bars[worse] > gone


def _evidence(asked: Question, data: dict[str, object], effect: float, *, worse: bool) -> float:
    """Weigh at another level with the same bets."""
    harm = _quantiles.level(asked, effect if asked.increase else -effect)
    base, other = (_thresholds.arm(histogram) for histogram in _quantiles.arms(asked, data))
    claim = _thresholds.Claim(other, base, lambda at: at, _histogram.shifted(asked, base.first, harm, up=False))
    if worse:
        claim = _thresholds.Claim(base, other, lambda at: _histogram.shifted(asked, at, harm, up=True), other.first)
    return float(minprod.log_e([_quantiles.Asked(asked, claim, worse)])[0])


def test_many_pictures_at_once_are_those_drawn_alone():
    asked = [question(), question(relative=False), question(increase=False), replace(question(), quantile=0.5)]
    data = [latencies(900), latencies(50, seed=1), latencies(3000, 0.8, seed=2), state(np.zeros(0), np.ones(4))]
    together = minprod.pictures(asked, data)
    assert together == [minprod.picture(q, s) for q, s in zip(asked, data, strict=True)]
    assert together[-1].note


@pytest.mark.parametrize("test", [minprod, paired_minprod])
def test_many_streams_weighed_at_once_are_those_weighed_alone(test: ModuleType):
    asked = [question(), question(relative=False), replace(question(increase=False), proof_margin=None), question()]
    rng = np.random.default_rng(8)
    values = [rng.lognormal(6, 0.8, (2, n)) for n in (900, 50, 4000, 0)]
    rows = [
        Rows(a=a[:, None], b=b[:, None], a_at=2 * np.arange(len(a)), b_at=2 * np.arange(len(a)) + 1, paired=True)
        for a, b in values
    ]
    states = test.absorb(asked, [test.begin(q) for q in asked], rows)
    together = test.weighs(asked, states)
    assert together == [test.weigh(q, s) for q, s in zip(asked, states, strict=True)]
    assert (together[2].promotion, together[3].rollback) == (-math.inf, 0.0)


@pytest.mark.parametrize("test", [minprod, paired_minprod])
@pytest.mark.parametrize("increase", [True, False])
def test_a_wrongly_declared_share_costs_no_exactness(test: object, *, increase: bool):
    asked = question(increase=increase, margin=0.5, share=0.05)
    asked = replace(asked, quantile=0.5)
    values, chances = np.array([100.0, 160.0]), (0.5, 0.5)
    mean = 0.0
    for draws in itertools.product(range(2), repeat=6):
        picked = values[np.array(draws)].reshape(2, 3)
        a, b = picked if increase else picked[::-1]
        rows = Rows(a=a[:, None], b=1.5 * b[:, None], a_at=np.arange(3), b_at=np.arange(3), paired=True)
        weight = test.weigh(asked, test.absorb([asked], [test.begin(asked)], [rows])[0])
        mean += math.prod(chances[draw] for draw in draws) * math.exp(weight.rollback)
    assert mean <= 1 + 1e-9


def test_parts_of_units_count_for_their_parts():
    asked, rng = question(), np.random.default_rng(4)
    values = rng.lognormal(6, 0.8, (2, 500))
    once = minprod.weigh(asked, state(*values))
    halves = [_histogram.of(np.repeat(part, 2), np.full(1000, 0.5)) for part in values]
    assert minprod.weigh(asked, dict(zip("ab", halves, strict=True))).rollback == pytest.approx(once.rollback)


@pytest.mark.parametrize("increase", [True, False])
def test_a_limits_interval_is_the_inverse_of_its_e_values(*, increase: bool):
    values = np.random.default_rng(5).lognormal(6, 0.8, 4000)
    asked = Question(margin=None, limit=1.0, quantile=0.95, increase=increase, alpha_promotion=0.01)
    data = {"a": _histogram.empty(), "b": _histogram.of(values, np.ones(4000)), "beyond": 0.0}
    picture = limited.picture(asked, data)
    for end, above in ((picture.lower, True), (picture.upper, False)):
        proven = []
        for factor in (0.99, 1.01) if above else (1.01, 0.99):
            weight = limited.weigh(asked, {**data, "beyond": float((values > end * factor).sum())})
            proven.append((weight.rollback if above is increase else weight.promotion) >= math.log(100))
        assert proven == [True, False]


def test_the_same_median_and_a_wider_spread_is_seen_by_a_p95():
    rng = np.random.default_rng(6)
    data = state(rng.normal(1000, 50, 2000), rng.normal(1000, 200, 2000))
    assert minprod.weigh(question(), data).rollback > math.log(100)
    assert minprod.weigh(replace(question(), quantile=0.5), data).rollback < 0


def test_ten_bimodal_latencies_prove_nothing_about_a_median():
    """Seven of ten above a threshold is no more than a fair coin shows in one of six tries."""
    data = state(np.ones(10), np.repeat([100.0, 1.0], [7, 3]))
    asked = Question(margin=0.1, relative=True, detect=0.1, proof_margin=0.1, quantile=0.5, alpha_rollback=0.05)
    best = 7 * math.log(0.7 / 0.5) + 3 * math.log(0.3 / 0.5)
    assert stats.binom.sf(6, 10, 0.5) > 0.17
    weight = minprod.weigh(asked, data)
    assert weight.rollback <= best < math.log(20)
    assert weight.promotion < math.log(20)


def test_a_large_histogram_keeps_narrow_buckets_about_its_quantile_and_loses_no_value():
    values = np.random.default_rng(9).lognormal(6, 1.5, 60_000)
    plain, grown = _histogram.of(values, np.ones(len(values))), _histogram.empty()
    for part in np.split(values, 40):
        grown = _histogram.add([grown], [_histogram.of(part, np.ones(len(part)))])[0]
        grown = _histogram.narrowed(grown, _histogram.about(grown, 0.95))
    assert len(grown["at"]) < 2 * _histogram.MOST < len(plain["at"])
    assert grown["count"].sum() == len(values)
    last = _histogram.last_parts(grown)
    assert (grown["at"][1:] > last[:-1]).all()
    starts = np.append(plain["at"].searchsorted(grown["at"]), len(plain["at"]))
    assert np.add.reduceat(plain["count"], starts[:-1]).tolist() == grown["count"].tolist()
    assert (plain["at"][starts[1:] - 1] <= last).all()
    assert _histogram.quantile(grown, 0.95) == _histogram.quantile(plain, 0.95)


@pytest.mark.parametrize("test", [minprod, paired_minprod])
@pytest.mark.parametrize("increase", [True, False])
def test_joined_buckets_never_add_evidence_and_hardly_take_any(
    test: ModuleType, *, increase: bool, monkeypatch: pytest.MonkeyPatch
):
    rng = np.random.default_rng(10)
    shared = rng.normal(0, 0.8, 12_000)
    for harm in (0.0, 0.1, 0.6):
        asked = [question(increase=increase), question(increase=increase, relative=False, margin=0.1)]
        values = [np.exp(6 + 0.6 * shared + rng.normal(0, 0.8, 12_000)) for _ in range(2)]
        values[1] *= 1 + harm if increase else 1 / (1 + harm)
        at = 2 * np.arange(12_000)
        looks = [
            Rows(a=a[:, None], b=b[:, None], a_at=at[part], b_at=at[part] + 1, paired=test.PAIRED)
            for part in np.split(np.arange(12_000), 3)
            for a, b in [[value[part] for value in values]]
        ]
        found = []
        for most in (1 << 30, _histogram.MOST):
            monkeypatch.setattr(_histogram, "MOST", most)
            states = [test.begin(q) for q in asked]
            for one in looks:
                states = test.absorb(asked, states, [one, one])
            assert all(("fine" in part) == (most < 1 << 30) for state in states for part in (state["a"], state["b"]))
            found.append(test.weighs(asked, states))
        for exact, joined in zip(*found, strict=True):
            assert joined.rollback <= exact.rollback + 1e-9
            assert joined.promotion <= exact.promotion + 1e-9
            assert joined.rollback >= exact.rollback - 0.5 - 0.02 * abs(exact.rollback)
            assert joined.promotion >= exact.promotion - 0.5 - 0.02 * abs(exact.promotion)

"""Samples to a decision: against published limits, simulation of the walk, and itself."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from gatekeeper.decide import _information, power
from gatekeeper.decide.compile import whole
from gatekeeper.decide.policyfile import policy_from_mapping
from gatekeeper.decide.power import Setting, Typical

if TYPE_CHECKING:
    from gatekeeper.decide.plan import Stream

EQUAL = Setting(paired=False)
PAIRS = Setting(paired=True)


def stream(metric: str, rule: dict[str, object], *, paired: bool = False, limit: bool = False) -> Stream:
    policy = policy_from_mapping({"error_budget": {"false_rollback": 0.05}, "metrics": {metric: rule}})
    return whole(policy, paired=paired).stages[0].streams[-1 if limit else 0]


def limit_of(one: Stream, typical: Typical, setting: Setting, harm: float) -> float:
    """Return log(1/.05) over the information: what no test can beat."""
    return -math.log(0.05) / power.information(one, typical, setting, harm)


@pytest.mark.parametrize(("rate", "harm", "n"), [(0.02, 0.01, 2902), (0.02, 0.03, 436), (0.2, 0.05, 834)])
def test_rates_need_what_theory_says(rate: float, harm: float, n: int):
    refusals = stream("refusal_rate", {"max_increase": "0pp", "detect": "1pp"})
    assert limit_of(refusals, Typical(value=rate), EQUAL, harm) == pytest.approx(n, rel=0.01)
    failures = stream("json_validity", {"max_decrease": "0pp", "detect": "1pp"})
    assert limit_of(failures, Typical(value=1 - rate), EQUAL, harm) == pytest.approx(n, rel=0.01)


@pytest.mark.parametrize(("ratio", "n"), [(1.1, 3800), (1.25, 714)])
def test_a_p95_needs_what_theory_says(ratio: float, n: int):
    slowness = stream("latency_ms.p95", {"max_increase": "0%", "detect": "10%"})
    assert limit_of(slowness, Typical(value=900.0), EQUAL, ratio - 1) == pytest.approx(n, rel=0.01)


def test_pairs_need_fewer():
    refusals = stream("refusal_rate", {"max_increase": "0pp", "detect": "1pp"}, paired=True)
    typical = Typical(value=0.2, correlation=0.6)
    assert limit_of(refusals, typical, PAIRS, 0.05) < 0.5 * limit_of(refusals, typical, EQUAL, 0.05)
    slowness = stream("latency_ms.p95", {"max_increase": "10%"}, paired=True)
    alike = Typical(value=900.0, correlation=0.9)
    assert limit_of(slowness, alike, PAIRS, 0.3) < limit_of(slowness, alike, EQUAL, 0.3)


def test_a_small_share_costs_more_and_an_absent_baseline_everything():
    refusals = stream("refusal_rate", {"max_increase": "1pp"})
    typical = Typical(value=0.02)
    few = power.expected(refusals, typical, Setting(paired=False, ratio=0.1), 0.03)
    assert (
        few
        > power.expected(refusals, typical, EQUAL, 0.03)
        > power.expected(refusals, typical, Setting(paired=False, ratio=99.0), 0.03)
    )
    assert power.expected(refusals, typical, Setting(paired=False, ratio=0.0), 0.03) == math.inf


def test_inside_the_null_nothing_is_ever_decided():
    refusals = stream("refusal_rate", {"max_increase": "1pp"})
    typical = Typical(value=0.02)
    assert power.expected(refusals, typical, EQUAL, 0.01) == math.inf
    assert power.expected(refusals, typical, EQUAL, 0.01, promotion=True) == math.inf
    assert power.expected(refusals, typical, EQUAL, 0.0, promotion=True) < math.inf
    bare = stream("refusal_rate", {"max_increase": "0pp"})
    assert power.expected(bare, typical, EQUAL, 0.0, promotion=True) == math.inf
    assert power.information(refusals, Typical(value=None), EQUAL, 0.05) == 0.0


@pytest.mark.parametrize(
    ("metric", "rule", "value"),
    [
        ("refusal_rate", {"max_increase": "1pp"}, 0.02),
        ("refusal_rate", {"max_increase": "20%"}, 0.1),
        ("task_success", {"max_decrease": "2pp"}, 0.8),
        ("task_success", {"max_decrease": "5%"}, 0.8),
        ("latency_ms.p95", {"max_increase": "10%"}, 900.0),
        ("latency_ms.p95", {"max_increase": 50}, 900.0),
        ("cost_usd", {"max_increase": "5%"}, 0.002),
        ("feedback_score", {"max_decrease": "5%"}, 0.5),
    ],
)
@pytest.mark.parametrize("setting", [EQUAL, PAIRS, Setting(paired=False, ratio=9.0)])
def test_the_smallest_regression_is_found_within_its_samples(
    metric: str, rule: dict[str, object], value: float, setting: Setting
):
    one = stream(metric, rule, paired=setting.paired)
    typical = Typical(value=value)
    some, more = (power.smallest(one, typical, setting, n) for n in (2_000.0, 20_000.0))
    assert some is not None
    assert more is not None
    assert (one.question.margin or 0.0) < more < some <= power.most_harm(one, typical)
    assert power.chance(one, typical, setting, some, 2_000.0) == pytest.approx(power.SURE, abs=0.02)
    assert power.needed(one, typical, setting, some, power.SURE) == pytest.approx(2_000.0, rel=0.02)
    assert power.smallest(one, typical, setting, 1.0) is None


def test_a_limit_holds_the_candidate_alone():
    slow = stream("latency_ms.p95", {"max_increase": "10%", "limit": 1500}, limit=True)
    assert slow.is_limit
    assert power.no_change(slow, Typical(value=1000.0)) == pytest.approx(-1 / 3)
    fast = power.expected(slow, Typical(value=1000.0), EQUAL, -1 / 3, promotion=True)
    assert 100 < fast < 1_000
    assert power.expected(slow, Typical(value=2000.0), EQUAL, 1 / 3, promotion=True) == math.inf
    failing = stream("json_validity", {"limit": "95%"}, limit=True)
    assert power.no_change(failing, Typical(value=0.98)) == pytest.approx(-0.6)
    assert power.most_harm(failing, Typical(value=0.98)) == pytest.approx(0.98 / 0.05 - 1)


def test_the_walk_reaches_its_bar_when_it_does_in_simulation():
    rng = np.random.default_rng(5)
    steps = rng.normal(0.01, math.sqrt(0.02), (2_000, 1_500)).cumsum(axis=1)
    for seen in (3.0, 6.0, 12.0):
        reached = float((steps[:, : int(seen / 0.01)].max(axis=1) >= 3.0).mean())
        assert power.within(3.0, seen) == pytest.approx(reached, abs=0.05)
    assert power.within(3.0, 0.0) == 0.0


def test_divergences_at_the_edges():
    assert _information.divergence(0.0, 0.5) == pytest.approx(math.log(2))
    assert _information.divergence(0.5, 0.0) == math.inf
    assert _information.divergence(0.3, 0.3) == 0.0
    assert _information.paired_rates(0.0, 0.1, 0.1, 0.0, 1.0) == 0.0
    assert _information.paired_quantiles(0.5, 0.95, 0.99) > _information.paired_quantiles(0.5, 0.95, 0.0)

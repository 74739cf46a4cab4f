"""What a policy takes: samples, time, and what it cannot show."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gatekeeper.decide.columns import Columns
from gatekeeper.decide.policyfile import policy_from_mapping
from gatekeeper.errors import InputError
from gatekeeper.flow._typical import parse_rates
from gatekeeper.flow.plan import Forecast, forecast
from gatekeeper.model.wire import to_dict

STAGES = [
    {"warmup": {"requests": 50}},
    {"shadow": {"mirror": "20%", "max_wait": "2h"}},
    {"canary": {"weight": "10%", "max_wait": "4h"}},
    {"canary": {"weight": "50%", "control": True}},
    {"bake": {"wait": "24h"}},
]


def planned(
    metrics: dict[str, Any],
    stages: list[dict[str, Any]] | None = None,
    rps: float = 5.0,
    **more: Any,  # noqa: ANN401 - what `forecast` takes
) -> Forecast:
    return planned_of({"metrics": metrics, **({"stages": stages} if stages else {})}, rps, **more)


def planned_of(policy: dict[str, Any], rps: float, **more: Any) -> Forecast:  # noqa: ANN401 - what `forecast` takes
    return forecast(policy_from_mapping(policy), rps=rps, **more)


def test_stages_get_the_traffic_they_have():
    plan = planned({"refusal_rate": {"max_increase": "1pp"}}, STAGES)
    warmup, shadow, canary, control, bake = plan.stages
    assert warmup.half_s == 10.0
    assert [s.candidate_per_s for s in plan.stages] == [5.0, 1.0, 0.5, 2.5, 4.75]
    assert shadow.most_samples == 2 * 7200
    assert canary.most_samples == pytest.approx(14_400 * 0.5 * 10)
    assert control.most_samples is None
    assert control.title == "canary 50 % with control"
    assert bake.metrics[0].promote_samples is None
    assert bake.half_s == 86_400
    metric = shadow.metrics[0]
    assert metric.promote_s == pytest.approx((metric.promote_samples or 0) / 2)
    assert plan.half_s == pytest.approx(sum(s.half_s or 0 for s in plan.stages))
    to_dict(plan)


def test_a_holdout_takes_its_share_of_the_traffic():
    body = {"metrics": {"refusal_rate": {"max_increase": "1pp"}}, "stages": STAGES}
    whole, rest = planned_of(body, 5.0), planned_of({**body, "cohorts": {"holdout": "20%"}}, 6.25)
    assert rest.stages == whole.stages


def test_twice_the_traffic_takes_half_the_time_and_shows_less():
    slow, fast = (planned({"refusal_rate": {"max_increase": "1pp"}}, STAGES, rps) for rps in (5.0, 10.0))
    for one, other in zip(slow.stages[1:4], fast.stages[1:4], strict=True):
        assert other.half_s == pytest.approx((one.half_s or 0) / 2)
        if one.metrics[0].smallest is not None:
            assert (other.metrics[0].smallest or 1) < one.metrics[0].smallest


def test_a_stage_too_short_is_marked_with_what_becomes_of_it():
    stages = [{"canary": {"weight": "1%", "max_wait": "1h", "on_undecided": "rollback"}}]
    plan = planned({"refusal_rate": {"max_increase": "1pp"}}, stages)
    assert plan.stages[0].late
    assert plan.stages[0].metrics[0].late
    assert "are rolled back" in plan.cannot[0]
    assert "refusal_rate takes longest" in plan.cannot[0]


@pytest.mark.parametrize(
    ("metrics", "words"),
    [
        ({"refusal_rate": {"max_increase": "0pp"}}, "a margin of 0 cannot be proven"),
        ({"latency_ms.p95": {"max_increase": "10%", "limit": 100}}, "the baseline's own value"),
        ({"json_validity": {"max_decrease": "1pp", "detect": "99pp"}}, "lies beyond what can happen"),
    ],
)
def test_what_cannot_be_proven_is_said_with_its_mend(metrics: dict[str, Any], words: str):
    assert words in planned(metrics).cannot[0]


def test_without_stages_it_is_one_of_recorded_data():
    plan = planned({"refusal_rate": {"max_increase": "1pp"}})
    assert plan.stages[0].title == "recorded data"
    assert plan.stages[0].metrics[0].promote_samples
    assert plan.stages[0].half_s is None


def test_rates_are_told_measured_or_assumed():
    rng = np.random.default_rng(1)
    n = 4_000
    rows = Columns(
        ts=np.arange(n, dtype=np.float64),
        arm=np.zeros(n, np.int8),
        pair=np.full(n, -1, np.int64),
        cluster=np.full(n, -1, np.int64),
        errored=np.zeros(n, np.bool_),
        values={
            "refused": np.where(rng.random(n) < 0.5, np.nan, rng.random(n) < 0.1),
            "latency_ms": rng.lognormal(6, 0.5, n),
            "cost_usd": rng.lognormal(0, 0.3, n),
            "json_valid": np.full(n, np.nan),
        },
        segments={},
    )
    metrics = {
        "refusal_rate": {"max_increase": "1pp"},
        "latency_ms.p95": {"max_increase": "10%"},
        "cost_usd": {"max_increase": "10%"},
        "json_validity": {"max_decrease": "1pp"},
    }
    plan = planned(metrics, baseline=rows, rates=parse_rates("cost_usd=2:0.1"))
    found = {metric.name: metric for metric in plan.stages[0].metrics}
    assert found["refusal_rate"].expects == pytest.approx(0.1, abs=0.02)
    assert found["latency_ms.p95"].expects == pytest.approx(np.exp(6 + 0.5 * 1.645), rel=0.05)
    assert (found["cost_usd"].expects, found["cost_usd"].source) == (2.0, "told")
    assert plan.assumed == ("json_validity",)
    assumed = {m.name: m for m in planned(metrics).stages[0].metrics}
    assert (found["latency_ms.p95"].promote_samples or 0) < (assumed["latency_ms.p95"].promote_samples or 0)


@pytest.mark.parametrize(
    ("text", "words"),
    [("refusal_rate", "NAME=VALUE"), ("a=x", "found 'a=x'"), ("a=1:0", "found 'a=1:0'"), ("a=-1", "found 'a=-1'")],
)
def test_rates_that_cannot_be_read_are_named(text: str, words: str):
    with pytest.raises(InputError, match=words):
        parse_rates(text)


def test_out_of_range_is_refused_with_name_value_and_bound():
    metrics = {"refusal_rate": {"max_increase": "1pp"}, "latency_ms": {"max_increase": "10%"}}
    with pytest.raises(InputError, match="rps is 0; expected more than 0"):
        planned(metrics, rps=0.0)
    with pytest.raises(InputError, match="no metric 'x'"):
        planned(metrics, rates=parse_rates("x=1"))
    with pytest.raises(InputError, match="refusal_rate is 2; expected more than 0 and less than 1"):
        planned(metrics, rates=parse_rates("refusal_rate=200%"))
    with pytest.raises(InputError, match="latency_ms is 0; expected more than 0"):
        planned(metrics, rates=parse_rates("latency_ms=0"))

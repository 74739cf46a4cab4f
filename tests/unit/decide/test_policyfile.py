"""What a policy file means, and that the same meaning has the same digest."""

from __future__ import annotations

import math
from typing import Any

import pytest

from gatekeeper.decide._yaml import MAX_BYTES
from gatekeeper.decide.policyfile import parse_policy, policy_from_mapping
from gatekeeper.errors import PolicyError
from gatekeeper.model.policy import ErrorBudget, Margin, MarginUnit, OnUndecided, StageKind

ONE = {"metrics": {"error_rate": {"limit": "2%"}}}


def faults(mapping: Any) -> list[str]:  # noqa: ANN401 - whatever a caller may send
    with pytest.raises(PolicyError) as raised:
        policy_from_mapping(mapping)
    return [str(fault) for fault in raised.value.faults]


def rule(**fields: object) -> dict[str, Any]:
    return {"metrics": {"refusal_rate": fields}}


def test_metrics_alone_are_a_policy() -> None:
    policy = parse_policy("metrics: {refusal_rate: {max_increase: 1pp}}")
    assert policy.stages == ()
    assert policy.error_budget == ErrorBudget(false_rollback=0.01, false_promotion=0.05)
    assert policy.metrics[0].margin == Margin(value=0.01, unit=MarginUnit.ABSOLUTE, increase=True)


def test_fields_mean_what_the_reference_says() -> None:
    policy = parse_policy(
        """
        metrics:
          ttft_ms.p99.9: {max_increase: 10%, limit: 1500, detect: 30%, critical: true}
          task_success: {max_decrease: 0}
        stages:
          - shadow: {mirror: 0.5%, max_samples: 100, min_wait: 90s, max_wait: 1.5h, on_undecided: rollback}
          - canary: {weight: 33.33%, control: true, needs_approval: true}
          - bake: {wait: 1d}
        """
    )
    ttft, success = policy.metrics
    assert (ttft.metric, ttft.quantile, ttft.limit, ttft.detect, ttft.critical) == ("ttft_ms", 0.999, 1500, 0.3, True)
    assert success.margin == Margin(value=0.0, unit=MarginUnit.ABSOLUTE, increase=False)
    shadow, canary, bake = policy.stages
    assert (shadow.mirror_bp, shadow.max_samples, shadow.min_wait_s, shadow.max_wait_s) == (50, 100, 90, 5400)
    assert shadow.on_undecided is OnUndecided.ROLLBACK
    assert (canary.weight_bp, canary.control, canary.needs_approval) == (3333, True, True)
    assert (bake.kind, bake.wait_s) == (StageKind.BAKE, 86_400)


def test_the_digest_is_of_what_is_said_not_of_how() -> None:
    short = parse_policy("metrics: {refusal_rate: {max_increase: 1pp}, error_rate: {limit: 2%}}")
    long = parse_policy(
        """
        # a comment
        policy: policy
        error_budget:
          false_rollback: 0.010
        metrics:
          error_rate:
            limit: 0.02
            critical: false
          refusal_rate:
            max_increase: 0.01
        """
    )
    as_json = policy_from_mapping({"metrics": {"refusal_rate": {"max_increase": 0.01}, "error_rate": {"limit": "2%"}}})
    assert short.digest == long.digest == as_json.digest
    assert short.digest != parse_policy("metrics: {refusal_rate: {max_increase: 2pp}, error_rate: {limit: 2%}}").digest


def test_json_is_read_with_tabs_and_surrogate_pairs() -> None:
    text = '{\n\t"policy": "\\ud83d\\ude00",\n\t"metrics": {"error_rate": {"limit": 0.02}}\n}'
    assert parse_policy(text).name == "\N{GRINNING FACE}"


def test_yaml_1_2_has_no_norway_problem() -> None:
    assert parse_policy("policy: no\nmetrics: {error_rate: {limit: 2%}}").name == "no"


@pytest.mark.parametrize(
    ("mapping", "told"),
    [
        ({}, "metrics is missing"),
        ([], "found an empty list, expected a policy"),
        (ONE | {"polcy": "x"}, "did you mean 'policy'?"),
        (rule(max_increase=-1), "metrics.refusal_rate.max_increase: found -1, expected a margin of zero or more"),
        (rule(max_increase=math.nan), "found nan, expected a finite number"),
        (rule(max_increase={1, 2}), "found a value of type set"),
        (rule(max_increase=True), "found true, expected a margin"),
        (rule(max_decrease="1pp"), "refusal_rate is better when it is lower: write max_increase"),
        (rule(max_increase="1pp", detect="0pp"), "expected more than zero: a regression beyond the margin"),
        (rule(max_increase="1pp", detect="50%"), "expected it like the margin: absolute"),
        ({"metrics": {"task_success": {"max_decrease": "100%"}}}, "expected less than 100%: that allows everything"),
        ({"metrics": {"error_rate": {"limit": 0}}}, "expected a share above 0 and below 1"),
        ({"metrics": {"feedback_score": {"watch": True}}}, "every metric is only watched"),
        ({"metrics": {"cost_usd": {"limit": "2%"}}}, "cost_usd is no rate: write a bare number in USD"),
        (ONE | {"error_budget": {"false_promotion": 0}}, "found 0, expected a probability between 0 and 1"),
        (ONE | {"stages": [{"warmup": {"requests": 1}}]}, "no stage judges the candidate"),
        (ONE | {"stages": [{"canary": {"weight": "5%"}}, {"canary": {"weight": "5%"}}]}, "each canary to weigh more"),
        (ONE | {"stages": [{"bake": {"wait": 24}}]}, "found 24, expected a duration, such as 30s or 5m"),
        (ONE | {"stages": []}, "stages: found an empty list"),
        (ONE | {"segments": ["a", "a"]}, "expected each entry once"),
        (ONE | {"freeze": ["Fri 16:00/Mon 08:00 Mars/Base"]}, "unknown time zone 'Mars/Base'"),
    ],
)
def test_each_mistake_is_told_in_words(mapping: object, told: str) -> None:
    (fault,) = faults(mapping)
    assert told in fault


def test_a_mapping_that_holds_itself_is_refused() -> None:
    mapping: dict[str, Any] = {}
    mapping["metrics"] = mapping
    assert any("levels" in fault for fault in faults(mapping))


def test_what_is_too_large_or_too_deep_is_refused_before_it_is_read() -> None:
    for text in ("#" * (MAX_BYTES + 1), "[" * 10_000, "a: " + "{a: " * 100):
        with pytest.raises(PolicyError, match="expected"):
            parse_policy(text)


def test_of_very_many_faults_the_first_hundred_are_told() -> None:
    with pytest.raises(PolicyError) as raised:
        parse_policy("\n".join(f"x{number}: 1" for number in range(500)))
    assert len(raised.value.faults) == 101
    assert str(raised.value.faults[-1]).endswith("and 401 more faults")

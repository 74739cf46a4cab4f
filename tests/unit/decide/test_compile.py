"""A policy becomes questions, each with its share of the error budget."""

from __future__ import annotations

import pytest

from gatekeeper.decide import spend
from gatekeeper.decide.compile import compile_policy, whole
from gatekeeper.errors import PolicyError
from gatekeeper.model.policy import ErrorBudget, Margin, MarginUnit, MetricRule, Policy, Stage, StageKind

PP = MarginUnit.ABSOLUTE
SHADOW = Stage(kind=StageKind.SHADOW, mirror_bp=10_000)
CANARY = Stage(kind=StageKind.CANARY, weight_bp=1_000)


def rule(
    metric: str, value: float | None = 0.01, unit: MarginUnit = PP, *, increase: bool = True, **more: object
) -> MetricRule:
    margin = None if value is None else Margin(value=value, unit=unit, increase=increase)
    return MetricRule(name=metric, metric=metric, margin=margin, **more)


REFUSALS = rule("refusal_rate")
ERRORS = rule("error_rate", limit=0.02)


def test_all_faults_come_at_once():
    policy = Policy(
        name="p",
        metrics=(rule("refusal_rte"), rule("task_success"), rule("error_rate", 1.5), rule("cost_usd", None)),
        error_budget=ErrorBudget(false_rollback=1.0),
    )
    with pytest.raises(PolicyError) as caught:
        compile_policy(policy)
    text = str(caught.value)
    assert len(caught.value.faults) == 5
    for word in ("refusal_rate", "max_decrease", "allows everything", "watch", "false_rollback"):
        assert word in text


def test_a_rate_has_no_quantile():
    with pytest.raises(PolicyError, match="quantiles"):
        compile_policy(Policy(name="p", metrics=(rule("error_rate", quantile=0.95),)))


def test_the_whole_budget_belongs_to_one_stage_where_there_are_none():
    (stage,) = compile_policy(Policy(name="p", metrics=(REFUSALS, ERRORS))).stages
    assert sum(s.question.alpha_rollback for s in stage.streams) == pytest.approx(0.01)
    assert [s.test for s in stage.streams] == ["two_proportion_ripr", "two_proportion_ripr", "rate_limit"]
    assert {s.question.alpha_promotion for s in stage.streams} == {0.05}


def test_rollback_is_shared_over_stages_metrics_and_segments():
    policy = Policy(
        name="p",
        metrics=(REFUSALS, ERRORS),
        stages=(Stage(kind=StageKind.WARMUP, requests=5), SHADOW, CANARY),
        segments=("workload",),
    )
    plan = compile_policy(policy)
    assert plan.stages[0].streams == ()
    spent = sum(s.question.alpha_rollback + s.alpha_segments for stage in plan.stages for s in stage.streams)
    assert spent == pytest.approx(0.01)
    assert sum(spend.segment_share(1.0, k) for k in range(1, 5_000)) == pytest.approx(1.0, abs=1e-3)


def test_a_critical_metric_has_the_larger_share():
    policy = Policy(name="p", metrics=(rule("refusal_rate", critical=True), rule("error_rate")))
    first, second = compile_policy(policy).stages[0].streams
    assert first.question.alpha_rollback == pytest.approx(4 * second.question.alpha_rollback)


def test_shadow_and_gate_are_paired_and_a_canary_is_drawn_by_lot():
    gate = Stage(kind=StageKind.GATE, evalset="e")
    control = Stage(kind=StageKind.CANARY, weight_bp=1_000, control=True)
    plan = compile_policy(Policy(name="p", metrics=(REFUSALS,), stages=(gate, SHADOW, CANARY, control)))
    assert [stage.paired for stage in plan.stages] == [True, True, False, False]
    assert [stage.shares for stage in plan.stages] == [None, None, (0.9, 0.1), (0.5, 0.5)]
    assert plan.stages[1].streams[0].test == "paired_betting"


def test_recorded_data_are_judged_as_one_stage_at_a_stages_error_level():
    plan = whole(Policy(name="p", metrics=(REFUSALS,), stages=(SHADOW, CANARY)), paired=False)
    assert [s.question.alpha_rollback for stage in plan.stages for s in stage.streams] == [0.005]


def test_margin_zero_can_be_proven_only_with_detect():
    bare, named = (
        compile_policy(Policy(name="p", metrics=(rule("refusal_rate", 0.0), rule("error_rate", 0.0, detect=0.02))))
        .stages[0]
        .streams
    )
    assert bare.question.proof_margin is None
    assert named.question.proof_margin == 0.02


def test_a_candidate_as_bad_as_detect_at_margin_zero_is_promoted_with_a_fifth_of_the_budget_only():
    rules = (rule("refusal_rate", 0.0, detect=0.02), rule("error_rate", 0.01, detect=0.02))
    budget = ErrorBudget(false_rollback=0.01, false_promotion=0.05)
    at_zero, beyond = compile_policy(Policy(name="p", metrics=rules, error_budget=budget)).stages[0].streams
    assert at_zero.question.alpha_promotion == pytest.approx(0.01)
    assert beyond.question.alpha_promotion == 0.05


def test_numbers_choose_their_test():
    policy = Policy(
        name="p",
        metrics=(
            rule("latency_ms", 0.1, MarginUnit.RELATIVE, quantile=0.95, limit=900.0),
            rule("cost_usd", 0.1, MarginUnit.RELATIVE),
            rule("extra.stars", 0.2, increase=False),
            rule("feedback_score", None, watch=True),
        ),
    )
    streams = compile_policy(policy).stages[0].streams
    assert [s.test for s in streams] == [
        "minprod",
        "quantile_limit",
        "asymptotic_mean",
        "asymptotic_mean",
        "asymptotic_mean",
    ]
    assert [s.judged for s in streams] == [True, True, True, True, False]
    assert streams[3].question.increase is False

"""A policy's questions together spend its error budget, and never more."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.decide import spend
from gatekeeper.decide.compile import compile_policy
from gatekeeper.decide.fold import ALL, question_for
from gatekeeper.model.policy import ErrorBudget, Margin, MarginUnit, MetricRule, Policy, Stage, StageKind

NAMES = ("refusal_rate", "error_rate", "degeneration_rate", "ttft_ms.p95", "cost_usd", "tpot_ms.p50")


@st.composite
def rules(draw: st.DrawFn) -> tuple[MetricRule, ...]:
    found = []
    for name in draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True)):
        metric, _, quantile = name.partition(".p")
        kind = draw(st.sampled_from(["margin", "limit", "both", "watch"]))
        found.append(
            MetricRule(
                name=name,
                metric=metric,
                quantile=float(quantile) / 100 if quantile else None,
                margin=Margin(value=draw(st.sampled_from([0.0, 0.01, 0.1])), unit=MarginUnit.RELATIVE, increase=True)
                if kind in {"margin", "both"}
                else None,
                limit=draw(st.sampled_from([0.05, 0.5])) if kind in {"limit", "both"} else None,
                critical=draw(st.booleans()),
                watch=kind == "watch",
            )
        )
    return tuple(found)


STAGES = st.lists(
    st.sampled_from(
        [
            Stage(kind=StageKind.WARMUP, requests=10),
            Stage(kind=StageKind.GATE, evalset="small"),
            Stage(kind=StageKind.SHADOW, mirror_bp=10_000),
            Stage(kind=StageKind.CANARY, weight_bp=1_000),
            Stage(kind=StageKind.BAKE, wait_s=60.0),
        ]
    ),
    max_size=5,
)


@given(rules(), STAGES, st.none() | st.integers(0, 80), st.floats(1e-4, 0.5))
def test_all_questions_together_spend_no_more_than_the_budget(
    metrics: tuple[MetricRule, ...], stages: list[Stage], segments: int | None, budget: float
):
    policy = Policy(
        name="p",
        metrics=metrics,
        stages=tuple(stages),
        segments=() if segments is None else ("workload",),
        error_budget=ErrorBudget(false_rollback=budget, false_promotion=0.05),
    )
    plan = compile_policy(policy)
    names = [f"workload={i}" for i in range(segments or 0)]
    questions = [
        question_for(stream, names, label)
        for stage in plan.stages
        for stream in stage.streams
        if stream.judged
        for label in (ALL, *names)
    ]
    spent = sum(question.alpha_rollback for question in questions)
    assert spent <= budget * (1 + 1e-9)
    assert all(question.alpha_rollback > 0 for question in questions)
    assert {question.alpha_promotion for question in questions} <= {0.05, 0.05 * spend.EQUALITY_SHARE}
    assert all(question.alpha_promotion == 0.05 for question in questions if question.margin)
    if segments is None and questions:
        judged = [stage for stage in plan.stages if any(stream.judged for stream in stage.streams)]
        of_stages = max(sum(stage.judged for stage in stages), 1)
        assert spent == pytest.approx(budget * len(judged) / of_stages)

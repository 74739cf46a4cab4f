"""What must not look like a regression: other mixes of segments, users who send much, looks cut otherwise."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from gatekeeper.decide.columns import Columns
from gatekeeper.decide.compile import compile_policy
from gatekeeper.decide.fold import begin, fold_columns
from gatekeeper.decide.weigh import verdict_of
from gatekeeper.model.finding import VerdictKind
from gatekeeper.model.policy import ErrorBudget, Margin, MarginUnit, MetricRule, Policy

if TYPE_CHECKING:
    from gatekeeper.decide.evidence import Evidence
    from gatekeeper.decide.plan import Plan

ALPHA = 0.1
REPLICATES = 200
MOST = ALPHA + 2.5 * np.sqrt(ALPHA * (1 - ALPHA) / REPLICATES)
SPREAD = 1 / 0.3 - 1
"""Sum of a beta distribution's parameters at which the answers of one user have a correlation of .3."""

SLOWNESS = MetricRule(
    name="ttft_ms.p90",
    metric="ttft_ms",
    quantile=0.9,
    margin=Margin(value=0.05, unit=MarginUnit.RELATIVE, increase=True),
)
REFUSALS = MetricRule(
    name="refusal_rate",
    metric="refusal_rate",
    margin=Margin(value=0.0, unit=MarginUnit.ABSOLUTE, increase=True),
    detect=0.02,
)
COST = MetricRule(
    name="cost_usd", metric="cost_usd", margin=Margin(value=0.02, unit=MarginUnit.RELATIVE, increase=True)
)


def plan_of(*rules: MetricRule) -> Plan:
    return compile_policy(Policy(name="p", metrics=rules, error_budget=ErrorBudget(false_rollback=ALPHA)))


def columns(
    arm: np.ndarray, segment: np.ndarray | None = None, cluster: np.ndarray | None = None, **values: np.ndarray
) -> Columns:
    n = len(arm)
    none = np.full(n, -1)
    return Columns(
        ts=np.arange(n, dtype=float),
        arm=arm.astype(np.int8),
        pair=none,
        cluster=none if cluster is None else cluster,
        errored=np.zeros(n, np.bool_),
        values=values,
        segments={} if segment is None else {"segment": (segment, [f"s{i}" for i in range(9)])},
    )


def judged(plan: Plan, data: Columns, looks: int) -> Evidence:
    evidence = begin(plan, 0)
    for rows in np.array_split(np.arange(len(data)), looks):
        evidence = fold_columns(plan, 0, evidence, data.take(rows))
    return evidence


def rolled_back(plan: Plan, datas: list[Columns], looks: int = 4) -> float:
    return np.mean([verdict_of(plan, 0, judged(plan, data, looks)) is VerdictKind.ROLLBACK for data in datas])


def mixes(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return arms, and segments of which the baseline's are 70/30 and the candidate's 60/40."""
    arm = rng.integers(0, 2, n)
    return arm, (rng.random(n) < np.where(arm == 1, 0.4, 0.3)).astype(np.int64)


def test_other_mixes_of_segments_are_no_more_refusals():
    rng = np.random.default_rng(1)
    datas = []
    for _ in range(REPLICATES // 2):
        arm, segment = mixes(rng, 12_000)
        refused = (rng.random(12_000) < np.where(segment == 1, 0.10, 0.02)).astype(float)
        datas.append(columns(arm, segment, refused=refused))
    plan = plan_of(REFUSALS)
    pooled = [replace(data, segments={}) for data in datas[:40]]
    assert rolled_back(plan, datas) <= MOST
    assert rolled_back(plan, pooled) > 0.3


@pytest.mark.parametrize("rule", [SLOWNESS, COST])
def test_other_mixes_of_segments_are_no_slowness_and_no_cost(rule: MetricRule):
    rng = np.random.default_rng(2)
    datas = []
    for _ in range(REPLICATES):
        arm, segment = mixes(rng, 8_000)
        values = rng.lognormal(3, 0.4, 8_000) * np.where(segment == 1, 3.0, 1.0)
        datas.append(columns(arm, segment, **{rule.metric: values}))
    plan = plan_of(rule)
    pooled = [replace(data, segments={}) for data in datas[:40]]
    assert rolled_back(plan, datas) <= MOST
    assert rolled_back(plan, pooled) > 0.3


def users(rng: np.random.Generator, rule: MetricRule, count: int, turns: int) -> Columns:
    """Return requests in random order of users whose own requests have a correlation of .3."""
    user = rng.permutation(np.repeat(np.arange(count), turns))
    arm = rng.integers(0, 2, count)[user]
    if rule is REFUSALS:
        rate = rng.beta(0.2 * SPREAD, 0.8 * SPREAD, count)[user]
        return columns(arm, cluster=user * 7919, refused=(rng.random(len(user)) < rate).astype(float))
    own, noise = rng.standard_normal(count)[user], rng.standard_normal(len(user))
    values = np.exp(0.5 * (np.sqrt(0.3) * own + np.sqrt(0.7) * noise))
    return columns(arm, cluster=user * 7919, **{rule.metric: values})


@pytest.mark.parametrize("rule", [REFUSALS, SLOWNESS, COST])
def test_users_who_send_eight_requests_each_are_no_evidence_eight_times(rule: MetricRule):
    rng = np.random.default_rng(3)
    assert rolled_back(plan_of(rule), [users(rng, rule, 400, 8) for _ in range(REPLICATES)]) <= MOST


def test_users_who_are_not_named_are_taken_for_evidence():
    rng = np.random.default_rng(4)
    datas = [users(rng, REFUSALS, 100, 50) for _ in range(40)]
    assert rolled_back(plan_of(REFUSALS), datas) <= MOST
    assert rolled_back(plan_of(REFUSALS), [replace(data, cluster=np.full(len(data), -1)) for data in datas]) > 2 * ALPHA


def test_totals_do_not_depend_on_how_looks_are_cut_or_ordered():
    rng = np.random.default_rng(4)
    arm, segment = mixes(rng, 2_000)
    data = columns(arm, segment, refused=(rng.random(2_000) < 0.1).astype(float), cost_usd=rng.lognormal(0, 1, 2_000))
    plan = plan_of(REFUSALS, COST)
    wanted = judged(plan, data, 1)
    for looks in (3, 40):
        order = rng.permutation(looks)
        evidence = begin(plan, 0)
        parts = np.array_split(np.arange(2_000), looks)
        for i in order:
            evidence = fold_columns(plan, 0, evidence, data.take(parts[i]))
        assert (evidence.samples, evidence.arms, evidence.units) == (wanted.samples, wanted.arms, wanted.units)
        state, other = (e.tracks["refusal_rate"][""].state for e in (evidence, wanted))
        places = [evidence.strata.index(name) for name in wanted.strata]
        np.testing.assert_allclose((state["counts"] + state["pending"])[places], other["counts"] + other["pending"])

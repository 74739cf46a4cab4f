"""Evidence folded window by window, and what is ruled on it."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from gatekeeper.decide.compile import compile_policy
from gatekeeper.decide.evidence import Evidence
from gatekeeper.decide.fold import begin, fold
from gatekeeper.decide.weigh import verdict_of, weigh
from gatekeeper.model import schema
from gatekeeper.model.arm import Arm
from gatekeeper.model.finding import Report, Ruling, VerdictKind
from gatekeeper.model.policy import Margin, MarginUnit, MetricRule, Policy, Stage, StageKind
from gatekeeper.model.sample import Sample
from gatekeeper.model.wire import to_dict

REFUSALS = MetricRule(
    name="refusal_rate",
    metric="refusal_rate",
    margin=Margin(value=0.03, unit=MarginUnit.ABSOLUTE, increase=True),
)
SLOWNESS = MetricRule(
    name="tpot_ms.p50",
    metric="tpot_ms",
    quantile=0.5,
    margin=Margin(value=0.5, unit=MarginUnit.RELATIVE, increase=True),
)
POLICY = Policy(name="p", metrics=(REFUSALS, SLOWNESS), digest="d")
SHADOW = Stage(kind=StageKind.SHADOW, mirror_bp=10_000)


def traffic(n: int, *, refused: float = 0.0, slow: float = 1.0, paired: bool = False, seed: int = 1) -> list[Sample]:
    """Return n samples an arm; refused: what the candidate refuses more than the baseline's 2 %."""
    rng = np.random.default_rng(seed)
    return [
        Sample(
            request_id=f"{arm}{i}",
            ts=float(i),
            arm=arm,
            pair_id=str(i) if paired else None,
            segment={"workload": "batch" if i % 4 == 0 else "chat"},
            refused=bool(rng.random() < 0.02 + (refused if arm is Arm.CANDIDATE else 0.0)),
            tpot_ms=float(rng.lognormal(3, 0.2)) * (slow if arm is Arm.CANDIDATE else 1.0),
        )
        for i in range(n)
        for arm in (Arm.BASELINE, Arm.CANDIDATE)
    ]


def judged(policy: Policy, samples: list[Sample], window: int = 200, stage: int = 0) -> Report:
    plan = compile_policy(policy)
    evidence = begin(plan, stage)
    for start in range(0, len(samples), window):
        evidence = fold(plan, stage, evidence, samples[start : start + window])
    report = weigh(plan, stage, evidence, look=evidence.looks, now_s=0.0)
    assert report.verdict is verdict_of(plan, stage, evidence)
    Draft202012Validator(schema.load("report")).validate(json.loads(json.dumps(to_dict(report))))
    return report


def test_equal_arms_are_promoted():
    report = judged(POLICY, traffic(1_200))
    assert report.verdict is VerdictKind.PROMOTE
    assert report.decided_at is not None
    assert report.decided_at["samples"] <= 2_400
    assert "proven within" in report.reasons[1]
    for finding in report.findings:
        assert finding.effect.upper <= finding.margin


def test_a_refusing_candidate_is_rolled_back_for_refusals():
    report = judged(POLICY, traffic(1_000, refused=0.15))
    assert report.verdict is VerdictKind.ROLLBACK
    assert [f.metric for f in report.findings if f.ruling is Ruling.FAIL] == ["refusal_rate"]
    assert report.findings[0].effect.lower >= 0.03
    assert report.reasons[0].startswith("refusal_rate is up")
    assert "margin of 3 pp" in report.reasons[0]


@pytest.mark.parametrize("paired", [False, True])
def test_a_slow_candidate_is_rolled_back_within_a_hundred(*, paired: bool):
    policy = replace(POLICY, stages=(SHADOW,)) if paired else POLICY
    report = judged(policy, traffic(100, slow=2.2, paired=paired), window=20)
    assert report.verdict is VerdictKind.ROLLBACK
    assert [f.metric for f in report.findings if f.ruling is Ruling.FAIL] == ["tpot_ms.p50"]
    assert {f.paired for f in report.findings} == {paired}


def test_half_a_pair_is_left_out_and_told():
    samples = [s for s in traffic(50, paired=True) if s.arm is Arm.BASELINE or s.pair_id != "7"]
    report = judged(replace(POLICY, stages=(SHADOW,)), samples)
    assert report.findings[0].baseline.n == 49
    assert [check.name for check in report.checks] == ["design", "pairs"]


def test_one_arm_alone_is_inconclusive_and_says_so():
    report = judged(POLICY, [s for s in traffic(300) if s.arm is Arm.BASELINE])
    assert report.verdict is VerdictKind.HOLD
    assert {f.ruling for f in report.findings} == {Ruling.INCONCLUSIVE}
    assert all("no data" in f.reason for f in report.findings)


def test_nothing_at_all_holds():
    report = judged(POLICY, [])
    assert report.verdict is VerdictKind.HOLD
    assert report.decided_at is None


def test_watched_metrics_never_decide():
    policy = Policy(name="p", metrics=(replace(REFUSALS, margin=None, watch=True),))
    report = judged(policy, traffic(500, refused=0.5))
    assert report.verdict is VerdictKind.HOLD
    assert report.findings[0].ruling is Ruling.INCONCLUSIVE
    assert report.findings[0].effect.lower > 0.3


def test_an_errored_sample_counts_for_errors_alone():
    errors = MetricRule(
        name="error_rate",
        metric="error_rate",
        margin=Margin(value=0.03, unit=MarginUnit.ABSOLUTE, increase=True),
    )
    samples = [replace(s, error="timeout" if i % 3 == 0 else None) for i, s in enumerate(traffic(300))]
    report = judged(Policy(name="p", metrics=(REFUSALS, errors)), samples)
    assert report.findings[0].candidate.n == 200
    assert report.findings[1].candidate.n == 300
    assert report.findings[1].candidate.value == pytest.approx(1 / 3)


def test_margin_zero_rolls_back_and_never_promotes():
    policy = Policy(name="p", metrics=(replace(REFUSALS, margin=replace(REFUSALS.margin, value=0.0)),))
    assert judged(policy, traffic(1_000, refused=0.1)).verdict is VerdictKind.ROLLBACK
    report = judged(policy, traffic(1_000))
    assert report.verdict is VerdictKind.HOLD
    assert "margin of 0 cannot be proven" in report.reasons[0]


def test_harm_in_one_segment_rolls_back():
    policy = replace(POLICY, segments=("workload",))
    samples = [
        replace(s, refused=s.refused or (s.arm is Arm.CANDIDATE and s.segment == {"workload": "batch"} and i % 16 < 8))
        for i, s in enumerate(traffic(1_500))
    ]
    report = judged(policy, samples)
    assert report.verdict is VerdictKind.ROLLBACK
    failed = {f.segment for f in report.findings if f.ruling is Ruling.FAIL}
    assert "workload=batch" in failed
    assert "workload=chat" not in failed


def test_a_broken_assignment_holds_what_would_be_promoted():
    policy = replace(POLICY, stages=(Stage(kind=StageKind.CANARY, weight_bp=1_000),))
    report = judged(policy, traffic(1_200))
    assert report.verdict is VerdictKind.HOLD
    assert [check.ruling for check in report.checks if check.name == "sample_ratio"] == [Ruling.FAIL]
    assert report.reasons[0].startswith("assignment is broken")


def test_a_cluster_counts_once_in_the_sample_ratio():
    policy = replace(POLICY, stages=(Stage(kind=StageKind.CANARY, weight_bp=5_000),))
    heavy = [replace(s, cluster_id="one" if s.arm is Arm.CANDIDATE else f"u{i}") for i, s in enumerate(traffic(50))]
    evidence = fold(compile_policy(policy), 0, begin(compile_policy(policy), 0), heavy)
    assert evidence.units == [50, 1]


def test_a_limit_holds_whatever_the_baseline_does():
    bounded = replace(REFUSALS, margin=None, limit=0.05)
    equal_but_bad = [replace(s, refused=i % 10 < 2) for i, s in enumerate(traffic(600))]
    report = judged(Policy(name="p", metrics=(bounded,)), equal_but_bad)
    assert report.verdict is VerdictKind.ROLLBACK
    assert report.findings[0].test == "rate_limit"
    assert report.findings[0].effect.lower >= 0.05
    assert judged(Policy(name="p", metrics=(bounded,)), traffic(600)).verdict is VerdictKind.PROMOTE


def test_evidence_survives_its_json_and_its_size_does_not_grow():
    policy = replace(POLICY, segments=("workload",))
    plan = compile_policy(policy)
    kept = stored = begin(plan, 0)
    sizes = []
    samples = traffic(2_000)
    for start in range(0, len(samples), 400):
        window = samples[start : start + 400]
        kept = fold(plan, 0, kept, window)
        text = json.dumps(fold(plan, 0, stored, window).to_json(), allow_nan=False)
        stored = Evidence.from_json(json.loads(text))
        sizes.append(len(text))
    assert to_dict(weigh(plan, 0, stored, look=5, now_s=0)) == to_dict(weigh(plan, 0, kept, look=5, now_s=0))
    assert sizes[-1] < 2.5 * sizes[0]


def test_folding_leaves_the_earlier_evidence_alone():
    plan = compile_policy(POLICY)
    first = fold(plan, 0, begin(plan, 0), traffic(50))
    before = json.dumps(first.to_json())
    fold(plan, 0, first, traffic(50, seed=2))
    assert json.dumps(first.to_json()) == before


def test_what_is_missing_is_estimated():
    report = judged(POLICY, traffic(60))
    undecided = [f for f in report.findings if f.ruling is Ruling.INCONCLUSIVE]
    assert undecided
    assert all(f.samples_needed is not None and 10 <= f.samples_needed <= 20_000 for f in undecided)
    assert "more samples needed" in report.reasons[0]

"""What a report says of the experiment itself."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from gatekeeper.decide.compile import compile_policy
from gatekeeper.decide.evidence import Evidence
from gatekeeper.decide.fold import begin, fold
from gatekeeper.decide.weigh import weigh
from gatekeeper.model.arm import Arm
from gatekeeper.model.finding import Check, Ruling
from gatekeeper.model.policy import Margin, MarginUnit, MetricRule, Policy, Stage, StageKind
from gatekeeper.model.sample import Sample
from gatekeeper.model.wire import to_dict

REFUSALS = MetricRule(
    name="refusal_rate",
    metric="refusal_rate",
    margin=Margin(value=0.03, unit=MarginUnit.ABSOLUTE, increase=True),
)
SLOWNESS = MetricRule(
    name="ttft_ms.p90",
    metric="ttft_ms",
    quantile=0.9,
    margin=Margin(value=0.3, unit=MarginUnit.RELATIVE, increase=True),
)
COST = MetricRule(name="cost_usd", metric="cost_usd", margin=Margin(value=0.1, unit=MarginUnit.RELATIVE, increase=True))
POLICY = Policy(name="p", metrics=(REFUSALS, SLOWNESS, COST))
SHADOW = Stage(kind=StageKind.SHADOW, mirror_bp=10_000)


def traffic(n: int, *, users: int | None = None, candidate_batch: float = 0.3, drift: float = 0.0) -> list[Sample]:
    """Return samples; candidate_batch: share of the candidate's in the segment `batch`, 0.3 of the baseline's."""
    rng = np.random.default_rng(5)
    samples = []
    for i in range(n):
        arm = Arm.CANDIDATE if rng.random() < 0.5 else Arm.BASELINE
        batch = rng.random() < (candidate_batch if arm is Arm.CANDIDATE else 0.3)
        samples.append(
            Sample(
                request_id=f"r{i}",
                ts=float(i),
                arm=arm,
                segment="batch" if batch else "chat",
                cluster_id=None if users is None else f"u{rng.integers(users)}",
                refused=bool(rng.random() < 0.05 + drift * i / n),
                ttft_ms=float(rng.lognormal(5, 0.3)),
                cost_usd=float(rng.lognormal(0, 0.3)),
            )
        )
    return samples


def checks(policy: Policy, samples: list[Sample], window: int = 500) -> dict[str, Check]:
    plan = compile_policy(policy)
    evidence = begin(plan, 0)
    for start in range(0, len(samples), window):
        evidence = fold(plan, 0, evidence, samples[start : start + window])
    return {check.name: check for check in weigh(plan, 0, evidence, look=evidence.looks, now_s=0).checks}


def test_the_design_is_chosen_by_the_shape_of_the_data():
    plain = checks(POLICY, [replace(s, segment=None) for s in traffic(200)])
    assert set(plain) == {"design"}
    assert plain["design"].ruling is Ruling.PASS
    assert plain["design"].reason.startswith("unpaired")
    by_segment = checks(POLICY, traffic(200))
    assert by_segment["design"].reason.startswith("stratified: arms are compared within 2 segments")
    pairs = [replace(s, arm=arm, pair_id=s.request_id) for s in traffic(50) for arm in (Arm.BASELINE, Arm.CANDIDATE)]
    shadow = checks(replace(POLICY, stages=(SHADOW,)), pairs)
    assert shadow["design"].reason.startswith("paired")


def test_declared_keys_divide_traffic_by_their_combinations():
    samples = [
        replace(s, segment={"workload": str(s.segment), "tier": f"t{i % 3}"}) for i, s in enumerate(traffic(300))
    ]
    found = checks(replace(POLICY, segments=("workload", "tier")), samples)
    assert "within 6 segments" in found["design"].reason


def test_requests_of_users_seen_before_are_left_out_and_told():
    found = checks(POLICY, traffic(2_000, users=300))
    assert "each user or conversation counts once" in found["design"].reason
    assert "conversation ids" in found["units"].reason
    assert found["units"].ruling is Ruling.PASS
    assert "units" not in checks(POLICY, traffic(400, users=300), window=400)


def test_units_are_counted_once_over_all_looks():
    plan = compile_policy(POLICY)
    evidence = begin(plan, 0)
    samples = traffic(3_000, users=200)
    for start in range(0, 3_000, 300):
        evidence = fold(plan, 0, evidence, samples[start : start + 300])
    assert sum(evidence.units) == sum(map(sum, evidence.mix)) == 200
    table = evidence.tracks["cost_usd"][""].state["n"]
    assert table.sum() == pytest.approx(200)
    assert evidence.repeats + evidence.compared == evidence.samples == 3_000


def test_other_mixes_of_segments_are_told():
    found = checks(POLICY, traffic(3_000, candidate_batch=0.45))
    assert found["segment_mix"].ruling is Ruling.INCONCLUSIVE
    assert "comparisons are made within segments" in found["segment_mix"].reason
    assert "segment_mix" not in checks(POLICY, traffic(3_000))


def test_a_baseline_that_moves_is_told_and_does_not_decide():
    found = checks(POLICY, traffic(6_000, drift=0.4), window=250)
    assert found["drift"].ruling is Ruling.INCONCLUSIVE
    assert found["drift"].reason.startswith("refusal_rate: the baseline itself moves")


def test_evidence_is_stored_exactly():
    policy = replace(POLICY, segments=("workload", "tier"))
    plan = compile_policy(policy)
    kept = stored = begin(plan, 0)
    samples = [
        replace(s, segment={"workload": str(s.segment), "tier": f"t{i % 3}"} if i % 7 else None)
        for i, s in enumerate(traffic(1_500, users=900))
    ]
    for start in range(0, 1_500, 300):
        window = samples[start : start + 300]
        kept, stored = fold(plan, 0, kept, window), fold(plan, 0, stored, window)
        text = json.dumps(stored.to_json(), allow_nan=False)
        stored = Evidence.from_json(json.loads(text))
        assert json.dumps(stored.to_json()) == text == json.dumps(kept.to_json())
    assert to_dict(weigh(plan, 0, stored, look=5, now_s=0)) == to_dict(weigh(plan, 0, kept, look=5, now_s=0))
    assert kept.strata[0] == ""
    assert set(kept.strata[1:]) == {f"workload={w} tier=t{i}" for w in ("batch", "chat") for i in range(3)}


def test_a_pass_is_withdrawn_when_harm_comes_late():
    rng = np.random.default_rng(0)
    plan = compile_policy(Policy(name="p", metrics=(REFUSALS,)))
    evidence = begin(plan, 0)
    rulings, reasons = [], []
    for look in range(60):
        rate = 0.02 + (0.09 if look >= 30 else 0.0)
        samples = [
            Sample(
                request_id=f"{look}/{arm}{i}",
                ts=float(look),
                arm=arm,
                refused=bool(rng.random() < (rate if arm is Arm.CANDIDATE else 0.02)),
            )
            for i in range(50)
            for arm in (Arm.BASELINE, Arm.CANDIDATE)
        ]
        evidence = fold(plan, 0, evidence, samples)
        finding = weigh(plan, 0, evidence, look=look, now_s=0).findings[0]
        rulings.append(finding.ruling)
        reasons.append(finding.reason)
    order = [ruling for i, ruling in enumerate(rulings) if i == 0 or ruling is not rulings[i - 1]]
    assert order == [Ruling.INCONCLUSIVE, Ruling.PASS, Ruling.INCONCLUSIVE, Ruling.FAIL]
    withdrawn = reasons[rulings.index(Ruling.FAIL) - 1]
    assert "it had passed, but evidence of harm has grown since" in withdrawn

"""Synthetic traffic through the real judge: what is drawn is what was asked for, and side by side is one by one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gatekeeper.decide.compile import compile_policy
from gatekeeper.decide.fold import begin, fold_columns
from gatekeeper.decide.policyfile import policy_from_mapping
from gatekeeper.decide.power import Setting, Typical
from gatekeeper.errors import InputError
from gatekeeper.flow._measures import agree, median, share
from gatekeeper.flow._traffic import CANDIDATE, Source, copied, harm_at, rates_of, window
from gatekeeper.flow.simulate import simulate
from gatekeeper.model.wire import to_dict

POLICY = policy_from_mapping(
    {
        "error_budget": {"false_rollback": 0.05},
        "metrics": {
            "refusal_rate": {"max_increase": "3pp"},
            "latency_ms.p95": {"max_increase": "40%", "limit": 20_000},
            "cost_usd": {"max_increase": "20%"},
            "cost_per_success": {"max_increase": "20%"},
        },
        "stages": [
            {"shadow": {"mirror": "50%", "max_samples": 3000}},
            {"canary": {"weight": "20%", "max_samples": 6000}},
        ],
    }
)
TYPICAL = {
    "refusal_rate": Typical(value=0.1),
    "latency_ms.p95": Typical(value=5_000.0),
    "latency_ms.p95 limit": Typical(value=5_000.0),
    "cost_usd": Typical(value=2.0, spread=0.5),
    "cost_per_success": Typical(value=3.0, spread=0.8, share=0.5),
}


@pytest.mark.parametrize("scenario", ["equal", "margin", "beyond"])
@pytest.mark.parametrize("stage", [0, 1])
def test_traffic_is_what_it_says(scenario: str, stage: int):
    layout = compile_policy(POLICY).stages[stage]
    setting = Setting(paired=layout.paired, ratio=1.0 if layout.paired else 4.0)
    sources = [
        Source(stream=copied(s, 0), typical=TYPICAL[s.name], harm=harm_at(s, TYPICAL[s.name], scenario))
        for s in layout.streams
    ]
    rows = window(sources, setting, 0, 120_000, ("workload",), np.random.default_rng(2))
    mine = rows.arm == CANDIDATE
    assert mine.mean() == pytest.approx(1.0 / (1.0 + setting.ratio), abs=0.01)
    for source in sources:
        columns = [rows.values[name] for name in source.stream.spec.columns]
        for arm, factor in ((~mine, 1.0), (mine, {"equal": 1.0, "margin": None, "beyond": None}[scenario])):
            picked = [column[arm] for column in columns]
            seen = [column[~np.isnan(column)] for column in picked]
            assert len(seen[0]) / arm.sum() == pytest.approx(source.typical.share, abs=0.02)
            if source.stream.name.startswith("refusal"):
                assert seen[0].mean() == pytest.approx(rates_of(source)[int(factor is None)], abs=0.01)
                continue
            quantile = source.stream.question.quantile
            value = seen[0].sum() / seen[1].sum() if len(seen) > 1 else seen[0].mean()
            value = float(np.quantile(seen[0], quantile)) if quantile else value
            wanted = source.typical.value or 0.0
            if factor is None:
                base = source.stream.question.limit if source.stream.is_limit else wanted
                wanted = (base or 0.0) * (1.0 + source.harm)
            assert value == pytest.approx(wanted, rel=0.03)


def test_copies_side_by_side_are_judged_as_each_alone():
    plan = compile_policy(POLICY)
    streams = plan.stages[1].streams
    sources = [Source(stream=copied(s, i), typical=TYPICAL[s.name], harm=0.0) for i in range(3) for s in streams]
    setting = Setting(paired=False, ratio=4.0)

    def ends(some: list[Source]) -> dict[str, tuple[float, float]]:
        layout = replace(plan.stages[1], shares=None, streams=tuple(source.stream for source in some))
        own = replace(plan, stages=(layout,))
        rng = np.random.default_rng(9)
        evidence = begin(own, 0)
        for start in range(0, 3_000, 1_000):
            evidence = fold_columns(own, 0, evidence, window(sources, setting, start, 1_000, (), rng))
        return {name: (t[""].log_rollback, t[""].log_promotion) for name, t in evidence.tracks.items()}

    together = ends(sources)
    for i in range(3):
        alone = ends(sources[i * len(streams) : (i + 1) * len(streams)])
        for name, logs in alone.items():
            assert logs == pytest.approx(together[name])


def test_a_policy_is_measured_within_its_promises():
    measured = simulate(POLICY, replicates=20, stage=1, seed=3)
    (stage,) = measured.stages
    assert stage.title == "canary 20 %"
    assert stage.most_samples == 6_000
    assert stage.false_rollback.value == 0.0
    assert (stage.promoted.value or 0) > 0.5
    by_name = {metric.name: metric for metric in stage.metrics}
    assert (by_name["refusal_rate"].power.value or 0) > 0.5
    assert all((metric.false_promotion.value or 0) <= 0.2 for metric in stage.metrics)
    assert to_dict(measured) == to_dict(simulate(POLICY, replicates=20, stage=1, seed=3))


def test_a_stage_that_is_not_there_is_refused():
    with pytest.raises(InputError, match="stage is 9; expected one that is judged: 1, 2"):
        simulate(POLICY, stage=8)


def test_figures():
    inf = float("inf")
    assert share([1.0, inf, inf, inf]).value == 0.25
    assert (share([inf] * 100).error or 0) > 0
    assert median([3.0, inf, 1.0]) == 3.0
    assert median([3.0, inf, inf]) is None
    sure = share([1.0] * 400)
    assert agree(sure, 0.99, 1000.0, 1100.0, 400)
    assert not agree(sure, 0.5, 1000.0, 1100.0, 400)
    assert not agree(sure, 0.99, 1000.0, 2000.0, 400)

"""Signs on few samples: told, never ruled by; the cases from other judges' issue trackers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gatekeeper import analyze
from gatekeeper.model.finding import Report, VerdictKind


def judged(metric: str, field: str, baseline: list[Any], candidate: list[Any], margin: str = "10%") -> Report:
    """Judge plain values of one metric."""
    arms = (("baseline", baseline), ("candidate", candidate))
    rows = [
        {"arm": arm, **({"extra": {"v": value}} if field == "v" else {field: value})}
        for arm, values in arms
        for value in values
    ]
    return analyze(rows, {"metrics": {metric: {"max_increase": margin}}})


def signs(report: Report) -> list[str]:
    return [check.reason for check in report.checks if check.name == "early_sign"]


@pytest.mark.parametrize("metric", ["extra.v", "extra.v.p50"])
def test_seven_hundreds_and_three_ones_against_ten_ones_is_flagged(metric: str):
    report = judged(metric, "v", [1.0] * 10, [100.0] * 7 + [1.0] * 3)
    assert report.verdict is VerdictKind.HOLD
    assert len(signs(report)) == 1
    assert "10 against 10 values" in signs(report)[0]


def test_an_all_zero_baseline_against_five_of_ten_is_flagged():
    report = judged("refusal_rate", "refused", [False] * 10, [True] * 5 + [False] * 5, margin="1pp")
    assert report.verdict is VerdictKind.HOLD
    (sign,) = signs(report)
    assert sign.startswith("refusal_rate looks worse already (5 of 10 against 0 of 10, Fisher's exact test: p = 0.016")


def test_six_sparse_samples_are_not_flagged():
    report = judged("refusal_rate", "refused", [False] * 6, [True] + [False] * 5, margin="1pp")
    assert report.verdict is VerdictKind.HOLD
    assert not signs(report)


@pytest.mark.parametrize("better", [[0.5] * 10, [1.0] * 10])
def test_what_is_better_or_equal_is_not_flagged(better: list[float]):
    assert not signs(judged("extra.v", "v", [1.0] * 9 + [2.0], better))


def test_constant_arms_make_no_sign():
    assert not signs(judged("extra.v", "v", [1.0] * 10, [1.1] * 10))


def test_a_ratio_makes_no_sign():
    rows = [{"arm": arm, "cost_usd": 1.0, "task_success": True} for arm in ("baseline", "candidate") for _ in range(20)]
    assert not signs(analyze(rows, {"metrics": {"cost_per_success": {"max_increase": "10%"}}}))


def test_signs_without_harm_are_rare():
    rng = np.random.default_rng(3)
    flagged = sum(bool(signs(judged("extra.v.p50", "v", *rng.lognormal(5, 1, (2, 40)).tolist()))) for _ in range(300))
    assert flagged <= 14  # 2 % of 300 is 6; above 14 with probability .002

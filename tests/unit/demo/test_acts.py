"""When an act counts as ended right."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gatekeeper.demo.acts import Ending, acts, failing_metrics


def ending(name: str, state: str, metrics: tuple[str, ...]) -> Ending:
    act = next(act for act in acts(every=True) if act.name == name)
    return Ending(
        act=act, rollout_id="r", state=state, reason="", metrics=metrics, took_s=1.0, samples=1, link=""
    )  # fmt: skip


@pytest.mark.parametrize(
    ("made", "right"),
    [
        (ending("good", "promoted", ()), True),
        (ending("good", "rolled_back", ("tpot_ms",)), False),
        (ending("slow", "rolled_back", ("tpot_ms",)), True),
        (ending("slow", "rolled_back", ("tpot_ms", "ttft_ms")), True),
        (ending("slow", "rolled_back", ("ttft_ms", "tpot_ms")), False),
        (ending("slow", "rolled_back", ()), False),
        (ending("slow", "promoted", ()), False),
        (replace(ending("slow", "promoted", ("tpot_ms",)), state="aborted"), False),
    ],
)
def test_only_the_right_ending_for_the_right_metric_is_right(made: Ending, *, right: bool) -> None:
    assert made.right is right


def test_the_short_story_is_part_of_the_long_one() -> None:
    short, every = acts(every=False), acts(every=True)
    assert [act.name for act in short] == ["good", "over-refuses", "slow"]
    assert {act.name for act in short} < {act.name for act in every}


def test_failing_metrics_come_without_quantiles_and_the_deciding_one_first() -> None:
    def finding(metric: str, ruling: str) -> dict[str, Any]:
        return {"metric": metric, "ruling": ruling}

    found = [finding("ttft_ms.p50", "fail"), finding("tpot_ms.p50", "fail"), finding("error_rate", "pass")]
    report = {"findings": found, "reasons": ["tpot_ms.p50 is up", "ttft_ms.p50 is up"]}
    assert failing_metrics(report) == ("tpot_ms", "ttft_ms")
    assert failing_metrics(None) == ()

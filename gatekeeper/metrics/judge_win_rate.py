"""Pairs that a language model prefers, a tie for half: the sample's extra.judge_win, 0 to 1, both arms' together 1."""

from __future__ import annotations

from gatekeeper.model.metric import MetricKind, MetricSpec

SPEC = MetricSpec(
    name="judge_win_rate",
    title="judge's preference",
    kind=MetricKind.NUMBER,
    columns=("extra.judge_win",),
    lower_is_better=False,
    unit="share",
    by_judge=True,
)

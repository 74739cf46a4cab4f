"""A language model's score of an answer by a rubric, as a share of its scale: the sample's extra.judge_score."""

from __future__ import annotations

from gatekeeper.model.metric import MetricKind, MetricSpec

SPEC = MetricSpec(
    name="judge_score",
    title="judge's score",
    kind=MetricKind.NUMBER,
    columns=("extra.judge_score",),
    lower_is_better=False,
    unit="share",
    by_judge=True,
)

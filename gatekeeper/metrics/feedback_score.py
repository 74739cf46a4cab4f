"""Users' ratings of answers, from the sample's extra.feedback_score."""

from __future__ import annotations

from gatekeeper.model.metric import MetricKind, MetricSpec

SPEC = MetricSpec(
    name="feedback_score",
    title="feedback score",
    kind=MetricKind.NUMBER,
    columns=("extra.feedback_score",),
    lower_is_better=False,
    unit="score",
)

"""Time to first token."""

from __future__ import annotations

from gatekeeper.model.metric import MetricKind, MetricSpec

SPEC = MetricSpec(
    name="ttft_ms",
    title="TTFT",
    kind=MetricKind.NUMBER,
    columns=("ttft_ms",),
    lower_is_better=True,
    unit="ms",
)

"""End-to-end latency of a request."""

from __future__ import annotations

from gatekeeper.model.metric import MetricKind, MetricSpec

SPEC = MetricSpec(
    name="latency_ms",
    title="latency",
    kind=MetricKind.NUMBER,
    columns=("latency_ms",),
    lower_is_better=True,
    unit="ms",
)

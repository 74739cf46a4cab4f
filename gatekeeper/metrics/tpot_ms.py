"""Time per output token after the first."""

from __future__ import annotations

from gatekeeper.model.metric import MetricKind, MetricSpec

SPEC = MetricSpec(
    name="tpot_ms",
    title="TPOT",
    kind=MetricKind.NUMBER,
    columns=("tpot_ms",),
    lower_is_better=True,
    unit="ms",
)

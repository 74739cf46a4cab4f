"""Share of requests that failed."""

from __future__ import annotations

from gatekeeper.model.metric import MetricKind, MetricSpec

SPEC = MetricSpec(
    name="error_rate",
    title="errors",
    kind=MetricKind.RATE,
    columns=("error",),
    lower_is_better=True,
    unit="share",
    on_errors=True,
)

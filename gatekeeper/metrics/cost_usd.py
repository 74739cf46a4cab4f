"""Cost of a request."""

from __future__ import annotations

from gatekeeper.model.metric import MetricKind, MetricSpec

SPEC = MetricSpec(
    name="cost_usd",
    title="cost",
    kind=MetricKind.NUMBER,
    columns=("cost_usd",),
    lower_is_better=True,
    unit="USD",
)

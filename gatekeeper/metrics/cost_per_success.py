"""Total cost over the number of successful tasks."""

from __future__ import annotations

from gatekeeper.model.metric import MetricKind, MetricSpec

SPEC = MetricSpec(
    name="cost_per_success",
    title="cost per success",
    kind=MetricKind.RATIO,
    columns=("cost_usd", "task_success"),
    lower_is_better=True,
    unit="USD",
)

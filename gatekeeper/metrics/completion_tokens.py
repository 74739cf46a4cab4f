"""Tokens in the answer."""

from __future__ import annotations

from gatekeeper.model.metric import MetricKind, MetricSpec

SPEC = MetricSpec(
    name="completion_tokens",
    title="completion tokens",
    kind=MetricKind.NUMBER,
    columns=("completion_tokens",),
    lower_is_better=True,
    unit="tokens",
)

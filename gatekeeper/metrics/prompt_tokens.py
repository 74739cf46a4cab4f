"""Tokens in the prompt."""

from __future__ import annotations

from gatekeeper.model.metric import MetricKind, MetricSpec

SPEC = MetricSpec(
    name="prompt_tokens",
    title="prompt tokens",
    kind=MetricKind.NUMBER,
    columns=("prompt_tokens",),
    lower_is_better=True,
    unit="tokens",
)

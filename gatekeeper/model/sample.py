"""A scored exchange: numbers and labels, no text."""

from __future__ import annotations

from dataclasses import dataclass, field

from gatekeeper.model.arm import Arm


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Hold what was measured of one exchange; None means not applicable or not known.

    ts: unix seconds. error: None or False when it succeeded, True or the failure's kind when not; an errored sample
    counts for `error_rate` and nothing else. Times in milliseconds, cost in US dollars. extra: custom metrics.
    lost: this is no sample but the notice that so many of its arm could not be recorded.
    """

    request_id: str
    ts: float
    arm: Arm
    pair_id: str | None = None
    cluster_id: str | None = None
    segment: str | dict[str, str] | None = None
    stage: str | None = None
    error: str | bool | None = None
    latency_ms: float | None = None
    ttft_ms: float | None = None
    tpot_ms: float | None = None
    prompt_tokens: float | None = None
    completion_tokens: float | None = None
    cost_usd: float | None = None
    refused: bool | None = None
    json_valid: bool | None = None
    tool_call_valid: bool | None = None
    task_success: bool | None = None
    policy_violation: bool | None = None
    degenerate: bool | None = None
    extra: dict[str, float | bool | None] = field(default_factory=dict)
    lost: int | None = None

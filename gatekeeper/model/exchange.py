"""One request and its response as the gateway, or an importer, saw it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from gatekeeper.model.arm import Arm


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Hold an exchange's times in milliseconds, from a monotonic clock.

    ttft_ms: request sent to first token (None: not a stream, or no token came). e2e_ms: to the last byte.
    tpot_ms: mean time per output token after the first (None: fewer than two tokens, or unknown).
    """

    ttft_ms: float | None = None
    e2e_ms: float | None = None
    tpot_ms: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Say how an exchange failed.

    kind: timeout, connect, http_4xx, http_5xx, rate_limited, stream_broken, client_closed, bad_response.
    """

    kind: str
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """Hold a request, its response or failure, its times, and the labels under which it was routed.

    ts: unix seconds when the request arrived. pair_id: equal in both arms for a mirrored request. cluster_id: user or
    session. segment: a string or a mapping of strings. request: OpenAI chat-completions body. response: OpenAI
    chat-completion body; a stream is folded into one; None when it failed before an answer. expect: what the answer
    should satisfy, `{type, value}` each. response_schema: JSON Schema the answer is wanted in, None when free text.
    rollout_id, stage, epoch: the split it was routed by; "" and -1 outside a rollout.
    """

    id: str
    ts: float
    arm: Arm
    pair_id: str | None = None
    cluster_id: str | None = None
    service: str = ""
    segment: str | dict[str, str] | None = None
    request: dict[str, Any] = field(default_factory=dict)
    response: dict[str, Any] | None = None
    error: Failure | None = None
    timing: Timing = field(default_factory=Timing)
    expect: tuple[dict[str, Any], ...] = ()
    response_schema: dict[str, Any] | None = None
    context: str | None = None
    cost_usd: float | None = None
    rollout_id: str = ""
    stage: int = -1
    epoch: int = 0
    streamed: bool = False

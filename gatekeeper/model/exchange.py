"""One request and its response as the gateway, or an importer, saw it."""

from __future__ import annotations

from typing import Any

import msgspec

from gatekeeper.model.arm import Arm  # noqa: TC001 - msgspec reads the annotations


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """Hold an exchange's times in milliseconds, from a monotonic clock.

    All begin when the request had arrived whole, so that what it waited here counts. ttft_ms: to the first token (None:
    not a stream, or no token came). e2e_ms: to the last byte. tpot_ms: mean time per output token after the first, of
    one sequence (None: fewer than two tokens, or their number is not known). itl_p50_ms, itl_p95_ms, itl_max_ms: the
    gaps between one sequence's events that carried output, one or more tokens each (None: fewer than two events).
    """

    ttft_ms: float | None = None
    e2e_ms: float | None = None
    tpot_ms: float | None = None
    itl_p50_ms: float | None = None
    itl_p95_ms: float | None = None
    itl_max_ms: float | None = None


USER, SYSTEM = "user", "system"

CLASSES: dict[str, tuple[str, bool]] = {
    "timeout": (SYSTEM, True),
    "connect": (SYSTEM, True),
    "http_4xx": (USER, False),
    "http_5xx": (SYSTEM, True),
    "rate_limited": (SYSTEM, True),
    "stream_broken": (SYSTEM, True),
    "client_closed": (USER, True),
    "bad_response": (SYSTEM, False),
}
"""What is known of each class of failure: who caused it, and whether the same request may well pass a moment later."""


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Say how an exchange failed.

    kind: timeout, connect, http_4xx, http_5xx, rate_limited, stream_broken, client_closed, bad_response; an
    importer may bring others.
    """

    kind: str
    message: str = ""

    @property
    def cause(self) -> str:
        """Return who caused it: user or system; what is not known counts as the system's."""
        return CLASSES.get(self.kind, (SYSTEM, False))[0]

    @property
    def transient(self) -> bool:
        """Tell whether the same request may well pass a moment later."""
        return CLASSES.get(self.kind, (SYSTEM, False))[1]


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Say what an exchange is evidence for."""

    arm: Arm
    service: str
    rollout_id: str
    stage: int
    epoch: int


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """Hold a request, its response or failure, its times, and the labels under which it was routed.

    ts: unix seconds when the request arrived. pair_id: equal in both arms for a mirrored request. cluster_id: user or
    session. segment: a string or a mapping of strings. request: OpenAI chat-completions body. response: OpenAI
    chat-completion body; a stream is folded into one; None when it failed before an answer. expect: what the answer
    should satisfy, `{type, value}` each. response_schema: JSON Schema the answer is wanted in, None when free text.
    rollout_id, stage, epoch: the split it was routed by; "" and -1 outside a rollout. unmeasured: by figure (ttft_ms,
    tpot_ms, itl_ms, completion_tokens, ...), why it could not be had. lost: above 0, this is no exchange but the notice
    that so many of this arm, stage and epoch could not be recorded.
    """

    id: str
    ts: float
    arm: Arm
    pair_id: str | None = None
    cluster_id: str | None = None
    service: str = ""
    segment: str | dict[str, str] | None = None
    request: dict[str, Any] = {}
    response: dict[str, Any] | None = None
    error: Failure | None = None
    timing: Timing = Timing()
    expect: tuple[dict[str, Any], ...] = ()
    response_schema: dict[str, Any] | None = None
    context: str | None = None
    cost_usd: float | None = None
    rollout_id: str = ""
    stage: int = -1
    epoch: int = 0
    streamed: bool = False
    unmeasured: dict[str, str] = {}
    lost: int = 0

    @property
    def place(self) -> Place:
        """Return what it is evidence for."""
        return Place(arm=self.arm, service=self.service, rollout_id=self.rollout_id, stage=self.stage, epoch=self.epoch)

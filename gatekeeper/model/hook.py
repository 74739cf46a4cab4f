"""What a monitoring system tells us from outside: an inbound webhook, before and after it is understood."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Hold one HTTP delivery as it came: header names in lower case, and the body's bytes."""

    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class HookEvent:
    """Hold one thing that a delivery says.

    id: equal for every repetition of the same event of a source. wants_rollback: False for an all-clear, which never
    undoes anything. rollout_id and service name the target, each "" when the event does not; both "" means that the
    event names no target. body: what is kept of it, without any prompt or answer.
    """

    id: str
    wants_rollback: bool
    rollout_id: str = ""
    service: str = ""
    reason: str = ""
    body: dict[str, Any] = field(default_factory=dict)

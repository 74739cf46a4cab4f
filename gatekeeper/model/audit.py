"""What happened to a rollout, in a chain in which nothing can be changed unseen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """Record one transition: unique on (rollout_id, version); hash covers the entry and the previous hash."""

    rollout_id: str
    version: int
    ts: float
    actor: str
    event: str
    body: dict[str, Any] = field(default_factory=dict)
    previous: str = ""
    hash: str = ""

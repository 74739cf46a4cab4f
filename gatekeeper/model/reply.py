"""What came back when an endpoint was asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from gatekeeper.model.exchange import Failure, Timing


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """Hold an answer or a failure, never both, with its times.

    response: OpenAI chat-completion body; a stream is folded into one.
    """

    response: dict[str, Any] | None = None
    error: Failure | None = None
    timing: Timing = field(default_factory=Timing)

"""Effects on the world that a verdict owes: written first, done after, read back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

ATTEMPTS = 5
"""Attempts a job gets before it is dead."""

RETRY_WAIT_S = (1.0, 5.0, 30.0, 120.0)
"""Seconds a job pauses after its first, second, ... failed attempt."""

WAKE_AGAIN_S = 10.0
"""Seconds before a job that waits is announced again, in case the first message was lost."""

LOST_ERROR = "its worker died or ran out of time on every attempt"
"""What is written on a job whose last lease ran out without a word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxItem:
    """Owe the world one effect. kind: `webhook` or `notify`; key: unique, so that it is owed once.

    attempt counts from 0; next_at: unix seconds before which it is not tried.
    """

    id: int = 0
    kind: str
    key: str
    body: dict[str, Any]
    attempt: int = 0
    next_at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Hold one piece of work; the row is the truth, a message only a wake-up.

    kind: a name in worker/tasks. attempt: fences results of a lost lease.
    """

    id: int
    kind: str
    payload: dict[str, Any]
    attempt: int = 0

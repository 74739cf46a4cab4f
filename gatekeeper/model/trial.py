"""A gate that the server runs: an evalset put to two deployments, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class TrialState(StrEnum):
    """Name where a gate stands; all but RUNNING are terminal. Their exit codes are 0, 1, 3 and 4."""

    RUNNING = "running"
    PASSED = "passed"
    FAILED = "failed"
    UNDECIDED = "undecided"
    BROKEN = "broken"

    @property
    def ended(self) -> bool:
        """Tell whether nothing more will happen."""
        return self is not TrialState.RUNNING

    @property
    def exit_code(self) -> int | None:
        """Return what `gatekeeper gate` would exit with; None while it runs."""
        codes = {TrialState.PASSED: 0, TrialState.FAILED: 1, TrialState.UNDECIDED: 3, TrialState.BROKEN: 4}
        return codes.get(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """Hold a gate's whole state. Times are unix seconds of the store's clock.

    evalset: its name; evalset_digest: of its samples when it began. answers: how many there will be, of both arms
    together. deadline_at: when it is given up. reason: why it stands where it stands. report: the latest look's, in
    the published shape, None before the first.
    """

    id: str
    service: str
    policy_text: str
    policy_digest: str
    evalset: str
    evalset_digest: str
    baseline_id: str
    candidate_id: str
    answers: int
    created_at: float
    deadline_at: float
    created_by: str = ""
    state: TrialState = TrialState.RUNNING
    answered: int = 0
    reason: str = ""
    report: dict[str, Any] | None = field(default=None)
    ended_at: float | None = None

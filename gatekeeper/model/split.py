"""How a service's traffic is divided, and which of two divisions is newer."""

from __future__ import annotations

from dataclasses import dataclass

from gatekeeper.model.cohort import Cohorts, SegmentRule

WHOLE_BP = 10_000
"""Basis points in the whole: 10,000 bp = 100 %."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Say where an arm is served: root URL, the model name to put into the request, the release's digest."""

    url: str
    model: str
    release: str = ""
    prompt_usd: float = 0.0
    completion_usd: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Divide one service's traffic between baseline and candidate.

    candidate_bp, control_bp, mirror_bp: shares of requests in basis points; mirror_bp of the baseline's requests
    are copied to the candidate. candidate is None when no rollout runs. rollout_id, stage and salt label what the
    gateway records; stage is the stage's index in the policy. (epoch, version) orders splits: only a greater one is
    ever taken over a smaller. cohorts: keys whose arm is not drawn, None where all are. segment_rules: see `classify`.
    """

    service: str
    epoch: int
    version: int
    baseline: Endpoint
    candidate: Endpoint | None = None
    candidate_bp: int = 0
    control_bp: int = 0
    mirror_bp: int = 0
    salt: str = ""
    rollout_id: str = ""
    stage: int = -1
    cohorts: Cohorts | None = None
    segment_rules: tuple[SegmentRule, ...] = ()

    @property
    def order(self) -> tuple[int, int]:
        """Return (epoch, version), by which the newer of two splits is told."""
        return (self.epoch, self.version)

    def supersedes(self, other: Split | None) -> bool:
        """Tell whether this split may replace `other` (None: nothing known yet)."""
        return other is None or self.order > other.order

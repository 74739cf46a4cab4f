"""A policy made ready to judge by: for each stage, the questions put to its data."""

from __future__ import annotations

from dataclasses import dataclass

from gatekeeper.model.metric import MetricSpec
from gatekeeper.model.policy import MetricRule, Policy, StageKind
from gatekeeper.stats import Question


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """Put one question about one metric to a stage's data, by the test of that name in `stats/`.

    judged: a guardrail (False: watched, shown only). alpha_segments: false rollback left for segments together; the
    question holds what all traffic may spend.
    """

    name: str
    rule: MetricRule
    spec: MetricSpec
    test: str
    question: Question
    judged: bool
    alpha_segments: float = 0.0

    @property
    def is_limit(self) -> bool:
        """Tell whether the candidate is held against an absolute bound instead of the baseline."""
        return self.test.endswith("_limit")


@dataclass(frozen=True, slots=True, kw_only=True)
class StagePlan:
    """Hold a stage's questions. kind is None where a policy has no stages.

    paired: only requests that both arms answered are compared, as pairs. The candidate is held
    against the rows of the baseline (where a control is run, the shell puts it in the baseline's place). shares: the
    declared split over (baseline, candidate), None where arms are not drawn by lot.
    """

    kind: StageKind | None
    paired: bool
    shares: tuple[float, float] | None = None
    streams: tuple[Stream, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Hold a compiled policy: one stage plan for each of its stages, or a single one."""

    policy: Policy
    stages: tuple[StagePlan, ...]

"""What a candidate must hold, and the stages it walks through."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from gatekeeper.model.cohort import Cohorts, SegmentRule


class StageKind(StrEnum):
    """Name the kinds of stage; a rollout walks through a policy's list of them."""

    GATE = "gate"
    WARMUP = "warmup"
    SHADOW = "shadow"
    CANARY = "canary"
    BAKE = "bake"


class OnUndecided(StrEnum):
    """Say what happens at a stage's deadline without a decision; never promote."""

    HOLD = "hold"
    ROLLBACK = "rollback"


class MarginUnit(StrEnum):
    """Say how a margin is read: in the metric's own unit, or relative to the baseline's value."""

    ABSOLUTE = "absolute"
    RELATIVE = "relative"


class Unit(StrEnum):
    """Say what is drawn independently: each cluster (user, conversation) where samples name one, or each request."""

    CLUSTER = "cluster"
    REQUEST = "request"


@dataclass(frozen=True, slots=True, kw_only=True)
class Margin:
    """Bound the harm allowed: `value` >= 0 in `unit`; 1pp is 0.01 absolute, 10 % is 0.1 relative.

    increase: True for max_increase (more is harm), False for max_decrease.
    """

    value: float
    unit: MarginUnit
    increase: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricRule:
    """Say what one metric must hold.

    metric: the metric's name, a file in `metrics/` or `extra.NAME`. quantile: .95 for `ttft_ms.p95`, None for rates
    and means. margin is None for a watched metric. limit: absolute bound on the candidate, None without. detect: the
    regression beyond the margin worth catching fastest, in the margin's unit; None for the default multiple.
    """

    name: str
    metric: str
    quantile: float | None = None
    margin: Margin | None = None
    limit: float | None = None
    detect: float | None = None
    critical: bool = False
    watch: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Describe one stage; fields that do not belong to its kind are at their defaults.

    weight_bp and mirror_bp: basis points. max_wait_s: deadline from the stage's start; None for no deadline.
    requests: warm-up requests the candidate must answer. wait_s: how long a bake watches.
    """

    kind: StageKind
    weight_bp: int = 0
    mirror_bp: int = 0
    requests: int = 0
    max_samples: int | None = None
    min_wait_s: float = 0.0
    max_wait_s: float | None = None
    wait_s: float = 0.0
    on_undecided: OnUndecided = OnUndecided.HOLD
    control: bool = False
    needs_approval: bool = False
    evalset: str | None = None

    @property
    def judged(self) -> bool:
        """Tell whether evidence is weighed in this stage (every kind but warmup)."""
        return self.kind is not StageKind.WARMUP


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorBudget:
    """Hold the error probabilities promised over the whole rollout, each in (0, 1)."""

    false_rollback: float = 0.01
    false_promotion: float = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Hold a checked policy; digest is the SHA-256 (hex) of its canonical content.

    unit: what counts once in the evidence. cohorts: keys whose arm is not drawn, None where all are. segment_rules: how
    gateways tell a request's segment, beside what it says itself.
    """

    name: str
    metrics: tuple[MetricRule, ...]
    stages: tuple[Stage, ...] = ()
    segments: tuple[str, ...] = ()
    error_budget: ErrorBudget = field(default_factory=ErrorBudget)
    freeze: tuple[str, ...] = ()
    unit: Unit = Unit.CLUSTER
    cohorts: Cohorts | None = None
    segment_rules: tuple[SegmentRule, ...] = ()
    digest: str = ""

"""What a metric needs of a sample, and which way is harm."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from gatekeeper.model.exchange import Exchange


class MetricKind(StrEnum):
    """Say what is compared: a share of yes, a number per request, or a quotient of two totals."""

    RATE = "rate"
    NUMBER = "number"
    RATIO = "ratio"


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricSpec:
    """Declare a metric.

    columns: the sample's fields it reads, one for a rate or number, (numerator, denominator) for a ratio.
    lower_is_better: which way is harm. unit: shown to people.
    on_errors: also counts errored samples (error_rate alone). by_judge: a language model's opinion: it never decides
    alone.
    """

    name: str
    title: str
    kind: MetricKind
    columns: tuple[str, ...]
    lower_is_better: bool
    unit: str
    on_errors: bool = False
    by_judge: bool = False


@dataclass(frozen=True, slots=True)
class Score:
    """Hold what a scorer found: value None means not applicable; labels explain (the `labels` of `score`)."""

    value: bool | float | None
    reason: str = ""
    labels: dict[str, Any] | None = None


class MetricModule(Protocol):
    """Describe a file in `metrics/`: SPEC always; `score` (exchange to its column's value) where behaviour is read."""

    SPEC: MetricSpec


class ScorerModule(MetricModule, Protocol):
    """Describe a metric's file that also scores exchanges into its (first) column."""

    def score(self, exchange: Exchange) -> Score:
        """Score one answered exchange; never raises on model output."""

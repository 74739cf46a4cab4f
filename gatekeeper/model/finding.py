"""Evidence about one metric in one segment, and the verdict over all of it: the contract's report."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from gatekeeper.model.correction import Correction


class Ruling(StrEnum):
    """Rule on one metric in one segment; severity orders them PASS < INCONCLUSIVE < ERROR < FAIL."""

    PASS = "pass"  # noqa: S105 - a ruling, not a password
    INCONCLUSIVE = "inconclusive"
    ERROR = "error"
    FAIL = "fail"

    @property
    def severity(self) -> int:
        """Return 0 for PASS up to 3 for FAIL."""
        return list(Ruling).index(self)


class VerdictKind(StrEnum):
    """Name what a stage's evidence says to do."""

    PROMOTE = "promote"
    HOLD = "hold"
    ROLLBACK = "rollback"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmValue:
    """Hold an arm's number of observations and its value; value is None where n is too small to have one."""

    n: int
    value: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """Hold candidate against baseline with its always-valid interval; each is None where it cannot be had.

    unit: `pp` for differences of rates in percentage points/100, `ratio` for relative change (0.1 = +10 %), else the
    metric's own unit.
    """

    estimate: float | None
    lower: float | None
    upper: float | None
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Hold the evidence on one metric in one segment (None = all traffic).

    increase: True where more is harm, False where less is; None when it was not told.
    """

    metric: str
    segment: str | None
    ruling: Ruling
    test: str
    paired: bool
    baseline: ArmValue
    candidate: ArmValue
    effect: Effect
    margin: float | None
    alpha: float | None
    samples_needed: int | None
    reason: str
    increase: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """Hold one check of the experiment itself, such as the sample ratio."""

    name: str
    ruling: Ruling
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Hold a verdict with everything it rests on, as CONTRACTS' report; `to_dict` gives its JSON shape.

    decided_at: {look, samples, ts} of the deciding look; None while nothing is decided. corrections: rates put right by
    people's labels, shown beside the findings; they never decide.
    """

    verdict: VerdictKind
    judge: str
    policy_digest: str
    decided_at: dict[str, Any] | None
    reasons: tuple[str, ...]
    findings: tuple[Finding, ...]
    checks: tuple[Check, ...] = field(default=())
    corrections: tuple[Correction, ...] = field(default=())

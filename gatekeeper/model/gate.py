"""What a gate tells beyond its verdict: pairs to read, and how both arms bear load."""

from __future__ import annotations

from dataclasses import dataclass, field

from gatekeeper.model.arm import Arm
from gatekeeper.model.finding import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class TellingPair:
    """Show one sample where the candidate did what it should not and the baseline did not.

    metric: which shows it. sample: the sample's id, with `#repeat` where it was asked more than once. prompt: the last
    user message. baseline, candidate: their answers. Texts are cut.
    """

    metric: str
    sample: str
    prompt: str
    baseline: str
    candidate: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadStep:
    """Hold what one arm did under one load.

    concurrency: requests in flight. failed: failures by kind. tokens_per_s: output tokens of all answers over wall_s.
    Quantiles are over the answered requests; None where none told.
    """

    arm: Arm
    concurrency: int
    requests: int
    wall_s: float
    failed: dict[str, int] = field(default_factory=dict)
    requests_per_s: float | None = None
    tokens_per_s: float | None = None
    ttft_p50_ms: float | None = None
    ttft_p95_ms: float | None = None
    tpot_p50_ms: float | None = None
    tpot_p95_ms: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GateReport(Report):
    """Hold a gate's report.

    samples_missing: about how many more samples in the evalset would decide, None where it is decided or no number
    would. pairs: the most telling ones. profile: the steps of the load ramp, empty where none was asked for.
    """

    samples_missing: int | None = None
    pairs: tuple[TellingPair, ...] = ()
    profile: tuple[LoadStep, ...] = ()

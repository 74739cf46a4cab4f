"""Figures of a simulation, each with its Monte Carlo standard error, and whether theory fits them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

TOLERANCE = 0.25
"""How far the theory's medians may be off, beside what chance explains."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """Hold a figure with its Monte Carlo standard error; None: there was nothing to take it from."""

    value: float | None
    error: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricMeasure:
    """Hold what was measured of one question; samples are of both arms together, to its decision.

    false_rollback, false_promotion: of a candidate exactly at the margin. power: of one `detect` beyond it being
    found. theory: the same without simulating; agrees: whether both fit within their errors, None: too few decided.
    """

    name: str
    false_rollback: Figure
    false_promotion: Figure
    power: Figure
    mean_samples: Figure
    median_samples: float | None
    theory_power: float
    theory_median: float | None
    agrees: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StageMeasure:
    """Hold what was measured of one stage; false_rollback, promoted, samples: of a candidate equal to the baseline."""

    index: int
    title: str
    most_samples: int
    looks: int
    budget: float
    false_rollback: Figure
    promoted: Figure
    mean_samples: Figure
    median_samples: float | None
    theory_promoted: float
    theory_median: float | None
    agrees: bool | None
    metrics: tuple[MetricMeasure, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """Hold a simulation; cut: stages whose traffic was ended early to bound the work."""

    replicates: int
    seed: int
    stages: tuple[StageMeasure, ...]
    cut: tuple[str, ...]


def share(times: Sequence[float]) -> Figure:
    """Return the share of replicates that were decided."""
    n, hits = len(times), sum(1 for time in times if time < math.inf)
    softened = (hits + 0.5) / (n + 1.0)
    return Figure(value=hits / n, error=math.sqrt(softened * (1.0 - softened) / n))


def mean(times: Sequence[float]) -> Figure:
    """Return the mean samples of those decided."""
    some = [time for time in times if time < math.inf]
    if len(some) < 2:  # noqa: PLR2004 - one has no spread
        return Figure(value=some[0] if some else None, error=None)
    return Figure(value=float(np.mean(some)), error=float(np.std(some, ddof=1) / math.sqrt(len(some))))


def median(times: Sequence[float]) -> float | None:
    """Return the median samples over all replicates; None where fewer than half were decided."""
    middle = sorted(times)[len(times) // 2]
    return middle if middle < math.inf else None


def agree(seen: Figure, theory: float, middle: float | None, theory_median: float | None, n: int) -> bool | None:
    """Tell whether theory fits: shares within three errors and a tenth, medians within three errors and a quarter."""
    if seen.value is None or seen.error is None:
        return None
    shares = abs(seen.value - theory) <= 3.0 * seen.error + 0.1
    if middle is None or theory_median is None or not math.isfinite(theory_median):
        return shares
    slack = TOLERANCE + 3.0 / math.sqrt(n)
    return shares and abs(math.log(middle / theory_median)) <= math.log1p(slack)

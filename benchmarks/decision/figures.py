"""Figures with their Monte Carlo errors, and what each is held against."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from ours import Decisions


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """Hold one measured number.

    error: its Monte Carlo standard error. bound: what to reach, None where the figure is only shown. at_most: the
    bound is from above, else from below. replicates: how many simulated rollouts it rests on.
    """

    case: str
    measure: str
    value: float
    error: float
    replicates: int
    bound: float | None = None
    at_most: bool = True

    @property
    def verdict(self) -> str:
        """Say whether the bound is met; `within error`: missed by less than two standard errors."""
        if self.bound is None:
            return ""
        short = self.value - self.bound if self.at_most else self.bound - self.value
        if short <= 0:
            return "met"
        return "within error" if short <= 2.0 * self.error else "missed"

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {**asdict(self), "verdict": self.verdict}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Hold one simulation of a goal: `run(name, replicates, rng)` returns its figures."""

    goal: int
    name: str
    run: Callable[[str, int, np.random.Generator], list[Figure]]
    replicates: int


def share(case: str, measure: str, hits: NDArray[np.bool_], bound: float | None = None, **more: bool) -> Figure:
    """Return how often something happened."""
    value, n = float(np.mean(hits)), len(hits)
    error = math.sqrt(max(value * (1.0 - value), 1.0 / n) / n)
    return Figure(case=case, measure=measure, value=value, error=error, replicates=n, bound=bound, **more)


def median(case: str, measure: str, values: NDArray[np.float64], bound: float | None = None) -> Figure:
    """Return the median; its error from the order statistics one standard error away."""
    ordered, n = np.sort(values), len(values)
    step = 0.5 * math.sqrt(n)
    low, high = (ordered[min(max(round(0.5 * n + sign * step), 0), n - 1)] for sign in (-1, 1))
    return Figure(
        case=case,
        measure=measure,
        value=float(np.median(values)),
        error=float(high - low) / 2.0,
        replicates=n,
        bound=bound,
    )


def mean(case: str, measure: str, values: NDArray[np.float64], bound: float | None = None) -> Figure:
    """Return the mean."""
    n = len(values)
    error = float(np.std(values)) / math.sqrt(n)
    return Figure(case=case, measure=measure, value=float(np.mean(values)), error=error, replicates=n, bound=bound)


def errors(case: str, decided: Decisions, alpha: float, *, promotion: bool) -> list[Figure]:
    """Return how often a truth on the null was decided against."""
    figures = [share(case, "false rollback", decided.rollback > 0, alpha)]
    return [*figures, share(case, "false promotion", decided.promotion > 0, alpha)] if promotion else figures


def speed(
    case: str,
    seen: NDArray[np.float64],
    decided: NDArray[np.bool_],
    limit: float,
    bounds: tuple[float | None, float | None, float | None],
) -> list[Figure]:
    """Return median and mean samples in units of the limit, and power at five limits.

    seen: samples at the decision, or at the end of the simulation where there was none. bounds: of the three figures.
    """
    in_time = decided & (seen <= 5.0 * limit)
    return [
        median(case, "median n / limit", seen / limit, bounds[0]),
        mean(case, "mean n / limit", seen / limit, bounds[1]),
        share(case, "power at 5 limits", in_time, bounds[2], at_most=False),
    ]

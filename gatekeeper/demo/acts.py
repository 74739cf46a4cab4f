"""The demo's acts: which release is tried, and how it must end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gatekeeper.demo.catalogue import CATALOGUE, entry

SHORT_STORY = ("good", "over-refuses", "slow")


@dataclass(frozen=True, slots=True)
class Act:
    """Name a release to try; spoils: the metric that must catch it, None when it must be promoted."""

    name: str
    about: str
    spoils: str | None
    flags: Mapping[str, str | int | bool] = field(default_factory=dict)

    @property
    def expected(self) -> str:
        """Say how the act must end, in words."""
        return "promoted" if self.spoils is None else f"rolled back for {self.spoils}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """Hold how an act ended. metrics: those proven worse than their margin, the deciding one first."""

    act: Act
    rollout_id: str
    state: str
    reason: str
    metrics: tuple[str, ...]
    took_s: float
    samples: int
    link: str

    @property
    def right(self) -> bool:
        """Tell whether the act ended as it must, for the metric it must."""
        if self.act.spoils is None:
            return self.state == "promoted"
        return self.state == "rolled_back" and bool(self.metrics) and self.metrics[0] == self.act.spoils


def acts(*, every: bool) -> tuple[Act, ...]:
    """Return the acts of the short story, or of every release in the catalogue."""
    names = tuple(name for name in CATALOGUE if name != "baseline") if every else SHORT_STORY
    return tuple(Act(name, (e := entry(name)).about, e.spoils, e.flags) for name in names)


def failing_metrics(report: Mapping[str, Any] | None) -> tuple[str, ...]:
    """List the metrics a report proves worse than their margin, without quantiles, in the report's order of reasons."""
    if report is None:
        return ()
    failed = [finding["metric"] for finding in report["findings"] if finding["ruling"] == "fail"]
    first = " ".join(report["reasons"][:1])
    failed.sort(key=lambda metric: metric not in first)
    return tuple(dict.fromkeys(metric.split(".")[0] for metric in failed))

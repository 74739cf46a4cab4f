"""Times that lie far ahead of all others: a clock that was wrong, or another unit."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

KEPT = 4096
"""Newest times that are remembered: no more rows than these can be told to lie ahead."""

DAY_S = 86_400.0
FEW = 0.01
"""Share of all rows beyond which rows after a gap are no stragglers ahead of the others, but a second period."""

LATEST = 4_102_444_800.0
"""The year 2100 in unix seconds: later times are in another unit."""


@dataclass(slots=True)
class Newest:
    """Remember the newest times, the oldest, and how many there were."""

    count: int = 0
    oldest: float = np.inf
    times: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))

    def add(self, ts: NDArray[np.float64]) -> None:
        """Add the times of some rows, at least one, ascending."""
        self.count += len(ts)
        self.oldest = min(self.oldest, float(ts[0]))
        self.times = np.sort(np.concatenate([self.times, ts[-KEPT:]]))[-KEPT:]

    def ahead(self) -> str:
        """Say which rows lie ahead of all others, by more than a day and ten times what those span; "" when none do."""
        if not self.count:
            return ""
        if self.times[-1] >= LATEST:
            return f"the newest ts is {self.times[-1]:.0f}, after the year 2100; expected unix seconds"
        gaps = np.diff(self.times)
        spans = self.times[:-1] - self.oldest
        after = len(gaps) - np.arange(len(gaps))
        far = (gaps > DAY_S) & (gaps > 10 * spans) & (after <= max(1, FEW * self.count))
        if not bool(far.any()) or self.count < 3:  # noqa: PLR2004 - of two rows neither is the stray one
            return ""
        at = int(np.argmax(far))
        days = gaps[at] / DAY_S
        return (
            f"{after[at]} of {self.count:,} samples are dated {days:,.0f} days or more after all others "
            f"(the newest {_date(self.times[-1])}); they are judged last"
        )


def _date(seconds: float) -> str:
    """Write a time's day."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")

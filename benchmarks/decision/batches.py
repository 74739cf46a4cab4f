"""One look's data as simulated: only the form that its test asks for, so that thousands of streams are cheap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gatekeeper.stats import _histogram

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


class NotDrawnError(NotImplementedError):
    """Say that a test asked for data in a form that was not simulated for it."""

    def __init__(self, form: str) -> None:
        """Name the form."""
        super().__init__(f"the test asked for {form}, which this simulation does not draw")


class Look:
    """Refuse every form; a simulation overrides the one it draws (see `gatekeeper.stats.Batch`)."""

    def windows(self, past: float) -> Floats:
        """Refuse counts."""
        del past
        raise NotDrawnError("windows")

    def tables(self, past: float) -> Floats:
        """Refuse pairs' tables."""
        del past
        raise NotDrawnError("tables")

    def sums(self) -> tuple[Floats, Floats, Floats]:
        """Refuse sums."""
        raise NotDrawnError("sums")

    def histograms(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Refuse histograms."""
        raise NotDrawnError("histograms")

    def values(self) -> tuple[Floats, Floats, Floats, Floats]:
        """Refuse values."""
        raise NotDrawnError("values")


@dataclass(frozen=True, slots=True)
class Counts(Look):
    """Hold counts (windows, strata, 4) as [n_a, x_a, n_b, x_b], already cut as the judge cuts them."""

    counts: Floats

    def windows(self, past: float) -> Floats:
        """Return the counts."""
        del past
        return self.counts


@dataclass(frozen=True, slots=True)
class Tables(Look):
    """Hold counts (windows, 4) of pairs as [neither, candidate alone, baseline alone, both]."""

    counts: Floats

    def tables(self, past: float) -> Floats:
        """Return the counts."""
        del past
        return self.counts


@dataclass(frozen=True, slots=True)
class Numbers(Look):
    """Hold plain numbers of both arms, each of weight 1."""

    a: Floats
    b: Floats

    def values(self) -> tuple[Floats, Floats, Floats, Floats]:
        """Return the numbers."""
        return self.a, self.b, np.ones(len(self.a)), np.ones(len(self.b))

    def sums(self) -> tuple[Floats, Floats, Floats]:
        """Return sums over one stratum; a plain number's denominator is 1, and the arms are no pairs."""
        arms = [np.stack([values, np.ones(len(values))], axis=1) for values in (self.a, self.b)]
        product = np.zeros((4, 4))
        product[:2, :2], product[2:, 2:] = (arm.T @ arm for arm in arms)
        total = np.concatenate([arm.sum(axis=0) for arm in arms])
        return np.array([[float(len(self.a)), float(len(self.b))]]), total[None], product[None]

    def histograms(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return both log histograms."""
        return _histogram.of(self.a, np.ones(len(self.a))), _histogram.of(self.b, np.ones(len(self.b)))

"""Does the baseline move over time, by how much, and with what period?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gatekeeper.decide import drift

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gatekeeper.flow._baseline import Reading

LEVEL = 0.001
MOST_BINS = 64
FAR = 10.0
"""Standard deviations by which logarithms are set apart from 0: they are not skewed, and need no more rows a bin."""

ROWS_A_BIN = 40
FITS = 0.6
"""Share of the variance between time bins, beyond that of chance, that a wave or a straight line must explain."""

CYCLES = np.concatenate([np.arange(1.0, 4.0, 0.1), np.arange(4.0, 16.1, 0.25)])
"""Numbers of cycles over the recording that are tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moving:
    """Say how a metric moves: rates as shares, numbers relative to their middle.

    low, high: over time bins. size: half the swing of the wave, or of the range. period_s: None where no wave fits.
    ratio: variance between bins over what independent requests have. trend: a straight line fits.
    """

    metric: str
    relative: bool
    low: float
    high: float
    size: float
    period_s: float | None
    trend: bool
    ratio: float


def moving(reading: Reading, ts: NDArray[np.float64], cluster: NDArray[np.int64], tests: int = 1) -> Moving | None:
    """Return how a metric moves; None where equal means over time are not refused, or nothing tells the time.

    ts, cluster: of the reading's rows. A cluster counts once in each time bin. tests: how many are made together.
    """
    span = float(ts[-1] - ts[0])
    count = min(len(ts) // ROWS_A_BIN, MOST_BINS)
    if span <= 0 or count < drift.LEAST_BINS:
        return None
    place = np.minimum(((ts - ts[0]) / span * count).astype(np.int64), count - 1)
    y = reading.y - reading.y.mean() + FAR * reading.y.std() if reading.logs else reading.y
    y, place = _once_each(y, place, cluster)
    bins = np.stack([np.bincount(place, weights, count) for weights in (None, y, y * y)], axis=1)
    p, ratio, _ = drift.between(bins.tolist())
    if p >= LEVEL / tests:
        return None
    some = bins[:, 0] > 0
    middles = (np.arange(count)[some] + 0.5) * span / count
    return _described(reading, middles, bins[some, 0], bins[some, 1] / bins[some, 0], span, ratio)


def _once_each(
    y: NDArray[np.float64], place: NDArray[np.int64], cluster: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Replace the rows of a cluster within a time bin by one, their mean, unless no row has a cluster."""
    if not bool((cluster >= 0).any()):
        return y, place
    alone = np.where(cluster >= 0, cluster, -1 - np.arange(len(cluster)))
    _, who = np.unique(alone, return_inverse=True)
    _, first, group = np.unique(who * (place.max() + 1) + place, return_index=True, return_inverse=True)
    return np.bincount(group, y) / np.bincount(group), place[first]


def _described(
    reading: Reading,
    at: NDArray[np.float64],
    weight: NDArray[np.float64],
    mean: NDArray[np.float64],
    span: float,
    ratio: float,
) -> Moving:
    """Say what the moves look like."""
    centre = float(np.average(mean, weights=weight))
    whole = float(np.sum(weight * (mean - centre) ** 2))
    fits = [(_left(at, weight, mean, cycles / span) / whole, cycles) for cycles in CYCLES]
    left, cycles = min(fits)
    line = np.polyfit(at, mean, 1, w=np.sqrt(weight))
    straight = float(np.sum(weight * (mean - np.polyval(line, at)) ** 2)) / whole
    real = max(1.0 - 1.0 / ratio, 1e-9)
    trend = 1.0 - straight >= FITS * real and straight <= left * 1.5
    wave = not trend and 1.0 - left >= FITS * real
    low, high = _ends(mean, weight)
    size = (high - low) / 2.0
    if wave:
        size = float(np.hypot(*_wave(at, weight, mean, cycles / span)[1:]))
    scale = (lambda level: float(np.exp(level) - 1.0)) if reading.logs else float
    return Moving(
        metric=reading.name,
        relative=reading.logs,
        low=scale(low - centre) if reading.logs else low,
        high=scale(high - centre) if reading.logs else high,
        size=scale(size),
        period_s=span / cycles if wave else None,
        trend=trend,
        ratio=ratio,
    )


def _ends(mean: NDArray[np.float64], weight: NDArray[np.float64]) -> tuple[float, float]:
    """Return the lowest and highest mean over neighbouring bins, an eighth of the recording each."""
    width = max(len(mean) // 8, 1)
    ones = np.ones(width)
    smooth = np.convolve(mean * weight, ones, "valid") / np.convolve(weight, ones, "valid")
    return float(smooth.min()), float(smooth.max())


def _wave(
    at: NDArray[np.float64], weight: NDArray[np.float64], mean: NDArray[np.float64], frequency: float
) -> NDArray[np.float64]:
    """Fit level, sine and cosine at a frequency by weighted least squares."""
    shape = _shape(at, frequency)
    root = np.sqrt(weight)
    return np.asarray(np.linalg.lstsq(shape * root[:, None], mean * root, rcond=None)[0])


def _shape(at: NDArray[np.float64], frequency: float) -> NDArray[np.float64]:
    """Return the columns level, sine, cosine."""
    angle = 2.0 * np.pi * frequency * at
    return np.stack([np.ones_like(at), np.sin(angle), np.cos(angle)], axis=1)


def _left(at: NDArray[np.float64], weight: NDArray[np.float64], mean: NDArray[np.float64], frequency: float) -> float:
    """Return the variance that a wave of this frequency leaves."""
    fitted = _shape(at, frequency) @ _wave(at, weight, mean, frequency)
    return float(np.sum(weight * (mean - fitted) ** 2))


def without_moves(reading: Reading, ts: NDArray[np.float64], found: Moving | None, bins: int) -> NDArray[np.float64]:
    """Return the readings less their wave and less the means of so many time bins."""
    y = reading.y - reading.y.mean()
    span = max(float(ts[-1] - ts[0]), 1e-9)
    if found is not None and found.period_s is not None:
        even = np.ones(len(y))
        y = y - _shape(ts - ts[0], 1.0 / found.period_s) @ _wave(ts - ts[0], even, y, 1.0 / found.period_s)
    place = np.minimum(((ts - ts[0]) / span * bins).astype(np.int64), bins - 1)
    counts = np.maximum(np.bincount(place, minlength=bins), 1)
    return np.asarray(y - (np.bincount(place, y, bins) / counts)[place])

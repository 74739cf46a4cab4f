"""Simulated traffic, look by look: many replicates side by side, each a stream of its own; everything is seeded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from batches import Counts, Numbers, Tables

from gatekeeper.stats._rows import window_ends

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from gatekeeper.stats import Batch

    Floats = NDArray[np.float64]
    Rates = Callable[[int], Floats | float]

BASELINE, CANDIDATE = 0, 1


def sizes(rows: int, past: int) -> NDArray[np.int64]:
    """Return how many rows each of the windows holds into which the judge cuts a look."""
    return np.diff(window_ends(rows, past), prepend=0)


def counts(
    rng: np.random.Generator, replicates: int, looks: int, per_arm: int, rates: tuple[Rates, Rates], share: float = 0.5
) -> Iterator[Floats]:
    """Yield each look's counts, shape (replicates, windows, 4): [n_a, x_a, n_b, x_b] of `2 * per_arm` requests.

    rates: what share of each arm says yes at a look (from 0), one number or one per replicate. share: of the traffic
    that goes to the candidate. At .5 arms take turns, as hashing into two equal halves nearly does; else by lot.
    """
    rows, past = 2 * per_arm, 0
    for look in range(looks):
        window = np.broadcast_to(sizes(rows, past), (replicates, len(sizes(rows, past))))
        start = past + np.cumsum(window, axis=1) - window
        n_b = (start + window) // 2 - start // 2 if share == 0.5 else rng.binomial(window, share)  # noqa: PLR2004 - equal halves
        n_a = window - n_b
        p_a, p_b = (np.reshape(rate(look), (-1, 1)) for rate in rates)
        x_a, x_b = rng.binomial(n_a, p_a), rng.binomial(n_b, p_b)
        yield np.stack([n_a, x_a, n_b, x_b], axis=-1).astype(np.float64)
        past += rows


def constant(rate: float) -> Rates:
    """Return a rate that never changes."""
    return lambda look: rate + 0.0 * look


def as_counts(looks: Iterator[Floats]) -> Iterator[list[Batch]]:
    """Give each replicate's counts to its stream."""
    for look in looks:
        yield [Counts(one[:, None, :]) for one in look]


def tables(
    rng: np.random.Generator, replicates: int, looks: int, per_look: int, cells: tuple[float, float, float, float]
) -> Iterator[list[Batch]]:
    """Yield pairs drawn from a table [neither, candidate alone, baseline alone, both] of probabilities."""
    past = 0
    for _ in range(looks):
        window = sizes(per_look, past)
        drawn = rng.multinomial(np.broadcast_to(window, (replicates, len(window))), cells).astype(np.float64)
        yield [Tables(one) for one in drawn]
        past += per_look


def correlated(p_a: float, p_b: float, rho: float) -> tuple[float, float, float, float]:
    """Return the table of two answers with these rates and this correlation (phi)."""
    both = p_a * p_b + rho * float(np.sqrt(p_a * (1.0 - p_a) * p_b * (1.0 - p_b)))
    both = min(both, p_a, p_b)
    return 1.0 - p_a - p_b + both, p_b - both, p_a - both, both


def numbers(
    rng: np.random.Generator,
    replicates: int,
    looks: int,
    per_arm: int,
    draw: Callable[[np.random.Generator, tuple[int, int], int], Floats],
) -> Iterator[list[Batch]]:
    """Yield numbers; `draw` makes those of an arm (0 baseline, 1 candidate) in the shape asked for."""
    for _ in range(looks):
        a, b = (draw(rng, (replicates, per_arm), arm) for arm in (BASELINE, CANDIDATE))
        yield [Numbers(one, other) for one, other in zip(a, b, strict=True)]


def number_pairs(
    rng: np.random.Generator,
    replicates: int,
    looks: int,
    per_look: int,
    draw: Callable[[np.random.Generator, tuple[int, int]], tuple[Floats, Floats]],
) -> Iterator[list[Batch]]:
    """Yield pairs of numbers; `draw` makes the baseline's and the candidate's in the shape asked for."""
    for _ in range(looks):
        yield [Numbers(one, other) for one, other in zip(*draw(rng, (replicates, per_look)), strict=True)]

"""Are requests related: by the cluster they name, by their segment, or only by coming at about the same time?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

SHUFFLES = 199
LEVEL = 0.01
NOTABLE = 1.1
"""Design effect below which relations do not matter."""

BLOCKS = (8, 32, 128, 512)
LEAST_BLOCKS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Related:
    """Say how alike a metric's requests of one group are.

    by: `cluster_id`, a segment key, or `time`. groups, size: how many, and the mean size of a request's group.
    correlation: within groups (intraclass). design_effect: by how many times requests overstate what they tell.
    """

    metric: str
    by: str
    groups: int
    size: float
    correlation: float
    design_effect: float


def by_group(
    metric: str, by: str, y: NDArray[np.float64], group: NDArray[np.int64], rng: Generator, tests: int = 1
) -> Related | None:
    """Return how alike the requests of a group are; None where shuffled groups are as often.

    group: shape (n,), -1 for none: those rows are left out. The one-way random effects estimate of the correlation.
    """
    within = group >= 0
    y, group = y[within], np.unique(group[within], return_inverse=True)[1]
    n, groups = len(y), int(group.max()) + 1 if len(group) else 0
    if groups < 2 or n <= groups:  # noqa: PLR2004 - one group has nothing beside it
        return None
    sizes = np.bincount(group)
    seen = _between(y, group, sizes)
    chance = sum(_between(rng.permutation(y), group, sizes) >= seen for _ in range(SHUFFLES))
    if (chance + 1) / (SHUFFLES + 1) > max(LEVEL / tests, 1.0 / (SHUFFLES + 1)):
        return None
    whole = float(np.sum((y - y.mean()) ** 2))
    apart, inside = seen / (groups - 1), (whole - seen) / (n - groups)
    usual = (n - float(np.sum(sizes**2)) / n) / (groups - 1)
    correlation = (apart - inside) / (apart + (usual - 1.0) * inside)
    size = float(np.sum(sizes**2)) / n
    effect = 1.0 + (size - 1.0) * correlation
    if effect < NOTABLE:
        return None
    return Related(
        metric=metric, by=by, groups=groups, size=size, correlation=float(correlation), design_effect=float(effect)
    )


def _between(y: NDArray[np.float64], group: NDArray[np.int64], sizes: NDArray[np.int64]) -> float:
    """Return the sum of squares between groups."""
    return float(np.sum(sizes * (np.bincount(group, y) / sizes - y.mean()) ** 2))


def by_time(
    metric: str, y: NDArray[np.float64], cluster: NDArray[np.int64], rng: Generator, tests: int = 1
) -> Related | None:
    """Return how alike neighbours in time are, beyond what they owe to a common cluster; None where they are not.

    y: in time order, without slow moves. Sums over blocks of neighbours are held against those of shuffled requests.
    """
    if bool((cluster >= 0).any()):
        y = _less_clusters(y, cluster)
    best: Related | None = None
    lengths = [length for length in BLOCKS if len(y) // length >= LEAST_BLOCKS]
    for length in lengths:
        blocks = len(y) // length
        part = y[: blocks * length]
        seen = _spread(part, length)
        drawn = np.array([_spread(rng.permutation(part), length) for _ in range(SHUFFLES)])
        z = (seen - drawn.mean()) / drawn.std()
        effect = seen / drawn.mean()
        if (drawn < seen).all() and z > _bar(tests * len(lengths)) and effect >= NOTABLE:
            correlation = (effect - 1.0) / (length - 1.0)
            found = Related(
                metric=metric,
                by="time",
                groups=blocks,
                size=float(length),
                correlation=float(correlation),
                design_effect=float(effect),
            )
            best = found if best is None or found.design_effect > best.design_effect else best
    return best


def _spread(y: NDArray[np.float64], length: int) -> float:
    """Return the variance of sums over blocks."""
    return float(np.var(y.reshape(-1, length).sum(axis=1)))


def _bar(tests: int) -> float:
    """Return the standard deviations beyond which one of so many tests is not chance (about LEVEL)."""
    return float(np.sqrt(2.0 * np.log(tests / LEVEL)))


def _less_clusters(y: NDArray[np.float64], cluster: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return one reading for each cluster, its mean, where it first came; rows without a cluster stay."""
    alone = np.where(cluster >= 0, cluster, -1 - np.arange(len(cluster)))
    _, first, group = np.unique(alone, return_index=True, return_inverse=True)
    return (np.bincount(group, y) / np.bincount(group))[np.argsort(first)]

"""Goals 1 and 2: errors at most alpha, for an equal candidate and for one exactly on its margin."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import draws
import ours
from figures import Case, errors, share

if TYPE_CHECKING:
    import numpy as np
    from figures import Figure

ALPHA = 0.05
LOOKS = 100
PER_ARM = 100
STREAMS = 24
MARGIN = 0.01


def _equal(rate: float, name: str, replicates: int, rng: np.random.Generator) -> list[Figure]:
    """Look a hundred times at two equal rates."""
    asked = ours.stream("refusal_rate", 0.0, 0.01, alpha=ALPHA)
    same = draws.constant(rate)
    looks = draws.as_counts(draws.counts(rng, replicates, LOOKS, PER_ARM, (same, same)))
    return errors(name, ours.judge(asked, looks, replicates), ALPHA, promotion=False)


def _many(name: str, replicates: int, rng: np.random.Generator) -> list[Figure]:
    """Look at twenty-four equal metrics at once, each with its part of the error budget."""
    asked = ours.stream("refusal_rate", 0.0, 0.01, alpha=ALPHA / STREAMS)
    same = draws.constant(0.02)
    streams = replicates * STREAMS
    looks = draws.as_counts(draws.counts(rng, streams, LOOKS, PER_ARM, (same, same)))
    crossings = ours.judge(asked, looks, streams).rollback.reshape(replicates, STREAMS).sum(axis=1)
    return [share(name, "any false rollback", crossings > 0, ALPHA)]


def _on_margin(
    rate: float, split: float, name: str, replicates: int, rng: np.random.Generator, *, increase: bool
) -> list[Figure]:
    """Look a hundred times at a candidate that is worse by exactly its margin of one percentage point."""
    metric = "refusal_rate" if increase else "json_validity"
    asked = ours.stream(metric, MARGIN, MARGIN, alpha=ALPHA, increase=increase)
    pair = (rate, rate + MARGIN) if increase else (1.0 - rate, 1.0 - rate - MARGIN)
    rates = draws.constant(pair[0]), draws.constant(pair[1])
    looks = draws.as_counts(draws.counts(rng, replicates, LOOKS, PER_ARM, rates, split))
    return errors(name, ours.judge(asked, looks, replicates, until="both"), ALPHA, promotion=True)


def cases() -> list[Case]:
    """List the simulations of both goals."""
    found = [
        Case(goal=1, name=f"A/A, {rate:.1%}, margin 0", run=partial(_equal, rate), replicates=4000)
        for rate in (0.001, 0.02, 0.2)
    ]
    found.append(Case(goal=1, name=f"A/A, {STREAMS} streams, 2.0%", run=_many, replicates=4000))
    for rate in (0.001, 0.02):
        for split in (0.5, 0.1):
            for increase in (True, False):
                what = "refusals" if increase else "invalid JSON (max_decrease)"
                name = f"on a margin of 1 pp, {rate:.1%} {what}, split {1 - split:.0%}/{split:.0%}"
                found.append(
                    Case(goal=2, name=name, run=partial(_on_margin, rate, split, increase=increase), replicates=4000)
                )
    return found

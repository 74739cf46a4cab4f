"""A whole gate on simulated streams: every metric's own test, all replicates side by side, one verdict each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import ours

from gatekeeper import registry
from gatekeeper.decide.compile import compile_policy
from gatekeeper.decide.policyfile import policy_from_mapping

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from gatekeeper.decide.plan import Stream
    from gatekeeper.stats import Batch

ROLLBACK, HOLD, PROMOTE = -1, 0, 1


def streams(policy: Mapping[str, Any]) -> tuple[Stream, ...]:
    """Return the questions of a policy without stages, each with its part of the error budget."""
    return compile_policy(policy_from_mapping(policy)).stages[0].streams


def judge(
    asked: Sequence[Stream], looks: Iterable[Sequence[Sequence[Batch]]], replicates: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return each replicate's verdict and the look (from 1) that it was reached at, 0 for none.

    looks: for each look, by stream, one batch for each replicate. As the judge rules: back on any metric that failed,
    forward once every metric has passed at some look.
    """
    states = [[registry.load("stats", one.test).begin(one.question) for _ in range(replicates)] for one in asked]
    failed, passed = (np.zeros((len(asked), replicates), np.bool_) for _ in range(2))
    verdict, at = np.full(replicates, HOLD), np.zeros(replicates, np.int64)
    for look, by_stream in enumerate(looks, start=1):
        live = np.flatnonzero(verdict == HOLD)
        if not len(live):
            break
        for place, (one, batches) in enumerate(zip(asked, by_stream, strict=True)):
            test = registry.load("stats", one.test)
            held = [states[place][i] for i in live]
            new = test.absorb([one.question] * len(live), held, [batches[i] for i in live])
            for i, state in zip(live, new, strict=True):
                states[place][i] = state
                back, forth = ours.crossed(one.question, test.weigh(one.question, state))
                failed[place, i] |= back
                passed[place, i] |= forth
        open_ones = verdict == HOLD
        verdict[open_ones & failed.any(axis=0)] = ROLLBACK
        verdict[open_ones & ~failed.any(axis=0) & passed.all(axis=0)] = PROMOTE
        at[open_ones & (verdict != HOLD)] = look
    return verdict, at

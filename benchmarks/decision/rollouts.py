"""Whole rollouts, as people run them: an Arrow table of samples and a policy into `gatekeeper.analyze`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

import gatekeeper

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from gatekeeper.model.finding import VerdictKind


def taking_turns(per_arm: int) -> NDArray[np.bool_]:
    """Return which of `2 * per_arm` rows are the candidate's: every second one."""
    return np.asarray(np.arange(2 * per_arm) % 2 == 1)


def table(candidate: NDArray[np.bool_], **columns: NDArray[Any]) -> pa.Table:
    """Return samples in time order, one a second."""
    data: dict[str, Any] = {
        "ts": np.arange(len(candidate), dtype=np.float64),
        "arm": pa.DictionaryArray.from_arrays(candidate.astype(np.int8), ["baseline", "candidate"]).cast(pa.string()),
        **{name: pa.array(column) for name, column in columns.items()},
    }
    return pa.table(data)


def verdict(samples: pa.Table, policy: Mapping[str, Any], look_every: int) -> tuple[VerdictKind, int]:
    """Return the verdict, and the samples of each arm that it took (0: none was reached)."""
    report = gatekeeper.analyze(samples, policy, look_every=look_every)
    return report.verdict, report.decided_at["samples"] // 2 if report.decided_at else 0

"""Samples as columns of numbers: what the tests compute on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gatekeeper.decide.classify import PLAIN
from gatekeeper.model.arm import Arm

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gatekeeper.decide.plan import Plan
    from gatekeeper.model.policy import Policy
    from gatekeeper.model.sample import Sample

ARMS = (Arm.BASELINE, Arm.CANDIDATE, Arm.CONTROL)
"""Arms by their code."""


@dataclass(slots=True, kw_only=True)
class Columns:
    """Hold rows of one window, in time order once `ordered`.

    arm: code into ARMS. pair, cluster: equal codes belong together, -1 is none; cluster codes are stable over windows.
    errored: failed requests. values: by sample field, nan where not applicable. segments: by key, a code per row into
    its labels, -1 where the row has none.
    """

    ts: NDArray[np.float64]
    arm: NDArray[np.int8]
    pair: NDArray[np.int64]
    cluster: NDArray[np.int64]
    errored: NDArray[np.bool_]
    values: dict[str, NDArray[np.float64]]
    segments: dict[str, tuple[NDArray[np.int64], list[str]]]

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.ts)

    def take(self, rows: NDArray[np.int64] | slice) -> Columns:
        """Return these rows, in that order."""
        return Columns(
            ts=self.ts[rows],
            arm=self.arm[rows],
            pair=self.pair[rows],
            cluster=self.cluster[rows],
            errored=self.errored[rows],
            values={name: column[rows] for name, column in self.values.items()},
            segments={key: (codes[rows], labels) for key, (codes, labels) in self.segments.items()},
        )

    def ordered(self) -> Columns:
        """Return the rows in time order; rows of one instant keep theirs."""
        if len(self.ts) < 2 or bool(np.all(self.ts[1:] >= self.ts[:-1])):  # noqa: PLR2004 - one row is in order
            return self
        return self.take(np.argsort(self.ts, kind="stable"))


def needed(plan: Plan) -> list[str]:
    """List the sample's fields that a plan's metrics read."""
    return sorted({name for stage in plan.stages for stream in stage.streams for name in stream.spec.columns})


def segment_keys(policy: Policy) -> tuple[str, ...]:
    """Return the keys by which traffic is divided: those of the policy, else the samples' plain segment."""
    return policy.segments or (PLAIN,)


def segment_label(key: str, segment: str | dict[str, str] | None) -> str | None:
    """Return how a row's segment is called under a key: `key=value`, or the plain string under the key `segment`."""
    if isinstance(segment, dict):
        value = segment.get(key)
        return None if value is None else f"{key}={value}"
    return segment if key == PLAIN else None


def encode(labels: Iterable[str | None]) -> tuple[NDArray[np.int64], list[str]]:
    """Number labels in order of appearance, -1 for none."""
    known: dict[str, int] = {}
    codes = [-1 if label is None else known.setdefault(label, len(known)) for label in labels]
    return np.array(codes, np.int64), list(known)


def cluster_code(cluster_id: str | None) -> int:
    """Return a code that is the same in every process, -1 for none (FNV-1a, 62 bits)."""
    if cluster_id is None:
        return -1
    code = 0xCBF29CE484222325
    for byte in cluster_id.encode():
        code = ((code ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return code >> 2


def from_samples(samples: Sequence[Sample], fields: Sequence[str], keys: Sequence[str]) -> Columns:
    """Turn samples into columns of the given fields and segment keys."""
    codes = {arm: code for code, arm in enumerate(ARMS)}
    return Columns(
        ts=np.array([s.ts for s in samples], np.float64),
        arm=np.array([codes[s.arm] for s in samples], np.int8),
        pair=encode(s.pair_id for s in samples)[0],
        cluster=np.array([cluster_code(s.cluster_id) for s in samples], np.int64),
        errored=np.array([s.error not in (None, False) for s in samples], np.bool_),
        values={name: _column(samples, name) for name in fields},
        segments={key: encode(segment_label(key, s.segment) for s in samples) for key in keys},
    )


def _column(samples: Sequence[Sample], name: str) -> NDArray[np.float64]:
    """Return one field, nan where None; a failure's class counts as 1, no failure as 0."""
    if name == "error":
        return np.array([s.error not in (None, False) for s in samples], np.float64)
    got: list[Any]
    if name.startswith("extra."):
        key = name.removeprefix("extra.")
        got = [s.extra.get(key) for s in samples]
    else:
        got = [getattr(s, name) for s in samples]
    return np.array([np.nan if value is None else value for value in got], np.float64)

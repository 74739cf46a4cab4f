"""How many samples an evalset lacks for a decision."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gatekeeper.flow.analyze import analyze
from gatekeeper.model.finding import VerdictKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gatekeeper.model.policy import Policy
    from gatekeeper.model.sample import Sample

MOST_ROWS = 60_000
STEPS = 4


def samples_missing(rows: Sequence[Sample], policy: Policy, size: int) -> int | None:
    """Estimate how many samples beside the `size` there are would decide, if they were answered like these.

    rows: both arms' samples, which left the verdict open. They are taken several times over until the judge decides;
    the smallest multiple is found by halving. None when none of up to MOST_ROWS rows decides.
    """
    low, high = 1.0, 2.0
    while not _decides(rows, policy, high):
        low, high = high, 2 * high
        if high * len(rows) > MOST_ROWS:
            return None
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if _decides(rows, policy, middle) else (middle, high)
    return round(size * high) - size


def _decides(rows: Sequence[Sample], policy: Policy, times: float) -> bool:
    return analyze(_more(rows, round(len(rows) * times)), policy).verdict is not VerdictKind.HOLD


def _more(rows: Sequence[Sample], count: int) -> list[Sample]:
    """Return `count` rows: these over and over, each time with names of its own and later."""
    span_s = max(row.ts for row in rows) - min(row.ts for row in rows) + 1
    return [_again(rows[index % len(rows)], index // len(rows), span_s) for index in range(count)]


def _again(row: Sample, turn: int, span_s: float) -> Sample:
    return replace(
        row,
        request_id=f"{row.request_id}~{turn}",
        ts=row.ts + turn * span_s,
        pair_id=f"{row.pair_id}~{turn}",
        cluster_id=row.cluster_id and f"{row.cluster_id}~{turn}",
    )

"""A rollout's stored samples, some at a time: as many as one likes in bounded memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from gatekeeper.model.sample import Sample
    from gatekeeper.ports import Unit

ROWS_AT_ONCE = 1000
"""Samples of one page: about half a megabyte."""


def pages(
    read: Callable[[], Unit], rollout_id: str, stage: int | None = None, after: int = 0
) -> Iterator[Sequence[tuple[int, int, Sample]]]:
    """Return pages of (row, stage, sample) in the order in which they were stored, none of them empty.

    read: gives a transaction that only reads; each page has its own, so that a slow reader holds none open. stage
    None: all stages. after: the row that was read last, to go on from there. Rows stored after the call are left out,
    and so are notices of what could not be recorded.

    Raises:
        NotFoundError: no such rollout; raised by the call itself, before the first page.
    """
    with read() as unit:
        unit.rollouts.get(rollout_id)
        extent = unit.samples.extent(rollout_id, stage)
    first, last = extent or (1, 0)
    return _pages(read, rollout_id, stage, max(first, after + 1), last)


def _pages(
    read: Callable[[], Unit], rollout_id: str, stage: int | None, first: int, last: int
) -> Iterator[Sequence[tuple[int, int, Sample]]]:
    """Yield the pages of the rows from first to last."""
    while first <= last:
        with read() as unit:
            rows = unit.samples.page(rollout_id, stage, first, last, ROWS_AT_ONCE)
        if samples := [row for row in rows if not row[2].lost]:
            yield samples
        if len(rows) < ROWS_AT_ONCE:
            return
        first = rows[-1][0] + 1

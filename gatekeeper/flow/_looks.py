"""Rows cut into looks, also where a look begins in one run of rows and ends in the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gatekeeper.flow._order import joined
from gatekeeper.flow._pairing import Placed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gatekeeper.decide.columns import Columns


def looks(runs: Iterable[Placed], every: int | None) -> Iterator[Columns]:
    """Cut placed rows into looks of so many rows each, a pair whole; None: each run is a look."""
    if every is None:
        yield from (run.columns for run in runs if len(run.columns))
        return
    rest: Placed | None = None
    for placed in runs:
        run = placed if rest is None else _after(rest, placed)
        first = int(run.at[0]) // every if len(run.at) else 0
        ends = np.arange((first + 1) * every, run.upto + 1, every)
        cuts = np.searchsorted(run.at, ends).tolist()
        for start, stop in zip([0, *cuts], cuts, strict=False):
            if stop > start:
                yield run.columns.take(slice(start, stop))
        done = cuts[-1] if cuts else 0
        rest = Placed(run.columns.take(slice(done, None)), run.at[done:], run.upto)
    if rest is not None and len(rest.at):
        yield rest.columns


def _after(rest: Placed, more: Placed) -> Placed:
    """Put what is left of one run before the next."""
    if not len(rest.at):
        return more
    return Placed(joined([rest.columns, more.columns]), np.concatenate([rest.at, more.at]), more.upto)

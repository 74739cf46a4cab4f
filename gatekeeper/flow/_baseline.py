"""The baseline's own rows out of recorded samples, and each metric's readings in them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gatekeeper.decide.columns import ARMS, Columns, needed, segment_keys
from gatekeeper.decide.compile import compile_policy
from gatekeeper.errors import InputError
from gatekeeper.flow._order import MOST_IN_MEMORY, InOrder, joined
from gatekeeper.flow._readers import read_samples
from gatekeeper.flow._rows import Wanted
from gatekeeper.flow._typical import usable_values
from gatekeeper.model.arm import Arm
from gatekeeper.model.metric import MetricKind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gatekeeper.decide.plan import Stream
    from gatekeeper.model.policy import Policy

LEAST_ROWS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Hold one metric's readings in time order, shape (n,): answers of 0 and 1, or logarithms (`logs`).

    rows: the columns' rows they come from. value: the metric's value over all of them, a rate or the middle number.
    """

    name: str
    rows: NDArray[np.int64]
    y: NDArray[np.float64]
    logs: bool
    value: float


def read_baseline(
    samples: Any,  # noqa: ANN401 - as `analyze` takes
    policy: Policy,
    *,
    tick: Callable[[float], None] | None = None,
) -> Columns:
    """Return the baseline's rows in time order, each once.

    Raises:
        InputError: the samples cannot be read, or too few are the baseline's.
    """
    wanted = Wanted(fields=tuple(needed(compile_policy(policy))), keys=segment_keys(policy))
    order = InOrder(most=MOST_IN_MEMORY)
    kept: list[Columns] = []
    for run, _ in order.runs(read_samples(samples, wanted, tick).parts):
        kept.append(run.take(np.flatnonzero(run.arm == ARMS.index(Arm.BASELINE))))
    columns = joined(kept).ordered() if kept else None
    if columns is None or len(columns) < LEAST_ROWS:
        count = 0 if columns is None else len(columns)
        raise InputError(f"{samples}: found {count} samples with arm baseline; expected at least {LEAST_ROWS}")
    return replace(columns, pair=np.full(len(columns), -1, np.int64))


def readings(streams: Sequence[Stream], columns: Columns) -> list[Reading]:
    """Return the readings of each metric; those with too few, or with none that differ, are left out."""
    found: dict[str, Reading] = {}
    for stream in streams:
        if stream.spec.name not in found:
            reading = _reading(stream, columns)
            if len(reading.y) >= LEAST_ROWS and float(np.ptp(reading.y)) > 0:
                found[stream.spec.name] = reading
    return list(found.values())


def _reading(stream: Stream, columns: Columns) -> Reading:
    """Return one metric's readings; of a quotient those of its numerator, in the rows where it is above 0."""
    values, usable = usable_values(stream, columns, np.arange(len(columns)))
    rows, first = np.flatnonzero(usable), values[:, 0]
    if stream.spec.kind is MetricKind.RATE:
        return Reading(
            name=stream.spec.name, rows=rows, y=first, logs=False, value=float(first.mean()) if len(first) else 0.0
        )
    above = first > 0
    logs = np.log(first[above])
    middle = float(np.exp(np.median(logs))) if len(logs) else 0.0
    return Reading(name=stream.spec.name, rows=rows[above], y=logs, logs=True, value=middle)

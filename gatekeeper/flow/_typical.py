"""How a policy's metrics behave in the baseline: as told, as measured in samples of it, or as is usual."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gatekeeper.decide._information import standing
from gatekeeper.decide.columns import ARMS
from gatekeeper.decide.power import Typical
from gatekeeper.errors import InputError
from gatekeeper.model.arm import Arm
from gatekeeper.model.metric import MetricKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from gatekeeper.decide.columns import Columns
    from gatekeeper.decide.plan import Stream

USUAL_RATES = {
    "refusal_rate": 0.02,
    "json_validity": 0.98,
    "tool_call_validity": 0.98,
    "task_success": 0.8,
    "error_rate": 0.005,
    "policy_violation_rate": 0.005,
    "degeneration_rate": 0.01,
}
USUAL_MEDIANS = {
    "latency_ms": 2000.0,
    "ttft_ms": 300.0,
    "tpot_ms": 25.0,
    "prompt_tokens": 500.0,
    "completion_tokens": 200.0,
    "cost_usd": 0.002,
    "cost_per_success": 0.0025,
}
USUAL_SPREAD = 0.8
LEAST_ROWS = 20
"""Rows of the baseline below which nothing is learnt about a metric."""


def parse_rates(text: str) -> dict[str, tuple[float, float | None]]:
    """Read `NAME=VALUE[:SPREAD],...`; a value may be a percentage.

    Raises:
        InputError: an item of another shape.
    """
    found: dict[str, tuple[float, float | None]] = {}
    for item in filter(None, (part.strip() for part in text.split(","))):
        name, _, told = item.partition("=")
        value, _, spread = told.partition(":")
        try:
            scale = 0.01 if value.endswith("%") else 1.0
            numbers = (float(value.removesuffix("%")) * scale, float(spread) if spread else None)
        except ValueError:
            numbers = (math.nan, None)
        if not name or not math.isfinite(numbers[0]) or numbers[0] < 0 or (numbers[1] is not None and numbers[1] <= 0):
            raise InputError(f"rates: found {item!r}; expected NAME=VALUE, as refusal_rate=2% or ttft_ms.p95=900:0.8")
        found[name.strip()] = numbers
    return found


def typicals(
    streams: Sequence[Stream], told: Mapping[str, tuple[float, float | None]], baseline: Columns | None
) -> dict[str, Typical]:
    """Return each stream's typical behaviour, by the stream's name.

    Raises:
        InputError: a rate that is told of no metric of the policy, or is no rate.
    """
    names = {stream.rule.name for stream in streams}
    for name in told:
        if name not in names:
            raise InputError(f"rates: the policy has no metric {name!r}; it has {', '.join(sorted(names))}")
    return {stream.name: _typical(stream, told.get(stream.rule.name), baseline) for stream in streams}


def _typical(stream: Stream, told: tuple[float, float | None] | None, baseline: Columns | None) -> Typical:
    """Prefer what is told to what is measured, and that to what is usual."""
    found = measured(stream, baseline) if baseline is not None else None
    found = found or _usual(stream)
    if told is None:
        return found
    value, spread = told
    if stream.spec.kind is MetricKind.RATE and not 0.0 < value < 1.0:
        raise InputError(f"rates: {stream.rule.name} is {value:g}; expected more than 0 and less than 1, such as 2%")
    if stream.spec.kind is not MetricKind.RATE and value <= 0:
        raise InputError(f"rates: {stream.rule.name} is {value:g}; expected more than 0")
    return replace(found, value=value, spread=spread or found.spread, source="told")


def _usual(stream: Stream) -> Typical:
    """Return what is usual of a metric; None for the value of one nobody knows."""
    metric, quantile = stream.rule.metric, stream.question.quantile
    if metric in USUAL_RATES:
        return Typical(value=USUAL_RATES[metric])
    median = USUAL_MEDIANS.get(metric)
    if median is None:
        return Typical(value=1.0)
    z = standing(quantile) if quantile is not None else USUAL_SPREAD / 2.0
    return Typical(value=median * math.exp(USUAL_SPREAD * z), spread=USUAL_SPREAD)


def measured(stream: Stream, baseline: Columns) -> Typical | None:
    """Return what the baseline's rows say of a metric; None where they say too little."""
    rows = np.flatnonzero(baseline.arm == ARMS.index(Arm.BASELINE))
    values, usable = usable_values(stream, baseline, rows)
    if not len(rows) or len(values) < LEAST_ROWS:
        return None
    share = float(usable.mean())
    n = f"measured on {len(values):,} requests"
    if stream.spec.kind is MetricKind.RATE:
        rate = (float(values[:, 0].sum()) + 0.5) / (len(values) + 1.0)
        return Typical(value=rate, share=share, source=n)
    if stream.question.quantile is not None:
        return _measured_quantile(values[:, 0], stream.question.quantile, share, n)
    top, bottom = values[:, 0], values[:, 1] if values.shape[1] > 1 else np.ones(len(values))
    if top.sum() <= 0 or bottom.sum() <= 0:
        return None
    ratio = float(top.sum() / bottom.sum())
    spread = float(np.std(top - ratio * bottom) / top.mean())
    return Typical(value=ratio, spread=spread, share=share, source=n)


def _measured_quantile(values: NDArray[np.float64], quantile: float, share: float, source: str) -> Typical | None:
    """Return a quantile, with the spread of the lognormal that is as steep around it."""
    step = min(quantile, 1.0 - quantile) / 2.0
    low, middle, high = (float(q) for q in np.quantile(values, [quantile - step, quantile, quantile + step]))
    if low <= 0:
        return None
    width = standing(quantile + step) - standing(quantile - step)
    spread = max(math.log(high / low) / width, 0.01)
    return Typical(value=middle, spread=spread, share=share, source=source)


def usable_values(
    stream: Stream, columns: Columns, rows: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the values (n, columns) of those rows that the metric applies to, and which they are."""
    values = np.stack([columns.values[name][rows] for name in stream.spec.columns], axis=1)
    usable = np.asarray(~np.isnan(values).any(axis=1), np.bool_)
    if not stream.spec.on_errors:
        usable &= ~columns.errored[rows]
    return values[usable], usable

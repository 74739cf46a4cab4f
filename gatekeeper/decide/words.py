"""Findings as a careful analyst says them: what changed, by how much, how sure, on how many."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from gatekeeper.model.finding import Ruling
from gatekeeper.model.metric import MetricKind

if TYPE_CHECKING:
    from gatekeeper.decide.plan import Stream
    from gatekeeper.stats import Picture

DIGITS = 3
HUNDREDTH, TEN, HUNDRED = 0.01, 10.0, 100.0
SUFFIXES = {"pp": " pp", "ratio": " %", "share": " %"}


def unit_of(stream: Stream) -> str:
    """Return the effect's unit: pp for rates, ratio for relative change, else the metric's own."""
    if stream.question.relative:
        return "ratio"
    if stream.spec.kind is MetricKind.RATE:
        return "pp"
    return stream.spec.unit


def number(value: float | None, unit: str, *, signed: bool = False) -> str:
    """Write a value in a unit; pp, ratio and share are written in hundredths."""
    if value is None:
        return "?"
    scaled = value * 100.0 if unit in {"pp", "ratio", "share"} else value
    sign = "+" if signed and scaled > 0 else ""
    return f"{sign}{_short(scaled)}{_suffix(unit)}"


def _short(value: float) -> str:
    """Write a number with three digits that count, without an exponent where people would not use one.

    Hundredths are enough for what is read, but for what is smaller than one.
    """
    size = abs(value)
    if HUNDREDTH <= size < HUNDRED:
        text = f"{value:.1f}" if size >= TEN else f"{value:.2f}"
    elif value == 0 or not math.isfinite(value):
        return f"{value:g}"
    else:
        text = f"{value:.{min(max(DIGITS - 1 - math.floor(math.log10(size)), 0), 8)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _suffix(unit: str) -> str:
    """Return how a unit is written after a number."""
    return SUFFIXES.get(unit) or (unit and f" {unit}")


def _range(picture: Picture, unit: str) -> str:
    """Write the interval without its unit; words where there is no bound yet."""
    if picture.lower is None and picture.upper is None:
        return "[no bounds yet]"
    hundredths = unit in {"pp", "ratio", "share"}
    ends = [None if end is None else end * (100.0 if hundredths else 1.0) for end in (picture.lower, picture.upper)]
    low = "-inf" if ends[0] is None else _short(ends[0])
    high = "inf" if ends[1] is None else _short(ends[1])
    return f"[{low}, {high}]"


def change(stream: Stream, picture: Picture) -> str:
    """Say how the candidate differs from the baseline, with interval and numbers of observations."""
    unit = unit_of(stream)
    own = "share" if stream.spec.kind is MetricKind.RATE else stream.spec.unit
    counts = f"n = {picture.b_n} against {picture.a_n}"
    new = number(picture.b_value, own)
    if stream.is_limit:
        return f"{stream.rule.name} is {new} {_range(picture, unit)} at n = {picture.b_n}"
    values = f"({new} against {number(picture.a_value, own)})"
    if picture.estimate is None:
        return f"{stream.rule.name} is {new} against {number(picture.a_value, own)}, at {counts}"
    if picture.estimate == 0:
        return f"{stream.rule.name} is unchanged {_range(picture, unit)} {values}, at {counts}"
    way = "up" if picture.estimate > 0 else "down"
    size = number(abs(picture.estimate), unit)
    return f"{stream.rule.name} is {way} {size} {_range(picture, unit)} {values}, at {counts}"


def bound(stream: Stream) -> str:
    """Name what the metric is held to."""
    if stream.is_limit:
        own = "share" if stream.spec.kind is MetricKind.RATE else stream.spec.unit
        return f"the limit of {number(stream.question.limit, own)}"
    return f"the margin of {number(stream.question.margin, unit_of(stream))}"


def reason(stream: Stream, ruling: Ruling, picture: Picture, segment: str | None, more: int | None) -> str:
    """Say what was found, in one sentence."""
    where = f"{segment}: " if segment else ""
    if picture.note:
        counts = f"n = {picture.b_n} against {picture.a_n}"
        return f"{where}{stream.rule.name} cannot be judged: {picture.note} ({counts})"
    said = where + change(stream, picture)
    if not stream.judged:
        return f"{said}; watched, never decides"
    if ruling is Ruling.FAIL:
        return f"{said}; worse than {bound(stream)} allows"
    if ruling is Ruling.PASS:
        return f"{said}; proven within {bound(stream)}"
    if stream.question.proof_margin is None and not stream.is_limit:
        return f"{said}; a margin of 0 cannot be proven: give a margin, or `detect` beside it"
    tail = f", about {more} more samples needed" if more else ""
    return f"{said}; not yet decided against {bound(stream)}{tail}"

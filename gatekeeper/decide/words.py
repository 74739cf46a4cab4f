"""Findings as a careful analyst says them: what changed, by how much, how sure, on how many."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

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


class Unit(NamedTuple):
    """Hold how numbers are written: times `factor`, followed by `suffix`."""

    factor: float
    suffix: str


def _unit(name: str) -> Unit:
    """Return how numbers in a unit are written; pp, ratio and share are written in hundredths."""
    return Unit(100.0, SUFFIXES[name]) if name in SUFFIXES else Unit(1.0, name and f" {name}")


def number(value: float | None, unit: Unit) -> str:
    """Write a value in a unit."""
    return "?" if value is None else f"{_short(value * unit.factor)}{unit.suffix}"


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


def _range(picture: Picture, unit: Unit) -> str:
    """Write the interval without its unit; words where there is no bound yet."""
    if picture.lower is None and picture.upper is None:
        return "[no bounds yet]"
    low = "-inf" if picture.lower is None else _short(picture.lower * unit.factor)
    high = "inf" if picture.upper is None else _short(picture.upper * unit.factor)
    return f"[{low}, {high}]"


class Teller:
    """Say what was found of one stream, in all its segments; what does not depend on the data is put once."""

    def __init__(self, stream: Stream) -> None:
        """Take the stream."""
        self.unit = unit_of(stream)
        self._stream = stream
        self._name = stream.rule.name
        self._effect = _unit(self.unit)
        self._own = _unit("share" if stream.spec.kind is MetricKind.RATE else stream.spec.unit)
        self._bound = self._held_to()

    def _held_to(self) -> str:
        """Name what the metric is held to."""
        question = self._stream.question
        if self._stream.is_limit:
            return f"the limit of {number(question.limit, self._own)}"
        return f"the margin of {number(question.margin, self._effect)}"

    def _change(self, picture: Picture) -> str:
        """Say how the candidate differs from the baseline, with interval and numbers of observations."""
        counts = f"n = {picture.b_n} against {picture.a_n}"
        new = number(picture.b_value, self._own)
        if self._stream.is_limit:
            return f"{self._name} is {new} {_range(picture, self._effect)} at n = {picture.b_n}"
        old = number(picture.a_value, self._own)
        if picture.estimate is None:
            return f"{self._name} is {new} against {old}, at {counts}"
        if picture.estimate == 0:
            return f"{self._name} is unchanged {_range(picture, self._effect)} ({new} against {old}), at {counts}"
        way = "up" if picture.estimate > 0 else "down"
        size = number(abs(picture.estimate), self._effect)
        return f"{self._name} is {way} {size} {_range(picture, self._effect)} ({new} against {old}), at {counts}"

    def reason(self, ruling: Ruling, picture: Picture, segment: str | None, more: int | None) -> str:
        """Say what was found, in one sentence."""
        where = f"{segment}: " if segment else ""
        if picture.note:
            counts = f"n = {picture.b_n} against {picture.a_n}"
            return f"{where}{self._name} cannot be judged: {picture.note} ({counts})"
        said = where + self._change(picture)
        if not self._stream.judged:
            return f"{said}; watched, never decides"
        if ruling is Ruling.FAIL:
            return f"{said}; worse than {self._bound} allows"
        if ruling is Ruling.PASS:
            return f"{said}; proven within {self._bound}"
        if self._stream.question.proof_margin is None and not self._stream.is_limit:
            return f"{said}; a margin of 0 cannot be proven: give a margin, or `detect` beside it"
        tail = f", about {more} more samples needed" if more else ""
        return f"{said}; not yet decided against {self._bound}{tail}"

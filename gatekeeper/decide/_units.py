"""The units people write in a policy: durations, shares of traffic, margins. Decimal inside, so that 0.7pp is 0.007."""

from __future__ import annotations

import re
from decimal import Decimal

from gatekeeper.model.policy import Margin, MarginUnit

_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)([smhd])")
_PERCENT = re.compile(r"(\d{1,12}(?:\.\d{1,12})?) ?%")
_POINTS = re.compile(r"(\d{1,12}(?:\.\d{1,12})?) ?pp")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_HUNDRED = Decimal(100)


def duration_s(text: str) -> float:
    """Read `30s`, `5m`, `2h` or `1d` as seconds.

    Raises:
        ValueError: it has another shape; the message says what was expected.
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"found {text!r}, expected a duration, such as 30s, 5m, 2h or 1d")
    return float(Decimal(match[1]) * _SECONDS[match[2]])


def share_bp(text: str) -> int:
    """Read a share of traffic, `20%`, as basis points: 1 to 10,000.

    Raises:
        ValueError: it has another shape, is out of range, or is finer than a basis point.
    """
    match = _PERCENT.fullmatch(text)
    percent = Decimal(match[1]) if match else None
    if percent is None or not 0 < percent <= _HUNDRED:
        raise ValueError(f"found {text!r}, expected a share of traffic above 0% and at most 100%, such as 20%")
    bp = percent * 100
    if bp != bp.to_integral_value():
        raise ValueError(f"found {text!r}, expected a share in steps of 0.01%")
    return int(bp)


def margin(value: float | str, *, increase: bool) -> Margin:
    """Read `1pp` or a bare number as absolute and `10%` as relative to the baseline.

    Raises:
        ValueError: it has another shape or is negative.
    """
    if isinstance(value, str):
        if match := _POINTS.fullmatch(value):
            return Margin(value=float(Decimal(match[1]) / _HUNDRED), unit=MarginUnit.ABSOLUTE, increase=increase)
        if match := _PERCENT.fullmatch(value):
            return Margin(value=float(Decimal(match[1]) / _HUNDRED), unit=MarginUnit.RELATIVE, increase=increase)
    elif value >= 0:
        return Margin(value=float(value), unit=MarginUnit.ABSOLUTE, increase=increase)
    raise ValueError(f"found {value!r}, expected a margin of zero or more, such as 1pp, 10% or 25")


def in_points(value: float | str) -> bool:
    """Tell whether a margin is written in percentage points."""
    return isinstance(value, str) and _POINTS.fullmatch(value) is not None


def limit(value: float | str) -> float:
    """Read `2%` as 0.02 and a number as itself.

    Raises:
        ValueError: it is text of another shape.
    """
    if not isinstance(value, str):
        return float(value)
    match = _PERCENT.fullmatch(value)
    if match is None:
        raise ValueError(f"found {value!r}, expected an absolute bound, such as 2% or 1500")
    return float(Decimal(match[1]) / _HUNDRED)

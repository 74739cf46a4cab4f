"""Measured values become numbers; what no measurement can be is refused, with its place."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from gatekeeper.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

Where = Callable[[int], str]
"""Names the place of a row, counted from 0: a file's line, or a row's number."""

NUMBERS = ("latency_ms", "ttft_ms", "tpot_ms", "prompt_tokens", "completion_tokens", "cost_usd")
"""Fields that cannot be negative."""

_PLAIN = {float, int, bool, type(None)}


def numbers(name: str, values: list[Any], where: Where) -> NDArray[np.float64]:
    """Return one field's values, nan where missing; any may be of any type.

    Raises:
        InputError: a value that is no number or that the field cannot have, with its place.
    """
    if not set(map(type, values)) <= _PLAIN:
        _refuse_other_types(name, values, where)
    return plain_numbers(name, values, where)


def plain_numbers(name: str, values: list[Any], where: Where) -> NDArray[np.float64]:
    """Return one field's values, nan where missing; each is known to be a number, a boolean or None.

    Raises:
        InputError: a value that the field cannot have, with its place.
    """
    try:
        column = np.array(values, np.float64)
    except OverflowError:
        column = np.array([np.inf if value is not None and abs(value) > 1e300 else value for value in values], float)  # noqa: PLR2004 - what a double cannot hold
    wrong = np.isnan(column)
    if bool(wrong.any()):
        wrong &= np.array([value is not None for value in values], np.bool_)
    check_values(name, column, wrong, where)
    return column


def _refuse_other_types(name: str, values: list[Any], where: Where) -> None:
    """Let numpy's numbers pass beside Python's."""
    for row, value in enumerate(values):
        if not isinstance(value, float | int | None | np.floating | np.integer | np.bool_):
            raise InputError(f"{where(row)}: {name} is {value!r}; expected a number, a boolean or null")


def check_values(name: str, values: NDArray[np.float64], wrong: NDArray[np.bool_], where: Where) -> None:
    """Refuse what no measurement can be; wrong: rows already known to be so.

    Raises:
        InputError: the first such value, with its place.
    """
    bad = wrong | np.isinf(values)
    share = np.zeros(len(values), np.bool_)
    if name in NUMBERS:
        bad |= values < 0
    elif not name.startswith("extra.") and name != "error":
        share = (values != 0) & (values != 1) & ~np.isnan(values)
        bad |= share
    if not bool(bad.any()):
        return
    row = int(np.argmax(bad))
    expected = "a finite number, 0 or more" if name in NUMBERS else "true, false or null" if share[row] else "finite"
    raise InputError(f"{where(row)}: {name} is {values[row]:g}; expected {expected}")


def error_flags(errors: list[Any]) -> NDArray[np.bool_]:
    """Tell which rows failed: those whose `error` says anything but null or false (nan is null in a frame's rows)."""
    n = len(errors)
    if errors.count(None) == n:
        return np.zeros(n, np.bool_)
    flags = np.array([error is not None and error is not False for error in errors], np.bool_)
    for row in np.flatnonzero(flags).tolist():
        flags[row] = errors[row] != False and errors[row] == errors[row]  # noqa: E712 - numpy's False, and nan
    return flags

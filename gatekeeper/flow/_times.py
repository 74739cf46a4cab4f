"""Times as people and machines write them become unix seconds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from gatekeeper.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gatekeeper.flow._values import Where

EXPECTED = "expected unix seconds or RFC 3339, as 2026-01-01T00:00:00Z"
_SHORTEST, _LONGEST = len("2026-01-01T00:00:00Z"), len("2026-01-01T00:00:00.000000Z")


def times(values: list[Any], where: Where) -> NDArray[np.float64]:
    """Return unix seconds; nan where none is told.

    Raises:
        InputError: a time that cannot be read, with its place.
    """
    kinds = set(map(type, values))
    if kinds == {str}:
        read = _zulu(values)
        if read is not None:
            return read
    if not kinds <= {float, int, type(None)}:
        values = [_seconds(value, row, where) for row, value in enumerate(values)]
    return finite(np.array(values, np.float64), where)


def finite(seconds: NDArray[np.float64], where: Where) -> NDArray[np.float64]:
    """Return the times, none of them infinite.

    Raises:
        InputError: one that is, with its place.
    """
    endless = np.isinf(seconds)
    if bool(endless.any()):
        raise InputError(f"{where(int(np.argmax(endless)))}: ts is infinite; {EXPECTED}")
    return seconds


def _zulu(texts: list[str]) -> NDArray[np.float64] | None:
    """Read times that all end in Z, many at once; None where they are written otherwise."""
    if not all(_SHORTEST <= len(text) <= _LONGEST and text[-1] == "Z" for text in texts):
        return None
    try:
        moments = np.array([text[:-1] for text in texts], "datetime64[us]")
    except ValueError:
        return None
    return np.asarray(moments.astype(np.int64) / 1e6)


def _seconds(value: Any, row: int, where: Where) -> float | None:  # noqa: ANN401 - whatever came
    """Read one time; one without an offset is UTC."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise InputError(f"{where(row)}: ts is {value!r}; {EXPECTED}") from None
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    if value is None or (isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)):
        return value  # type: ignore[return-value]  # numpy's numbers become Python's in the array
    raise InputError(f"{where(row)}: ts is {value!r}; {EXPECTED}")

"""Recorded samples of any origin become columns, checked: what cannot be, is named with its place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from gatekeeper.decide.columns import ARMS, Columns, cluster_code, encode, segment_label
from gatekeeper.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

Where = Callable[[int], str]
"""Names the place of a row, counted from 0: a file's line, or a row's number."""

NUMBERS = ("latency_ms", "ttft_ms", "tpot_ms", "prompt_tokens", "completion_tokens", "cost_usd")
"""Fields that cannot be negative."""

IDENTITY: list[tuple[str, Any, Any]] = [
    ("arm", str, msgspec.NODEFAULT),
    ("ts", float | str | None, None),
    ("request_id", str | int | None, None),
    ("pair_id", str | int | None, None),
    ("cluster_id", str | int | None, None),
    ("segment", str | dict[str, str | None] | None, None),
    ("error", bool | str | dict[str, Any] | None, None),
]
"""What is read of every sample, whatever is asked of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Say what is read: the sample's fields and the keys of its segment object."""

    fields: tuple[str, ...]
    keys: tuple[str, ...]

    def row_type(self) -> type[msgspec.Struct]:
        """Return the type that one sample is read into; other keys are skipped."""
        fields = [(name, float | bool | None, None) for name in self.fields if name in NUMBERS or "." not in name]
        fields = [item for item in fields if item[0] != "error"]
        if any(name.startswith("extra.") for name in self.fields):
            fields.append(("extra", dict[str, Any] | None, None))
        return msgspec.defstruct("Row", [*IDENTITY, *fields], gc=False)


@dataclass(slots=True, kw_only=True)
class Part:
    """Hold some rows as columns, with the ids by which repeats are found."""

    columns: Columns
    requests: list[Any]
    pairs: list[Any]


def from_rows(rows: Sequence[Any], wanted: Wanted, where: Where) -> Part:
    """Turn rows (structs or samples) into checked columns; pair codes are set when all parts are joined.

    Raises:
        InputError: an unknown arm, a time that cannot be read, a number that is negative or not finite.
    """
    codes = {arm.value: code for code, arm in enumerate(ARMS)}
    arm = np.array([codes.get(row.arm, -1) for row in rows], np.int8)
    if bool((arm < 0).any()):
        bad = int(np.argmax(arm < 0))
        raise InputError(f"{where(bad)}: arm is {rows[bad].arm!r}; expected {', '.join(codes)}")
    segments = [row.segment for row in rows] if wanted.keys else []
    columns = Columns(
        ts=_times([row.ts for row in rows], where),
        arm=arm,
        pair=np.full(len(rows), -1, np.int64),
        cluster=clusters([row.cluster_id for row in rows]),
        errored=np.array([row.error not in (None, False) for row in rows], np.bool_),
        values={name: _column(rows, name, where) for name in wanted.fields},
        segments={key: encode(segment_label(key, segment) for segment in segments) for key in wanted.keys},
    )
    return Part(columns=columns, requests=[row.request_id for row in rows], pairs=[row.pair_id for row in rows])


def clusters(ids: Sequence[Any]) -> NDArray[np.int64]:
    """Return the clusters' codes, each worked out once."""
    known: dict[Any, int] = {None: -1}
    for one in set(ids):
        if one is not None:
            known[one] = cluster_code(str(one))
    return np.array([known[one] for one in ids], np.int64)


def _times(values: list[Any], where: Where) -> NDArray[np.float64]:
    """Return unix seconds; nan where none is told."""
    if any(isinstance(value, str) for value in values):
        values = [_seconds(value, i, where) if isinstance(value, str) else value for i, value in enumerate(values)]
    times = np.array([np.nan if value is None else value for value in values], np.float64)
    if bool(np.isinf(times).any()):
        raise InputError(f"{where(int(np.argmax(np.isinf(times))))}: ts is infinite; expected unix seconds or RFC 3339")
    return times


def _seconds(text: str, row: int, where: Where) -> float:
    """Read an RFC 3339 time; one without an offset is UTC."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        message = f"{where(row)}: ts is {text!r}; expected unix seconds or RFC 3339, as 2026-01-01T00:00:00Z"
        raise InputError(message) from None
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()


def _column(rows: Sequence[Any], name: str, where: Where) -> NDArray[np.float64]:
    """Return one field's values, nan where missing."""
    if name == "error":
        return np.array([row.error not in (None, False) for row in rows], np.float64)
    if name.startswith("extra."):
        key = name.removeprefix("extra.")
        got = [row.extra.get(key) if row.extra else None for row in rows]
    else:
        got = [getattr(row, name) for row in rows]
    try:
        values = np.array([np.nan if value is None else value for value in got], np.float64)
    except (TypeError, ValueError):
        bad = next(i for i, value in enumerate(got) if not isinstance(value, int | float | None))
        raise InputError(f"{where(bad)}: {name} is {got[bad]!r}; expected a number, a boolean or null") from None
    wrong = np.isnan(values)
    if bool(wrong.any()):
        wrong &= np.array([value is not None for value in got], np.bool_)
    check_values(name, values, wrong, where)
    return values


def check_values(name: str, values: NDArray[np.float64], wrong: NDArray[np.bool_], where: Where) -> None:
    """Refuse what no measurement can be; wrong: rows already known to be so.

    Raises:
        InputError: the first such value, with its place.
    """
    wrong = wrong | np.isinf(values)
    negative = values < 0 if name in NUMBERS else np.zeros(len(values), np.bool_)
    share = np.zeros(len(values), np.bool_)
    if name not in NUMBERS and not name.startswith("extra.") and name != "error":
        share = ~np.isnan(values) & (values != 0) & (values != 1)
    bad = wrong | negative | share
    if not bool(bad.any()):
        return
    row = int(np.argmax(bad))
    expected = "a finite number, 0 or more" if name in NUMBERS else "true, false or null" if share[row] else "finite"
    raise InputError(f"{where(row)}: {name} is {values[row]:g}; expected {expected}")

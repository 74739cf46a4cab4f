"""Recorded samples become columns, checked: what cannot be, is named with its place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from gatekeeper.decide.columns import ARMS, Columns
from gatekeeper.errors import InputError
from gatekeeper.flow._ids import id_codes
from gatekeeper.flow._times import times
from gatekeeper.flow._values import Where, error_flags, numbers, plain_numbers

if TYPE_CHECKING:
    from gatekeeper.flow._labels import Labels

CODES = {arm.value: code for code, arm in enumerate(ARMS)}
"""Arms by name, with their code."""

IDENTITY: list[tuple[str, Any, Any]] = [
    ("arm", str, msgspec.NODEFAULT),
    ("ts", float | str | None, None),
    ("request_id", str | int | None, None),
    ("pair_id", str | int | None, None),
    ("cluster_id", str | int | None, None),
    ("error", bool | str | dict[str, Any] | None, None),
]
"""What is read of every sample, whatever is asked of it."""

Read = Callable[[Sequence[Any]], list[Any]]

READ: dict[str, Read] = {
    "arm": lambda rows: [row.arm for row in rows],
    "ts": lambda rows: [row.ts for row in rows],
    "request_id": lambda rows: [row.request_id for row in rows],
    "pair_id": lambda rows: [row.pair_id for row in rows],
    "cluster_id": lambda rows: [row.cluster_id for row in rows],
    "segment": lambda rows: [row.segment for row in rows],
    "error": lambda rows: [row.error for row in rows],
    "extra": lambda rows: [row.extra for row in rows],
    "latency_ms": lambda rows: [row.latency_ms for row in rows],
    "ttft_ms": lambda rows: [row.ttft_ms for row in rows],
    "tpot_ms": lambda rows: [row.tpot_ms for row in rows],
    "prompt_tokens": lambda rows: [row.prompt_tokens for row in rows],
    "completion_tokens": lambda rows: [row.completion_tokens for row in rows],
    "cost_usd": lambda rows: [row.cost_usd for row in rows],
    "refused": lambda rows: [row.refused for row in rows],
    "json_valid": lambda rows: [row.json_valid for row in rows],
    "tool_call_valid": lambda rows: [row.tool_call_valid for row in rows],
    "task_success": lambda rows: [row.task_success for row in rows],
    "policy_violation": lambda rows: [row.policy_violation for row in rows],
    "degenerate": lambda rows: [row.degenerate for row in rows],
}
"""An attribute of many rows. An attribute that is spelled out is read three times as fast as through a getter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Say what is read: the sample's fields and the keys of its segment object, at least one."""

    fields: tuple[str, ...]
    keys: tuple[str, ...]

    def row_type(self) -> type[msgspec.Struct]:
        """Return the type that one sample is read into; other keys are skipped."""
        fields = [*IDENTITY]
        fields.append(("segment", str | _segment_type(self.keys) | None, None))
        fields += [(name, float | bool | None, None) for name in self.fields if name != "error" and "." not in name]
        if self.has_extra:
            fields.append(("extra", dict[str, Any] | None, None))
        return msgspec.defstruct("Row", fields, gc=False)

    @property
    def has_extra(self) -> bool:
        """Tell whether custom metrics are read."""
        return any(name.startswith("extra.") for name in self.fields)

    @property
    def read(self) -> tuple[str, ...]:
        """Name what is read of a row."""
        own = (name for name in self.fields if name != "error" and "." not in name)
        return (*(name for name, _, _ in IDENTITY), "segment", *own, *(("extra",) if self.has_extra else ()))


def _segment_type(keys: Sequence[str]) -> Any:  # noqa: ANN401 - a type made at run time
    """Return a type with one field for each wanted key, whatever its name; it can be a dict's key."""
    names = [f"key_{place}" for place in range(len(keys))]
    got = attrgetter(*names)

    def by_key(self: Any) -> dict[str, str | None]:  # noqa: ANN401 - as above
        values = got(self)
        return dict(zip(keys, values if len(names) > 1 else (values,), strict=True))

    return msgspec.defstruct(
        "Segment",
        [(name, str | None, None) for name in names],
        rename=dict(zip(names, keys, strict=True)),
        namespace={"by_key": by_key},
        frozen=True,
        gc=False,
    )


@dataclass(slots=True, kw_only=True)
class Part:
    """Hold some rows as columns, with the codes of their request_ids, by which repeats are found (-1 is none)."""

    columns: Columns
    requests: NDArray[np.int64]


def from_rows(rows: Sequence[Any], wanted: Wanted, labels: Labels, where: Where) -> Part:
    """Turn rows of `Wanted.row_type` into checked columns.

    Raises:
        InputError: an unknown arm, a time that cannot be read, a number that is negative or not finite.
    """
    return _from_lists({name: READ[name](rows) for name in wanted.read}, wanted, labels, where, plain_numbers)


def from_samples(rows: Sequence[Any], wanted: Wanted, labels: Labels, where: Where) -> Part:
    """Turn samples into checked columns.

    Raises:
        InputError: as `from_rows`.
    """
    got = {name: READ[name](rows) for name in wanted.read}
    got["segment"] = _hashable(got["segment"], where)
    return _from_lists(got, wanted, labels, where, numbers)


def from_mappings(rows: Sequence[Mapping[str, Any]], wanted: Wanted, labels: Labels, where: Where) -> Part:
    """Turn mappings into checked columns.

    Raises:
        InputError: as `from_rows`, and a value of another type than its field's.
    """
    got = {name: [row.get(name) for row in rows] for name in wanted.read}
    got["segment"] = _hashable(got["segment"], where)
    return _from_lists(got, wanted, labels, where, numbers)


def _hashable(segments: list[Any], where: Where) -> list[Any]:
    """Return the segments with mappings as pairs."""
    pairs = [tuple(one.items()) if isinstance(one, Mapping) else one for one in segments]
    for row, one in enumerate(pairs):
        plain = one is None or isinstance(one, str)
        if not plain and not (isinstance(one, tuple) and all(isinstance(v, str | None) for _, v in one)):
            raise InputError(f"{where(row)}: segment is {segments[row]!r}; expected a string or an object of strings")
    return pairs


def _from_lists(
    got: dict[str, list[Any]],
    wanted: Wanted,
    labels: Labels,
    where: Where,
    read: Callable[[str, list[Any], Where], NDArray[np.float64]],
) -> Part:
    """Turn lists of equal length, by name, into checked columns; read: makes numbers of a field's list."""
    arm = _arms(got["arm"], where)
    errored = error_flags(got["error"])
    values = {}
    for name in wanted.fields:
        if name == "error":
            values[name] = errored.astype(np.float64)
        elif name.startswith("extra."):
            key = name.removeprefix("extra.")
            values[name] = numbers(name, [extra.get(key) if extra else None for extra in got["extra"]], where)
        else:
            values[name] = read(name, got[name], where)
    columns = Columns(
        ts=times(got["ts"], where),
        arm=arm,
        pair=id_codes(got["pair_id"]),
        cluster=id_codes(got["cluster_id"]),
        errored=errored,
        values=values,
        segments=labels.coded(got["segment"]),
    )
    return Part(columns=columns, requests=id_codes(got["request_id"]))


def _arms(names: list[Any], where: Where) -> NDArray[np.int8]:
    """Return the arms' codes."""
    try:
        return np.fromiter(map(CODES.__getitem__, names), np.int8, len(names))
    except (KeyError, TypeError):
        bad = next(row for row, name in enumerate(names) if not isinstance(name, str) or name not in CODES)
        raise InputError(f"{where(bad)}: arm is {names[bad]!r}; expected {', '.join(CODES)}") from None

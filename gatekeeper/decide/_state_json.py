"""Tests' states as JSON, exactly: the numbers of all of them in one text, also those that JSON has no words for.

States of one form, with the same names and kinds of numbers, are kept by column: what stands under a name in all of
them lies side by side. Whole numbers, which histograms and counts are, take as many bytes as they need; those of an
array of integers are told by their steps. That is as small as compressing them, and many times faster.
"""

from __future__ import annotations

import base64
import math
import sys
from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gatekeeper.stats import State

    Array = np.ndarray[Any, Any]
    Names = tuple[tuple[str, Any], ...]

NARROW = (("<u1", 1 << 8), ("<u2", 1 << 16), ("<u4", 1 << 32))
"""Types for whole numbers, each with the first number too large for it."""

_NUMBERS = ((float, "<f8"), (int, "<i8"))
_PLAIN = {float, int}
_LITTLE = sys.byteorder == "little"


def to_json(states: Sequence[State]) -> dict[str, Any]:
    """Write states: `content` holds all numbers' bytes (little-endian, base64), `forms` says where they belong."""
    content: list[memoryview] = []
    groups: dict[Names, list[int]] = defaultdict(list)
    for i, state in enumerate(states):
        groups[_names(state)].append(i)
    forms = [
        {
            "states": members,
            "columns": [
                {"name": list(path)} | _column(values, content)
                for path, values in _columns([states[i] for i in members], names, ())
            ],
        }
        for names, members in groups.items()
    ]
    return {"content": base64.b64encode(b"".join(content)).decode("ascii"), "forms": forms}


def _names(state: State) -> Names:
    """Return a state's names, those of a mapping in it with its own."""
    return tuple(
        [
            (
                name,
                _names(value) if type(value) is dict else None,
            )  # a test of the type is quicker, and nothing else comes
            for name, value in state.items()
        ]
    )


def _columns(
    states: Sequence[State], names: Names, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], list[Any]]]:
    """Return what stands under each name in all states, with the names that lead there."""
    for name, inner in names:
        values = [state[name] for state in states]
        if inner is None:
            yield (*path, name), values
        else:
            yield from _columns(values, inner, (*path, name))


def _column(values: list[Any], content: list[memoryview]) -> dict[str, Any]:
    """Describe what stands under one name in all states of a form, and add its bytes."""
    kinds = set(map(type, values))
    if kinds == {np.ndarray} and len({value.dtype for value in values}) == 1:
        shapes = [value.shape for value in values]
        flat = np.concatenate(values, axis=None)
        if shapes.count(shapes[0]) == len(shapes):
            shape, sizes = {"shape": list(shapes[0])}, np.full(len(values), values[0].size)
        else:
            shape, sizes = {"shapes": list(map(list, shapes))}, np.array([value.size for value in values])
        return {"type": flat.dtype.str} | shape | _packed(flat, sizes, content)
    if not kinds <= _PLAIN:
        values = [value.item() if isinstance(value, np.generic) else value for value in values]
        kinds = set(map(type, values))
    for kind, name in _NUMBERS:
        if kinds == {kind}:
            return {"type": kind.__name__} | _packed(np.array(values, name), np.ones(len(values), np.int64), content)
    if len(values) > 1 and np.ndarray in kinds:
        return {"each": [_column([value], content) for value in values]}
    return {"plain": values}


def _packed(flat: Array, sizes: Array, content: list[memoryview]) -> dict[str, Any]:
    """Add numbers' bytes; sizes: how many each state has.

    `as` says that each state's are kept as narrower numbers, by their places in NARROW, one type after the other;
    `first`: as steps from those.
    """
    how: dict[str, Any] = {}
    filled = np.flatnonzero(sizes)
    if len(filled) and _whole(flat):
        starts, kept = _starts(sizes)[filled], flat
        if flat.dtype.kind == "i":
            kept = np.diff(flat, prepend=0)
            kept[starts] = 0
            how = {"first": flat[starts].tolist()}
        most = np.zeros(len(sizes), flat.dtype)
        most[filled] = np.maximum.reduceat(kept, starts)
        if most.max() < NARROW[-1][1] and not np.signbit(kept).any():
            types = np.searchsorted([end for _, end in NARROW], most, side="right")
            content += [kept[rows].astype(NARROW[number][0]).data for number, rows in _by_type(types, sizes)]
            return how | {"as": types.tolist()}
    content.append((flat if flat.dtype.isnative and _LITTLE else flat.astype(flat.dtype.newbyteorder("<"))).data)
    return {}


def _whole(flat: Array) -> bool:
    """Tell whether all are whole numbers that are not too large to tell."""
    if flat.dtype.kind != "f":
        return bool(flat.dtype.kind == "i")
    return float(flat[-1]).is_integer() and bool((np.floor(flat) == flat).all())


def _starts(sizes: Array) -> Array:
    """Return where each part of these sizes begins, and where the last ends."""
    starts = np.zeros(len(sizes) + 1, np.int64)
    np.cumsum(sizes, out=starts[1:])
    return starts


def _by_type(types: Array, sizes: Array) -> Iterator[tuple[int, Array | slice]]:
    """Return the places of the numbers that are kept in each type; types: of each state's."""
    used = np.unique(types).tolist()
    if len(used) == 1:
        yield used[0], slice(None)
        return
    each = np.repeat(types, sizes)
    for number in used:
        yield number, each == number


def from_json(plain: dict[str, Any]) -> list[State]:
    """Read what `to_json` wrote."""
    content, start = base64.b64decode(plain["content"]), 0
    found: dict[int, State] = {}
    for form in plain["forms"]:
        states: list[State] = [{} for _ in form["states"]]
        for column in form["columns"]:
            values, start = _values(column, len(states), content, start)
            for state, value in zip(_inner(states, column["name"][:-1]), values, strict=True):
                state[column["name"][-1]] = value
        found |= zip(form["states"], states, strict=True)
    return [found[i] for i in range(len(found))]


def _inner(states: Sequence[State], path: Sequence[str]) -> Sequence[State]:
    """Return the mappings that names lead to, made where they are not there yet."""
    for name in path:
        states = [state.setdefault(name, {}) for state in states]
    return states


def _values(column: dict[str, Any], count: int, content: bytes, start: int) -> tuple[list[Any], int]:
    """Return what stands under a name in `count` states, and where the next column's bytes begin."""
    if "plain" in column:
        return column["plain"], start
    if "each" in column:
        found = []
        for one in column["each"]:
            (value,), start = _values(one, 1, content, start)
            found.append(value)
        return found, start
    plain = {kind.__name__: name for kind, name in _NUMBERS}
    scalar, kind = column["type"] in plain, np.dtype(plain.get(column["type"], column["type"]))
    shapes = column.get("shapes")
    if shapes is None:
        sizes = np.full(count, 1 if scalar else math.prod(column["shape"]))
    else:
        sizes = np.array([math.prod(shape) for shape in shapes])
    cuts = _starts(sizes)
    flat = np.empty(cuts[-1], kind.newbyteorder("="))
    if "as" not in column:
        flat[:] = np.frombuffer(content, kind, len(flat), start)
        start += flat.nbytes
    else:
        for number, rows in _by_type(np.array(column["as"]), sizes):
            part = flat[rows]
            kept = np.frombuffer(content, NARROW[number][0], len(part), start)
            flat[rows] = kept
            start += kept.nbytes
    if "first" in column:
        filled = np.flatnonzero(sizes)
        total = np.cumsum(flat)
        flat = total + np.repeat(np.array(column["first"], np.int64) - total[cuts[filled]], sizes[filled])
    if scalar:
        return flat.tolist(), start
    if shapes is None:
        return list(flat.reshape(count, *column["shape"])), start
    parts = pairwise(cuts.tolist())
    return [flat[a:b].reshape(shape) for (a, b), shape in zip(parts, shapes, strict=True)], start

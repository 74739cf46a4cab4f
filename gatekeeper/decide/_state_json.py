"""A test's state as JSON, exactly: its arrays' bytes in one text, also what JSON has no numbers for.

Whole numbers, which histograms and counts are, take as many bytes as they need; ascending ones are told by their steps.
That is as small as compressing them, and many times faster.
"""

from __future__ import annotations

import base64
import math
import sys
import zlib
from functools import cache
from typing import Any

import numpy as np

MARK = "__array__"
"""The key that tells an array from a mapping; its value is the array's type."""

PACKED = "__packed__"
"""The key of all arrays' bytes, one after the other, beside the `form` that says where they belong."""

LEAST_BYTES = 256
"""Smaller arrays are kept as they are."""

NARROW = (("|u1", 1 << 8), ("<u2", 1 << 16), ("<u4", 1 << 32))
"""Types for whole numbers, each with the first number too large for it."""

_LITTLE = sys.byteorder == "little"


def to_json(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Write a state: arrays become bytes (little-endian, base64) in one text, with their types and shapes."""
    content: list[bytes] = []
    form = _form(value, content)
    return {PACKED: base64.b64encode(b"".join(content)).decode(), "form": form} if content else form


def _form(value: Any, content: list[bytes]) -> Any:  # noqa: ANN401 - any JSON value
    """Return a value with each array replaced by its type and shape, and add its bytes."""
    if isinstance(value, np.ndarray):
        return _array(value, content)
    if isinstance(value, dict):
        return {key: _form(item, content) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_form(item, content) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return _array(np.array(value), content)
    return value


def _array(value: np.ndarray, content: list[bytes]) -> dict[str, Any]:
    """Describe an array; `as` and `from` say that it is kept as narrower numbers, or as steps from its first one."""
    plain = value if value.dtype.isnative and _LITTLE else value.astype(value.dtype.newbyteorder("<"))
    form = {MARK: plain.dtype.str, "shape": list(value.shape)}
    if plain.nbytes >= LEAST_BYTES:
        narrow, how = _narrow(plain.ravel())
        if narrow is not None:
            content.append(narrow.tobytes())
            return form | how
    content.append(plain.tobytes())
    return form


def _narrow(flat: np.ndarray) -> tuple[np.ndarray | None, dict[str, Any]]:
    """Return an array as narrow numbers, and how to read them; None where that cannot be done."""
    steps, how = flat, {}
    if flat.dtype.kind == "i":
        steps, how = np.zeros_like(flat), {"from": int(flat[0])}
        np.subtract(flat[1:], flat[:-1], out=steps[1:])
    elif flat.dtype.kind != "f" or not float(flat[-1]).is_integer():
        return None, {}
    most = steps.max()
    kind = next((name for name, end in NARROW if most < end), None)
    if kind is None or np.signbit(steps).any():
        return None, {}
    narrow = steps.astype(kind)
    return (narrow, {"as": kind} | how) if how or bool((narrow == steps).all()) else (None, {})


def from_json(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Read what `to_json` wrote; an array without dimensions was a number. Each array's bytes may also be in it."""
    if isinstance(value, dict) and PACKED in value:
        return _filled(value["form"], [0], base64.b64decode(value[PACKED]))
    return _filled(value, [0], b"")


def _filled(form: Any, start: list[int], content: bytes) -> Any:  # noqa: ANN401 - any JSON value
    """Put arrays back; start: where the next one's bytes begin, moved on."""
    if isinstance(form, list):
        return [_filled(item, start, content) for item in form]
    if not isinstance(form, dict):
        return form
    if MARK not in form:
        return {key: _filled(item, start, content) for key, item in form.items()}
    shape, size = form["shape"], math.prod(form["shape"])
    kind, native = _kinds(form[MARK])
    if "bytes" in form or "zlib" in form:
        own = base64.b64decode(form["bytes"]) if "bytes" in form else zlib.decompress(base64.b64decode(form["zlib"]))
        flat = np.frombuffer(own, kind)
    else:
        kept = _kinds(form["as"])[0] if "as" in form else kind
        flat = np.frombuffer(content, kept, size, start[0])
        start[0] += size * kept.itemsize
    array = flat.astype(native)
    if "from" in form:
        np.cumsum(array, out=array)
        array += form["from"]
    return array.reshape(shape) if shape else array.item()


@cache
def _kinds(name: str) -> tuple[np.dtype[Any], np.dtype[Any]]:
    """Return a type as it is kept, and as this machine has it."""
    kept = np.dtype(name)
    return kept, kept.newbyteorder("=")

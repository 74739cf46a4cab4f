"""A test's state as JSON, exactly: arrays with their kind and shape, also what JSON has no numbers for."""

from __future__ import annotations

import base64
import zlib
from typing import Any

import numpy as np

MARK = "__array__"
"""The key that tells an array from a mapping."""

LEAST_BYTES = 256
"""Smaller arrays are not worth compressing."""


def to_json(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Write a state: an array becomes its bytes (little-endian, base64), with its kind and shape.

    Whole numbers, which histograms and counts are, are compressed; fractions gain nothing by it.
    """
    if isinstance(value, dict):
        return {key: to_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    if isinstance(value, np.ndarray):
        return _array(value)
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return _array(np.array(value))
    return value


def _array(value: np.ndarray) -> dict[str, Any]:
    plain = np.ascontiguousarray(value, value.dtype.newbyteorder("<"))
    content, key = plain.tobytes(), "bytes"
    if len(content) >= LEAST_BYTES and (plain.dtype.kind != "f" or bool((np.floor(plain) == plain).all())):
        content, key = zlib.compress(content, 1), "zlib"
    return {MARK: plain.dtype.str, "shape": list(value.shape), key: base64.b64encode(content).decode()}


def from_json(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Read what `to_json` wrote; an array without dimensions was a number."""
    if isinstance(value, list):
        return [from_json(item) for item in value]
    if not isinstance(value, dict):
        return value
    if MARK not in value:
        return {key: from_json(item) for key, item in value.items()}
    packed = "zlib" in value
    content = base64.b64decode(value["zlib" if packed else "bytes"])
    flat = np.frombuffer(zlib.decompress(content) if packed else content, np.dtype(value[MARK]))
    array = flat.reshape(value["shape"]).astype(flat.dtype.newbyteorder("="))
    return array if value["shape"] else array.item()

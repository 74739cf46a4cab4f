"""What the gateway reads of a request's body, and the one value that it changes in it."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import msgspec

from gatekeeper.gateway.http import Refusal

_MODEL = re.compile(rb'"model"[ \t\r\n]*:[ \t\r\n]*"((?:[^"\\]|\\.)*)"')


class Facts(msgspec.Struct):
    """Hold the members of a request's JSON object that decide where it goes."""

    model: str | None = None
    user: Any = None
    stream: Any = None
    stream_options: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class _Rest(Facts):
    """Hold what the rest of a body says; its model stays UNSET where no other is named."""

    model: Any = msgspec.UNSET


decode_rest = msgspec.json.Decoder(_Rest).decode
"""Reads an object whose model was left out; `model` is UNSET where it names none. Raises what msgspec raises."""
_decode = msgspec.json.Decoder(Facts).decode
_encode = msgspec.json.encode


def read_facts(body: bytes) -> Facts:
    """Read the body once, without building what is not needed.

    Raises:
        Refusal: 400, the body is not a JSON object in UTF-8, or its `model` is no string.
    """
    try:
        return _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise Refusal(400, f"the request's body is no JSON object this API knows: {exc}") from exc


def with_model(body: bytes, old: str, new: str) -> bytes:
    """Put `new` in place of the top-level "model" value `old`; every other byte stays as it was.

    A "model" may also stand deeper in the body: the one to change is the one whose change is seen at the top.

    Raises:
        Refusal: 400, the value is spelled in a way (an escaped key) in which it cannot be found.
    """
    if old == new:
        return body
    usual, changed = _usual(old, new)
    at = body.find(usual)
    plain = b"\\" not in body or b"\\u006" not in body  # the key "model" is nowhere spelled with an escape
    if plain and at >= 0 and body.find(b'"model"', at + 1) < 0:  # then it is the one at the top
        return body[:at] + changed + body[at + len(usual) :]
    only = body.count(b'"model"') == 1 and b"\\u" not in body
    value = _encode(new)[1:-1]
    if only and (found := _MODEL.search(body)) is not None:
        return body[: found.start(1)] + value + body[found.end(1) :]
    for found in _MODEL.finditer(body):
        changed = body[: found.start(1)] + value + body[found.end(1) :]
        if _decode(changed).model == new:
            return changed
    raise Refusal(400, "cannot find the value of 'model' in the request's body: write its key without escapes")


@lru_cache
def _usual(old: str, new: str) -> tuple[bytes, bytes]:
    """Return the member as most clients write it, and what it becomes."""
    return b'"model":' + _encode(old), b'"model":' + _encode(new)

"""Inbound webhook sources: one file each, named as the last part of its path, `POST /v1/hooks/NAME`.

A source is a module with three names, both functions pure (the clock and the secret are handed in):

    TAKES_KEYS: bool                     may an operator's API key stand for the source's own proof?
    verify(delivery, secret, now_s)      raises AccessError unless the delivery proves knowledge of the secret
    parse(delivery)                      returns its events; raises InputError when it cannot be understood
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol

from gatekeeper.errors import InputError

if TYPE_CHECKING:
    from gatekeeper.model.hook import Delivery, HookEvent

_DEEPEST = 32


class Source(Protocol):
    """Be one monitoring system's way of calling us."""

    TAKES_KEYS: bool

    def verify(self, delivery: Delivery, secret: str | None, now_s: float) -> None:
        """Accept a delivery that proves knowledge of `secret` (None: none is configured, so nothing can)."""

    def parse(self, delivery: Delivery) -> tuple[HookEvent, ...]:
        """Return what the delivery says, in its order."""


def read_object(body: bytes) -> dict[str, Any]:
    """Return a body's JSON object; NaN, Infinity and nesting deeper than 32 are refused.

    Raises:
        InputError: not UTF-8, not JSON, not an object, too deep, or with a number that JSON does not have.
    """
    try:
        plain = json.loads(body, parse_constant=_refuse)
    except (ValueError, RecursionError) as exc:
        raise InputError(f"the body is not JSON: {exc}") from exc
    if not isinstance(plain, dict):
        raise InputError(f"the body is a JSON {type(plain).__name__}, not an object")
    if _depth(plain) > _DEEPEST:
        raise InputError(f"the body is nested deeper than {_DEEPEST}")
    return plain


def text(plain: dict[str, Any], name: str) -> str:
    """Return a text field, "" when it is missing or null.

    Raises:
        InputError: the field is there and is no text.
    """
    value = plain.get(name)
    if value is not None and not isinstance(value, str):
        raise InputError(f"{name}: a text is expected, not a {type(value).__name__}")
    return value or ""


def _refuse(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")


def _depth(plain: object) -> int:
    deepest, layer = 0, [plain]
    while layer:
        deepest += 1
        layer = [
            inner
            for outer in layer
            for inner in (outer.values() if isinstance(outer, dict) else outer if isinstance(outer, list) else ())
        ]
    return deepest

"""What a request says of itself: whose it is, its class of traffic, what its answer should satisfy."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any

import msgspec

from gatekeeper.gateway.http import Refusal
from gatekeeper.gateway.override import Override

if TYPE_CHECKING:
    from gatekeeper.gateway.http import Headers, Request

_READ = frozenset(
    (
        b"authorization",
        b"x-gatekeeper-key",
        b"x-gatekeeper-session",
        b"x-gatekeeper-segment",
        b"x-gatekeeper-expect",
        b"x-gatekeeper-arm",
        b"x-gatekeeper-override-key",
    )
)


class Labels(msgspec.Struct, kw_only=True, frozen=True):
    """Hold what a request says of itself. key: the sticky one. override: an arm that was asked for, None for none."""

    key: str
    cluster_id: str | None = None
    segment: str | dict[str, str] | None = None
    expect: tuple[dict[str, Any], ...] = ()
    response_schema: dict[str, Any] | None = None
    override: Override | None = None


class Expected(msgspec.Struct):
    """Hold the decoded `x-gatekeeper-expect` header."""

    expect: tuple[dict[str, Any], ...] = ()
    response_schema: dict[str, Any] | None = None


class HeadLabels(msgspec.Struct, kw_only=True, frozen=True):
    """Hold the labels that a request's headers say, for every request with this head. api_key: hashed."""

    key: str | None
    session: str | None
    segment: str | dict[str, str] | None
    api_key: str | None
    expected: Expected
    override: Override | None


def read_labels(request: Request, user: str | None) -> Labels:
    """Read a request's labels. user: of its body.

    The sticky key is the first found of: the `x-gatekeeper-key` header, `user` in the body, the API key (as
    `sha256:` and the hexadecimal SHA-256 of the Authorization header's value), the client's address.

    Raises:
        Refusal: 400, `x-gatekeeper-expect` is not base64 of the JSON it should be.
    """
    said = request.head.labels
    if said is None:
        said = request.head.labels = _read_headers(request.headers)
    key = said.key or user or said.api_key or request.peer
    return Labels(
        key=key,
        cluster_id=said.session or user or key,
        segment=said.segment,
        expect=said.expected.expect,
        response_schema=said.expected.response_schema,
        override=said.override,
    )


def _read_headers(headers: Headers) -> HeadLabels:
    sent: dict[bytes, bytes] = {}
    for name, value in headers:
        lower = name.lower()
        if lower in _READ:
            sent.setdefault(lower, value)
    asked = sent.get(b"x-gatekeeper-arm")
    return HeadLabels(
        key=_text(sent.get(b"x-gatekeeper-key")),
        session=_text(sent.get(b"x-gatekeeper-session")),
        segment=_segment(_text(sent.get(b"x-gatekeeper-segment"))),
        api_key=_api_key(sent.get(b"authorization")),
        expected=_expected(sent.get(b"x-gatekeeper-expect")),
        override=Override(asked, sent.get(b"x-gatekeeper-override-key", b"")) if asked is not None else None,
    )


def _text(value: bytes | None) -> str | None:
    return value.decode("utf-8", "replace").strip() or None if value is not None else None


def _api_key(value: bytes | None) -> str | None:
    return f"sha256:{hashlib.sha256(value).hexdigest()}" if value else None


def _segment(text: str | None) -> str | dict[str, str] | None:
    """Read `word` as a segment, and `key=value,key=value` as an object of them."""
    if text is None or "=" not in text:
        return text
    pairs = (part.partition("=") for part in text.split(","))
    return {key.strip(): value.strip() for key, _, value in pairs if key.strip()}


def _expected(value: bytes | None) -> Expected:
    if value is None:
        return Expected()
    try:
        return msgspec.json.decode(base64.b64decode(value, validate=True), type=Expected)
    except (ValueError, msgspec.DecodeError) as exc:
        raise Refusal(
            400, f'x-gatekeeper-expect: expected base64 of {{"expect": [...], "response_schema": {{...}}}}: {exc}'
        ) from exc

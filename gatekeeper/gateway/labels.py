"""What a request says of itself: its id, whose it is, its class of traffic, what its answer should satisfy."""

from __future__ import annotations

import base64
import hashlib
import re
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from gatekeeper.gateway.http import Refusal

if TYPE_CHECKING:
    from gatekeeper.gateway.body import Facts
    from gatekeeper.gateway.http import Request

_SANE_ID = re.compile(rb"[A-Za-z0-9._:-]{1,128}")
_REMEMBERED_IDS = 50_000
_READ = frozenset(
    (
        b"authorization",
        b"x-request-id",
        b"x-gatekeeper-key",
        b"x-gatekeeper-session",
        b"x-gatekeeper-segment",
        b"x-gatekeeper-expect",
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """Hold a request's labels. key: the sticky one. request_id: as the client sees it; exchange_id: unique here."""

    request_id: str
    exchange_id: str
    key: str
    cluster_id: str | None = None
    segment: str | dict[str, str] | None = None
    expect: tuple[dict[str, Any], ...] = ()
    response_schema: dict[str, Any] | None = None


class Expected(msgspec.Struct):
    """Hold the decoded `x-gatekeeper-expect` header."""

    expect: tuple[dict[str, Any], ...] = ()
    response_schema: dict[str, Any] | None = None


class Ids:
    """Tell an id that a client sent once from one that it sends again: records are kept by id, each once."""

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._seen: dict[str, None] = {}

    def exchange_id(self, request_id: str) -> str:
        """Return the client's own id the first time, and one with a unique ending after that."""
        if request_id in self._seen:
            return f"{request_id}~{uuid.uuid4().hex[:12]}"
        self._seen[request_id] = None
        if len(self._seen) > _REMEMBERED_IDS:
            del self._seen[next(iter(self._seen))]
        return request_id


def read_labels(request: Request, facts: Facts, ids: Ids) -> Labels:
    """Read a request's labels.

    The sticky key is the first found of: the `x-gatekeeper-key` header, `user` in the body, the API key (as
    `sha256:` and the hexadecimal SHA-256 of the Authorization header's value), the client's address.

    Raises:
        Refusal: 400, `x-gatekeeper-expect` is not base64 of the JSON it should be.
    """
    sent: dict[bytes, bytes] = {}
    for name, value in request.headers:
        lower = name.lower()
        if lower in _READ:
            sent.setdefault(lower, value)
    own_id = sent.get(b"x-request-id")
    if own_id is not None and _SANE_ID.fullmatch(own_id):
        request_id = own_id.decode()
        exchange_id = ids.exchange_id(request_id)
    else:
        request_id = exchange_id = uuid.uuid4().hex
    user = facts.user if isinstance(facts.user, str) and facts.user else None
    session = _text(sent.get(b"x-gatekeeper-session"))
    expected = _expected(sent.get(b"x-gatekeeper-expect"))
    key = _text(sent.get(b"x-gatekeeper-key")) or user or _api_key(sent.get(b"authorization")) or request.peer
    return Labels(
        request_id=request_id,
        exchange_id=exchange_id,
        key=key,
        cluster_id=session or user or key,
        segment=_segment(_text(sent.get(b"x-gatekeeper-segment"))),
        expect=expected.expect,
        response_schema=expected.response_schema,
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

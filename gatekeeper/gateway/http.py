"""HTTP/1.1 heads: what is refused, what is passed on, and what the gateway writes itself."""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

Headers = list[tuple[bytes, bytes]]
"""Names and values as they came, in their order."""

_HOST = re.compile(rb"[A-Za-z0-9._~%!$&'()*+,;=:\[\]-]+")
_HOP_BY_HOP = frozenset(
    (
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    )
)
_NOT_UPSTREAM = _HOP_BY_HOP | {b"host", b"content-length", b"expect", b"x-request-id"}
_NOT_DOWNSTREAM = _HOP_BY_HOP | {b"x-request-id"}
_OURS = b"x-gatekeeper-"
_TYPES = {401: "authentication_error", 404: "not_found_error", 429: "rate_limit_error"}
_SERVER_ERROR = 500
JSON = b"application/json"


class Refusal(Exception):  # noqa: N818 - it is an answer
    """Answer a request with an error of the gateway's own. status: the HTTP status."""

    def __init__(self, status: int, message: str, *, code: str | None = None, close: bool = False) -> None:
        """Keep the answer; close: the connection must not be used again."""
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.close = close

    def body(self) -> bytes:
        """Return the answer's body in OpenAI's shape."""
        kind = _TYPES.get(self.status, "api_error" if self.status >= _SERVER_ERROR else "invalid_request_error")
        error = {"message": self.message, "type": kind, "param": None, "code": self.code}
        return msgspec.json.encode({"error": error})


@dataclass(slots=True)
class Request:
    """Hold a whole request. target: path and query as sent. peer: the client's address. arrived: monotonic seconds."""

    method: bytes
    target: bytes
    headers: Headers
    body: bytes
    minor: int
    keep_alive: bool
    peer: str
    arrived: float

    @property
    def path(self) -> str:
        """Return the target without its query."""
        return self.target.partition(b"?")[0].decode("latin-1")

    def header(self, name: bytes) -> str | None:
        """Return the first value of a header by its lower-case name; None when it was not sent."""
        for sent, value in self.headers:
            if sent.lower() == name:
                return value.decode("latin-1").strip()
        return None


@dataclass(slots=True)
class Head:
    """Hold a response's head. length: of the body in bytes, None when it is chunked or ends with the connection."""

    status: int
    reason: bytes
    headers: Headers
    length: int | None


def check_request(version: str, headers: Headers) -> None:
    """Refuse a head that two servers could read in two ways.

    Raises:
        Refusal: 400, and the connection closes.
    """
    if version not in ("1.1", "1.0"):
        raise Refusal(400, f"HTTP/{version} is not spoken here; use HTTP/1.1", close=True)
    names = [name.lower() for name, _ in headers]
    hosts = [value for name, value in zip(names, headers, strict=True) if name == b"host"]
    if len(hosts) > 1 or (version == "1.1" and not hosts):
        raise Refusal(400, f"a request needs exactly one Host header, this one has {len(hosts)}", close=True)
    if hosts and not _HOST.fullmatch(hosts[0][1]):
        raise Refusal(400, "the Host header's value is no host", close=True)
    encodings = [value for name, (_, value) in zip(names, headers, strict=True) if name == b"transfer-encoding"]
    if not encodings:
        if names.count(b"content-length") > 1:
            raise Refusal(400, "a request has at most one Content-Length header", close=True)
    elif b"content-length" in names:
        raise Refusal(400, "a request has Content-Length or Transfer-Encoding, not both", close=True)
    elif version == "1.0" or len(encodings) > 1 or encodings[0].strip().lower() != b"chunked":
        raise Refusal(400, "the one Transfer-Encoding understood is 'chunked', in HTTP/1.1", close=True)


def _passed(headers: Headers, dropped: frozenset[bytes]) -> Iterable[bytes]:
    named: set[bytes] = set()
    for name, value in headers:
        if name.lower() == b"connection":
            named.update(token.strip().lower() for token in value.split(b","))
    for name, value in headers:
        lower = name.lower()
        if lower not in dropped and lower not in named and not lower.startswith(_OURS):
            yield name + b": " + value + b"\r\n"


def request_head(request: Request, target: bytes, host: bytes, length: int, extra: bytes) -> bytes:
    """Build the head sent upstream: the client's own headers, less those of its connection and ours.

    extra: whole header lines of our own.
    """
    lines = b"".join(_passed(request.headers, _NOT_UPSTREAM))
    return b"%b %b HTTP/1.1\r\nhost: %b\r\n%bcontent-length: %d\r\n%b\r\n" % (
        request.method,
        target,
        host,
        lines,
        length,
        extra,
    )


def response_head(head: Head, extra: bytes) -> bytes:
    """Build the head sent to the client from the upstream's; extra: whole header lines of our own."""
    lines = b"".join(_passed(head.headers, _NOT_DOWNSTREAM))
    return b"HTTP/1.1 %d %b\r\n%b%b\r\n" % (head.status, head.reason, lines, extra)


def own_response(status: int, body: bytes, extra: bytes = b"", content_type: bytes = JSON) -> bytes:
    """Build a whole response of the gateway itself."""
    return b"HTTP/1.1 %d %b\r\ncontent-type: %b\r\ncontent-length: %d\r\n%b\r\n%b" % (
        status,
        HTTPStatus(status).phrase.encode(),
        content_type,
        len(body),
        extra,
        body,
    )

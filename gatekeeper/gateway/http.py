"""HTTP/1.1 heads: what is refused, what is passed on, and what the gateway writes itself."""

from __future__ import annotations

import re
from http import HTTPStatus
from itertools import count
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gatekeeper.gateway.labels import HeadLabels
    from gatekeeper.gateway.opening import Opening

Headers = list[tuple[bytes, bytes]]
"""Names and values as they came, in their order."""

_HOST: Final = re.compile(rb"[A-Za-z0-9._~%!$&'()*+,;=:\[\]-]+")
_HOP_BY_HOP: Final = frozenset(
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
_NOT_UPSTREAM: Final = _HOP_BY_HOP | {b"host", b"content-length", b"expect", b"x-request-id"}
_NOT_DOWNSTREAM: Final = _HOP_BY_HOP | {b"content-length", b"x-request-id"}
_NOT_UPSTREAM_PLAIN: Final = _NOT_UPSTREAM | {b"accept-encoding"}
_OURS: Final = b"x-gatekeeper-"
_BY_REQUEST: Final = (b"content-length", b"x-request-id")
_TYPES: Final = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}
_SERVER_ERROR: Final = 500
_NUMBERS: Final = count()
JSON: Final = b"application/json"
CHUNKED_LINE: Final = b"transfer-encoding: chunked\r\n"


class Refusal(Exception):  # noqa: N818 - it is an answer
    """Answer a request with an error of the gateway's own. status: the HTTP status."""

    def __init__(
        self, status: int, message: str, *, code: str | None = None, close: bool = False, retry_after_s: int = 0
    ) -> None:
        """Keep the answer. close: the connection must not be used again. retry_after_s: told to the client; 0: not."""
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.close = close
        self.retry_after_s = retry_after_s

    def body(self) -> bytes:
        """Return the answer's body in OpenAI's shape."""
        kind = _TYPES.get(self.status, "api_error" if self.status >= _SERVER_ERROR else "invalid_request_error")
        error = {"message": self.message, "type": kind, "param": None, "code": self.code}
        return msgspec.json.encode({"error": error})


class RequestHead:
    """Hold what a request's head says; requests whose heads differ in length and id alone may share it.

    target: path and query as sent. passed: the header lines that go upstream; passed_plain: where the answer is wanted
    without compression. labels: what `labels` read of the headers, once for all who share them; None before that.
    leads: by where it is sent, what `request_head` begins with. number: no other head has it. opening: how the last
    body that came with it began, an `Opening`.
    """

    __slots__ = (
        "headers",
        "labels",
        "leads",
        "method",
        "minor",
        "number",
        "opening",
        "passed",
        "passed_plain",
        "path",
        "target",
    )

    def __init__(
        self,
        method: bytes,
        target: bytes,
        path: str,
        headers: Headers,
        passed: bytes,
        passed_plain: bytes,
        minor: int,
    ) -> None:
        """Keep the parts; nothing was read of them yet."""
        self.method = method
        self.target = target
        self.path = path
        self.headers = headers
        self.passed = passed
        self.passed_plain = passed_plain
        self.minor = minor
        self.labels: HeadLabels | None = None
        self.leads: dict[tuple[bytes, bytes, bool], bytes] = {}
        self.number = next(_NUMBERS)
        self.opening: Opening | None = None


class Request:
    """Hold a whole request. peer: the client's address. arrived: monotonic seconds.

    sent_id: the client's `x-request-id`, None when it sent none. exchange_id: unique here; id_line: the header line
    with the id that the client and the engine see. Both are given by `ids.Ids`. opening: how its body begins, an
    `Opening`, where that was known before; rest: the body without it.
    """

    __slots__ = (
        "arrived",
        "body",
        "exchange_id",
        "head",
        "id_line",
        "keep_alive",
        "opening",
        "peer",
        "rest",
        "sent_id",
    )

    def __init__(
        self,
        head: RequestHead,
        body: bytes,
        peer: str,
        arrived: float,
        sent_id: bytes | None = None,
        *,
        keep_alive: bool,
    ) -> None:
        """Keep what came; it has no ids yet."""
        self.head = head
        self.body = body
        self.keep_alive = keep_alive
        self.peer = peer
        self.arrived = arrived
        self.sent_id = sent_id
        self.exchange_id = ""
        self.id_line = b""
        self.opening: Opening | None = None
        self.rest = b""

    @property
    def path(self) -> str:
        """Return the target without its query."""
        return self.head.path

    @property
    def method(self) -> bytes:
        """Return the method."""
        return self.head.method

    @property
    def headers(self) -> Headers:
        """Return the headers, less `x-request-id` and `content-length`."""
        return self.head.headers


class Head:
    """Hold a response's head. length: of the body in bytes, None when it is chunked or ends with the connection.

    start: the status line and the header lines that go to the client. content_type, coding: those headers' values,
    lower-case, "" without them. bodiless: the status rules a body out. recorded: its part of a frame, b"" until that is
    needed.
    """

    __slots__ = ("bodiless", "coding", "content_type", "length", "recorded", "start", "status")

    def __init__(
        self,
        status: int,
        start: bytes,
        length: int | None,
        content_type: str = "",
        coding: str = "",
        *,
        bodiless: bool = False,
    ) -> None:
        """Keep the parts."""
        self.status = status
        self.start = start
        self.length = length
        self.content_type = content_type
        self.coding = coding
        self.bodiless = bodiless
        self.recorded = b""

    @property
    def plain_events(self) -> bool:
        """Tell whether the body is a stream of events that can be read as it comes."""
        return self.content_type.startswith("text/event-stream") and self.coding in ("", "identity")


def sized(head: Head, length: int) -> Head:
    """Return a head that says another length of its body; it has one."""
    return Head(head.status, head.start, length, head.content_type, head.coding)


def read_request_head(method: bytes, target: bytes, headers: Headers, minor: int) -> RequestHead:
    """Build a request's head from its parsed parts, which have been checked."""
    kept = [(name, value) for name, value in headers if name.lower() not in _BY_REQUEST]
    path = target.partition(b"?")[0].decode("latin-1")
    passed, plain = (b"".join(_passed(headers, dropped)) for dropped in (_NOT_UPSTREAM, _NOT_UPSTREAM_PLAIN))
    return RequestHead(method, target, path, kept, passed, plain, minor)


def read_response_head(status: int, reason: bytes, headers: Headers, length: int | None, *, bodiless: bool) -> Head:
    """Build a response's head from its parsed parts."""
    lines = b"".join(_passed(headers, _HOP_BY_HOP | {b"x-request-id"} if bodiless else _NOT_DOWNSTREAM))
    start = b"HTTP/1.1 %d %b\r\n%b" % (status, reason, lines)
    sent = {name.lower(): value.decode("latin-1").strip().lower() for name, value in reversed(headers)}
    kind, coding = sent.get(b"content-type", ""), sent.get(b"content-encoding", "")
    return Head(status, start, 0 if bodiless else length, kind, coding, bodiless=bodiless)


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


def request_head(
    head: RequestHead, origin: tuple[bytes, bytes], length: int, extra: bytes, *, plain: bool = False
) -> bytes:
    """Build the head sent upstream: the client's own headers, less those of its connection and ours.

    origin: the prefix of the path, and the host. extra: whole header lines of our own. plain: the answer is wanted
    without compression.
    """
    return b"%b%d\r\n%b\r\n" % (request_lead(head, origin, plain=plain), length, extra)


def request_lead(head: RequestHead, origin: tuple[bytes, bytes], *, plain: bool = False) -> bytes:
    """Return what `request_head` begins with, up to the body's length."""
    lead = head.leads.get((*origin, plain))
    if lead is None:
        passed = head.passed_plain if plain else head.passed
        parts = (head.method, origin[0], head.target, origin[1], passed)
        lead = head.leads[*origin, plain] = b"%b %b%b HTTP/1.1\r\nhost: %b\r\n%bcontent-length: " % parts
    return lead


def response_head(head: Head, extra: bytes, *, resized: bool = False) -> bytes:
    """Build the head sent to the client from the upstream's.

    extra: whole header lines of our own. resized: the body's length is not the upstream's.
    """
    if head.length is None or head.bodiless or resized:
        return b"%b%b\r\n" % (head.start, extra)
    return b"%bcontent-length: %d\r\n%b\r\n" % (head.start, head.length, extra)


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

"""The client side of the wire: one connection, its requests in order, and nothing ambiguous let through."""

from __future__ import annotations

from collections import deque
from time import monotonic
from typing import TYPE_CHECKING, Final, cast

import httptools

from gatekeeper.gateway.heads import Again
from gatekeeper.gateway.http import Headers, Refusal, Request, check_request, own_response, read_request_head
from gatekeeper.gateway.outbox import Wire, nowhere

if TYPE_CHECKING:
    import asyncio

    from gatekeeper.gateway.front import Front, Turn
    from gatekeeper.gateway.heads import Cut
    from gatekeeper.gateway.http import RequestHead

_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
_CLOSE: Final = b"connection: close\r\n"
_NOBODYS: Final = httptools.HttpRequestParser(None)


class ClientConnection(Wire):
    """Parse requests, hand them to the front one at a time, write its answers."""

    __slots__ = (
        "__weakref__",
        "_again",
        "_body_of",
        "_cut",
        "_head_size",
        "_headers",
        "_heads",
        "_held",
        "_in_head",
        "_last",
        "_limits",
        "_line",
        "_lingering",
        "_missing",
        "_outbox",
        "_parser",
        "_peer",
        "_pieces",
        "_reading",
        "_refusal",
        "_request",
        "_sent_id",
        "_size",
        "_target",
        "_transport",
        "_turn",
        "_version",
        "_waiting",
        "due_at",
        "front",
    )

    def __init__(self, front: Front, peer: str = "") -> None:
        """Belong to a front. peer: the client's address where it was told, "": it is the connection's own."""
        super().__init__()
        self.front = front
        self._outbox = front.outbox
        self._limits = front.limits
        self._heads = front.heads
        self._cut: Cut | None = None
        self._again: Again[RequestHead] | None = None
        self._body_of: RequestHead | None = None
        self._missing = self._line = 0
        self._sent_id: bytes | None = None
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._peer = peer
        self._waiting: deque[Request] = deque()
        self._request: Request | None = None
        self._turn: Turn | None = None
        self._refusal: Refusal | None = None
        self._last: Refusal | None = None
        self._lingering = self._reading = self._held = self._in_head = False
        self.due_at = 0.0
        self._new_request()
        self._version = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note who it is; the clock for the first request runs."""
        self._transport = client = cast("asyncio.Transport", transport)
        self.write_now = client.write
        if not self._peer:
            peer = transport.get_extra_info("peername")
            self._peer = str(peer[0]) if isinstance(peer, tuple) else "local"
        self.front.connections.add(self)
        self.due_at = monotonic() + self._limits.idle_s

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Tell the turn that nobody waits."""
        self.front.connections.discard(self)
        self._waiting.clear()
        self._transport = None
        self.write_now = nowhere
        self._parser = _NOBODYS  # its own holds it in a circle, which only the garbage collector would find
        turn, self._turn = self._turn, None
        if turn is not None:
            turn.client_gone()

    def data_received(self, data: bytes) -> None:
        """Take a read, then begin to answer what is whole."""
        again = self._again
        if again is not None and self._request is None and not (self._reading or self._waiting):
            start = again.match(data)
            length = again.length
            fits = start >= 0 and length == len(data) - start and length <= self._limits.body_bytes
            if fits and self._last is None and self._transport is not None and not self._transport.is_closing():
                self._begin(Request(again.head, data[start:], self._peer, monotonic(), keep_alive=True))
                return
        if self._last is not None:
            return
        if self._missing:
            data = self._take_body(data)
        if data and not self._reading:
            data = self._take_known(data)
        if data and self._last is None:
            self._parse(data)
        if self._request is None:
            self._next()
        elif self._waiting and self._transport is not None and not self._held:
            self._held = True
            self._transport.pause_reading()

    def write(self, data: bytes) -> None:
        """Send bytes to the client, if it is still there, with all else that is sent in this turn of the loop."""
        self._outbox.put(self, data)

    def pause_writing(self) -> None:
        """Hold the upstream back."""
        if self._turn is not None:
            self._turn.pause()

    def resume_writing(self) -> None:
        """Let the upstream go on."""
        if self._turn is not None:
            self._turn.resume()

    def _take_known(self, data: bytes) -> bytes:
        """Take requests whose heads were read before; return what is left for the parser."""
        while data and self._last is None:
            head, self._cut = self._heads.find(data)
            if head is None or self._cut is None:
                return data
            _, start, length, self._sent_id = self._cut
            if length is None or length > self._limits.body_bytes:
                return data
            if self._sent_id is None:
                self._again = Again(data, self._cut, head)
            stop = start + length
            body = data[start:stop]
            if len(body) < length:
                self._reading = True
                self.due_at = monotonic() + self._limits.body_s
                self._body_of, self._missing, self._pieces = head, length - len(body), [body]
                return b""
            data = data[stop:]
            self._keep(head, body)
        return b""

    def _take_body(self, data: bytes) -> bytes:
        """Take more of a body whose head was known; return what comes after it."""
        piece, rest = (data, b"") if len(data) <= self._missing else (data[: self._missing], data[self._missing :])
        self._pieces.append(piece)
        self._missing -= len(piece)
        if not self._missing and self._body_of is not None:
            body, self._pieces = b"".join(self._pieces), []
            head, self._body_of = self._body_of, None
            self._reading = False
            self._keep(head, body)
        return rest

    def _keep(self, head: RequestHead, body: bytes, *, keep_alive: bool = True) -> None:
        """Keep a whole request until it is its turn."""
        self._waiting.append(Request(head, body, self._peer, monotonic(), self._sent_id, keep_alive=keep_alive))
        if len(self._waiting) > self._limits.pipelined:
            self._last = Refusal(429, f"more than {self._limits.pipelined} requests pipelined", close=True)

    def _parse(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
            if self._in_head:
                before = data.rfind(b"\n") + 1
                self._line = len(data) - before if before else self._line + len(data)
                self._check_head_size(self._head_size + self._line)
        except httptools.HttpParserError as exc:
            self._last = self._refusal or Refusal(400, f"not HTTP/1.1: {exc}", close=True)
        except Refusal as refusal:
            self._last = refusal

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._new_request()
        self._in_head = self._reading = True
        self.due_at = monotonic() + self._limits.head_s

    def on_url(self, url: bytes) -> None:
        """Take (a part of) the target."""
        self._target += url
        self._count_head(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; trailers are counted, and left out."""
        self._count_head(len(name) + len(value) + 4)
        if self._in_head:
            self._headers.append((name, value))
            if len(self._headers) > self._limits.header_count:
                self._stop(Refusal(431, f"more than {self._limits.header_count} headers", close=True))

    def on_headers_complete(self) -> None:
        """Check the head, and let a client that asked go on with its body."""
        self._in_head = False
        self._line = 0
        self.due_at = monotonic() + self._limits.body_s
        self._version = self._parser.get_http_version()
        try:
            check_request(self._version, self._headers)
            if self._parser.should_upgrade():
                raise Refusal(400, "upgrades are not spoken here: send the request without Upgrade", close=True)  # noqa: TRY301 - one place answers
            for name, value in self._headers:
                lower = name.lower()
                if lower == b"content-length":
                    self._check_body_size(int(value))
                elif lower == b"expect" and value.lower() == b"100-continue" and self._request is None:
                    self.write(_CONTINUE)
        except Refusal as refusal:
            self._stop(refusal)

    def on_body(self, data: bytes) -> None:
        """Take a piece of the body."""
        self._size += len(data)
        if self._size > self._limits.body_bytes:
            self._stop(self._too_large())
        self._pieces.append(data)

    def on_message_complete(self) -> None:
        """Keep the request until it is its turn."""
        self._reading = False
        if self._refusal is not None:
            return
        head = read_request_head(
            self._parser.get_method(), self._target, self._headers, 1 if self._version == "1.1" else 0
        )
        keep_alive = self._parser.should_keep_alive()
        body, self._pieces = b"".join(self._pieces), []
        self._sent_id = next((value for name, value in self._headers if name.lower() == b"x-request-id"), None)
        if self._cut is not None and keep_alive:
            self._learn(self._cut, head, len(body))
        self._cut = None
        self._keep(head, body, keep_alive=keep_alive)
        if self._last is not None:
            self._stop(self._last)

    def _learn(self, cut: Cut, head: RequestHead, size: int) -> None:
        """Remember a head that was parsed, if it is the one that was cut and asks for nothing special."""
        plain = head.minor == 1 and not any(name.lower() == b"expect" for name, _ in head.headers)
        if plain and cut.length == size and cut.key.startswith(b"%b %b HTTP/1.1\r\n" % (head.method, head.target)):
            self._heads.learn(cut.key, head)

    def pass_on(self, turn: Turn) -> None:
        """Have another turn go on with the answer."""
        self._turn = turn

    @property
    def keeps(self) -> bool:
        """Tell whether the connection outlives the answer that is being given."""
        return self._request is not None and self._request.keep_alive and not self.front.draining

    def done(self) -> None:
        """End the turn: its answer is written. The next request's begins, or the connection closes."""
        request = self._request
        self._request = self._turn = None
        if self._transport is None:
            return
        if request is None or not request.keep_alive or self.front.draining:
            self._close()
            return
        limits = self._limits
        wait_s = limits.idle_s if not self._reading else limits.head_s if self._in_head else limits.body_s
        self.due_at = monotonic() + wait_s
        if self._waiting or self._last is not None:
            self.front.loop.call_soon(self._next)

    def refuse(self, refusal: Refusal, extra: bytes = b"") -> None:
        """Answer the current request with an error, and end its turn. extra: whole header lines."""
        self.front.refused(refusal.status)
        if refusal.close and self._request is not None:
            self._request.keep_alive = False
        if refusal.retry_after_s:
            extra += b"retry-after: %d\r\n" % refusal.retry_after_s
        self.write(own_response(refusal.status, refusal.body(), extra if self.keeps else extra + _CLOSE))
        self.done()

    def abort(self) -> None:
        """Cut the connection: the client must not take what it has for the whole."""
        if self._transport is not None:
            self._outbox.flush()
            self._transport.abort()

    @property
    def idle(self) -> bool:
        """Tell whether no request is under way or half read."""
        return self._request is None and not self._waiting and not self._reading

    def close_if_idle(self) -> None:
        """Close the connection unless it is in use."""
        if self.idle:
            self._close()

    def expire(self) -> None:
        """Close because the client was silent or slow for too long (a turn has deadlines of its own)."""
        if self._request is not None or self._transport is None:
            return
        if self._lingering:
            self.abort()
        elif self._reading:
            what, waited_s = ("head", self._limits.head_s) if self._in_head else ("body", self._limits.body_s)
            self._last = Refusal(408, f"the request's {what} was not whole in {waited_s:g} s", close=True)
            self._next()
        else:
            self._close()

    def _close(self) -> None:
        """Close the connection when all is written."""
        if self._transport is not None:
            self._outbox.flush()
            self._transport.close()

    def _next(self) -> None:
        """Begin the next request's turn; after the last that could be read, say why no more will be."""
        if self._transport is None or self._transport.is_closing() or self._request is not None or self._lingering:
            return
        if self._waiting:
            self._begin(self._waiting.popleft())
        elif self._last is not None:
            self._close_with(self._last)
            return
        if self._held and not self._waiting and self._transport is not None and not self._transport.is_closing():
            self._held = False
            self._transport.resume_reading()

    def _begin(self, request: Request) -> None:
        self._request = request
        try:
            turn = self.front.answer(request, self)
        except Refusal as refusal:
            self.refuse(refusal)
            return
        if self._answers(request):
            self._turn = turn

    def _answers(self, request: Request) -> bool:
        """Tell whether it is this request that is being answered."""
        return self._request is request

    def _new_request(self) -> None:
        self._target = b""
        self._headers: Headers = []
        self._pieces = []
        self._size = self._head_size = 0

    def _count_head(self, size: int) -> None:
        self._head_size += size
        self._check_head_size(self._head_size)

    def _check_head_size(self, size: int) -> None:
        if size > self._limits.header_bytes:
            self._stop(Refusal(431, f"a head of more than {self._limits.header_bytes} bytes", close=True))

    def _check_body_size(self, size: int) -> None:
        if size > self._limits.body_bytes:
            raise self._too_large()

    def _too_large(self) -> Refusal:
        return Refusal(413, f"a body of more than {self._limits.body_bytes} bytes", close=True)

    def _stop(self, refusal: Refusal) -> None:
        """Leave the parser's callback; what is raised there reaches us only as the parser's own error."""
        self._refusal = refusal
        raise refusal

    def _close_with(self, refusal: Refusal) -> None:
        """Answer what cannot be read; then read on for a moment without listening, so that the answer arrives."""
        self.front.refused(refusal.status)
        if self._transport is None:
            return
        self._lingering = True
        self.due_at = monotonic() + self._limits.linger_s
        self.write(own_response(refusal.status, refusal.body(), _CLOSE))
        self._outbox.flush()
        if self._transport.can_write_eof():
            self._transport.write_eof()

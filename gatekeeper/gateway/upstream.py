"""The upstream side of the wire: kept connections per origin, one call at a time on each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

import httptools

from gatekeeper.captures.chunks import BadChunks, Chunks, whole_chunk
from gatekeeper.gateway.heads import Again
from gatekeeper.gateway.http import Headers, read_response_head, sized
from gatekeeper.gateway.outbox import Wire, nowhere
from gatekeeper.model.exchange import Failure

if TYPE_CHECKING:
    import asyncio

    from gatekeeper.gateway.call import Running
    from gatekeeper.gateway.heads import Cut
    from gatekeeper.gateway.http import Head
    from gatekeeper.gateway.origin import Pool

_INTERIM: Final = 100
_FINAL: Final = 200
_NO_BODY: Final = (204, 304)


class Connection(Wire):
    """Parse what an origin sends and hand it to the call that is on this connection, once for each read."""

    __slots__ = (
        "__weakref__",
        "_again",
        "_chunks",
        "_cut",
        "_ended",
        "_head",
        "_headers",
        "_interim",
        "_left",
        "_new_head",
        "_parser",
        "_pieces",
        "_pool",
        "_reason",
        "_reusable",
        "_until_close",
        "call",
        "idle_since",
        "transport",
        "used",
    )

    def __init__(self, pool: Pool) -> None:
        """Belong to a pool; the pool puts calls on it."""
        super().__init__()
        self._pool = pool
        self.transport: asyncio.Transport | None = None
        self.call: Running | None = None
        self.used = 0
        self.idle_since = 0.0
        self._parser: httptools.HttpResponseParser | None = None
        self._cut: Cut | None = None
        self._again: Again[Head] | None = None
        self._left = 0
        self._chunks: Chunks | None = None
        self._reason = b""
        self._headers: Headers = []
        self._head: Head | None = None
        self._new_head: Head | None = None
        self._pieces: list[bytes] = []
        self._interim = self._until_close = self._ended = self._reusable = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = made = cast("asyncio.Transport", transport)
        self.write_now = made.write

    def send(self, call: Running, data: bytes) -> None:
        """Put a call on this connection and send its request."""
        self.call = call
        self.used += 1
        self._pool.outbox.put(self, data)

    def close(self) -> None:
        """Cut the connection; nobody hears of it."""
        self.call = None
        if self.transport is not None:
            self.transport.abort()

    def data_received(self, data: bytes) -> None:
        """Parse a read, and give the call all of it in one piece."""
        call = self.call
        if call is None:
            self.close()
            return
        chunks = self._chunks
        if not call.answered:
            again = self._again
            start = again.match(data) if again is not None else -1
            if again is None or start < 0 or again.length != len(data) - start:
                self._take_begin(call, data)
                return
            call.answered = True
            self._chunks = None
            self._left, self._until_close = 0, False
            self._let_go(reusable=True)
            call.whole(again.head, data[start:])
        elif chunks is not None:
            leads, start = whole_chunk(len(data))
            if chunks.between and data.startswith(leads) and data.endswith(b"\r\n"):
                call.pass_chunk(data, data[start:-2])
            else:
                self._take_chunks(call, chunks, None, data)
        elif self._left:
            self._take_length(call, None, data)
        else:
            self._parse(call, data)

    def _take_begin(self, call: Running, data: bytes) -> None:
        """Take an answer's first read; a head that was read before is not parsed."""
        call.answered = True
        self._chunks = None
        self._left, self._until_close = 0, False
        again = self._again
        if again is not None and (start := again.match(data)) >= 0:
            known, length = again.head, again.length
        else:
            found, cut = self._pool.heads.find(data)
            if found is None or cut is None:
                self._begin(cut)
                self._parse(call, data)
                return
            known = found
            if cut.sent_id is None:
                self._again = Again(data, cut, known)
            start, length = cut.end, cut.length
        data = data[start:]
        if length is None:
            self._chunks = Chunks()
            self._take_chunks(call, self._chunks, known, data)
        elif len(data) == length:
            self._let_go(reusable=True)
            call.whole(known, data)
        else:
            self._left = length
            self._take_length(call, sized(known, length), data)

    def _take_length(self, call: Running, head: Head | None, data: bytes) -> None:
        """Take a read of a body whose length is known."""
        left = self._left = self._left - len(data)
        if left > 0:
            call.read(head, data, ended=False)
        elif left:
            self._left = 0
            self._finish(call, head, data[:left], reusable=False)
        else:
            self._finish(call, head, data, reusable=True)

    def _take_chunks(self, call: Running, chunks: Chunks, head: Head | None, data: bytes) -> None:
        """Take a read of a body in chunks."""
        try:
            body = chunks.feed(data)
        except BadChunks as exc:
            self._refuse(call, exc)
            return
        if chunks.ended:
            self._finish(call, head, body, reusable=not chunks.rest)
        elif head is not None or body:
            call.read(head, body, ended=False)

    def _parse(self, call: Running, data: bytes) -> None:
        """Take a read through the parser."""
        assert self._parser is not None  # noqa: S101 - `_begin` made it
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as exc:
            if not self._ended:
                self._refuse(call, exc)
                return
            self._reusable = False
        self._deliver(call)

    def _refuse(self, call: Running, exc: Exception) -> None:
        self.close()
        call.broke(Failure(kind="bad_response", message=f"the upstream's answer is no HTTP/1.1: {exc}"))

    def connection_lost(self, exc: Exception | None) -> None:
        """End a body that ends with the connection; anything else under way broke."""
        self._pool.forget(self)
        self.write_now = nowhere
        self._parser = None  # it holds its connection
        call, self.call = self.call, None
        if call is None:
            return
        if exc is None and self._until_close:
            self._ended = True
            self._deliver(call)
            return
        reason = f"the upstream closed the connection: {exc or 'end of stream'}"
        call.lost(Failure(kind="stream_broken" if call.answered else "connect", message=reason))

    def pause_writing(self) -> None:
        """Say nothing: a request's body is whole in memory, and bounded."""

    def resume_writing(self) -> None:
        """Say nothing, as for pausing."""

    def on_message_begin(self) -> None:
        """Refuse a second answer behind the one that was asked for: it is nobody's, and must not pass for the first."""
        if self._ended:
            raise ValueError("an answer that nobody asked for")

    def on_status(self, reason: bytes) -> None:
        """Take (a part of) the reason phrase."""
        self._reason += reason

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header, unless it is a trailer."""
        if self._head is None:
            self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Build the head, unless it is an interim one (1xx); a status below that is none."""
        assert self._parser is not None  # noqa: S101 - it is calling
        status = self._parser.get_status_code()
        if status < _INTERIM:
            raise ValueError(f"its status is {status:03}")
        self._interim = status < _FINAL
        if self._interim:
            return
        sent = {name.lower(): value for name, value in self._headers}
        length = int(sent[b"content-length"]) if b"content-length" in sent else None
        bodiless = status in _NO_BODY
        self._until_close = length is None and b"transfer-encoding" not in sent and not bodiless
        self._head = self._new_head = read_response_head(status, self._reason, self._headers, length, bodiless=bodiless)
        if self._cut is not None:
            self._learn(self._cut, self._head, sent.get(b"transfer-encoding"))

    def on_body(self, data: bytes) -> None:
        """Take a piece of the body; an interim answer has none."""
        if self._interim:
            raise ValueError("an interim answer has a body")
        self._pieces.append(data)

    def on_message_complete(self) -> None:
        """Note the end, and whether the connection can be kept."""
        assert self._parser is not None  # noqa: S101 - it is calling
        if self._interim:
            self._reason, self._headers, self._cut = b"", [], None
            return
        self._ended = True
        self._reusable = self._parser.should_keep_alive()

    def _learn(self, cut: Cut, head: Head, coding: bytes | None) -> None:
        """Remember a head that was parsed, if it is the one that was cut, and its body has a plain length or chunks."""
        assert self._parser is not None  # noqa: S101 - it is calling
        plain = self._parser.get_http_version() == "1.1" and self._parser.should_keep_alive() and not head.bodiless
        framed = coding is None if head.length is not None else coding is not None and coding.lower() == b"chunked"
        if plain and framed and cut.length == head.length and cut.key.startswith(b"HTTP/1.1 %d " % head.status):
            self._pool.heads.learn(cut.key, head)

    def _begin(self, cut: Cut | None) -> None:
        """Begin to read an answer with the parser; cut: how its head is cut, None when it cannot be remembered."""
        self._parser = httptools.HttpResponseParser(self)
        self._cut = cut
        self._reason = b""
        self._headers = []
        self._head = self._new_head = None
        self._pieces = []
        self._interim = self._ended = self._reusable = False

    def _deliver(self, call: Running) -> None:
        head, self._new_head = self._new_head, None
        data, self._pieces = b"".join(self._pieces), []
        if self._ended:
            self._finish(call, head, data, reusable=self._reusable)
        else:
            call.read(head, data, ended=False)

    def _finish(self, call: Running, head: Head | None, data: bytes, *, reusable: bool) -> None:
        """Keep the connection if it can be kept, then give the call the last of its answer."""
        self._let_go(reusable=reusable)
        call.read(head, data, ended=True)

    def _let_go(self, *, reusable: bool) -> None:
        """Keep the connection if it can be kept, else close it."""
        self.call = None
        transport = self.transport
        if reusable and transport is not None and not transport.get_write_buffer_size():
            self._pool.give_back(self)
        elif transport is not None:
            transport.close()

"""The upstream side of the wire: kept connections per origin, one call at a time on each."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httptools

from gatekeeper.gateway.http import Head, Headers
from gatekeeper.model.exchange import Failure

if TYPE_CHECKING:
    from gatekeeper.gateway.call import Call
    from gatekeeper.gateway.origin import Pool

_FINAL = 200
_NO_BODY = (204, 304)


class Connection(asyncio.Protocol):
    """Parse what an origin sends and hand it to the call that is on this connection, once for each read."""

    def __init__(self, pool: Pool) -> None:
        """Belong to a pool; the pool puts calls on it."""
        self._pool = pool
        self.transport: asyncio.Transport | None = None
        self.call: Call | None = None
        self.used = 0
        self.idle_since = 0.0
        self._parser = httptools.HttpResponseParser(self)
        self._reason = b""
        self._headers: Headers = []
        self._head: Head | None = None
        self._new_head: Head | None = None
        self._pieces: list[bytes] = []
        self._interim = self._until_close = self._ended = self._reusable = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = transport  # type: ignore[assignment]  # asyncio types it too wide

    def send(self, call: Call, data: bytes) -> None:
        """Put a call on this connection and send its request."""
        assert self.transport is not None  # noqa: S101 - the pool gives out connections that are made
        self.call = call
        self.used += 1
        self._next_message()
        self.transport.write(data)

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
        call.answered = True
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as exc:
            if not self._ended:
                self.close()
                call.broke(Failure(kind="bad_response", message=f"the upstream's answer is no HTTP/1.1: {exc}"))
                return
            self._reusable = False
        self._deliver(call)

    def eof_received(self) -> bool:
        """Let the transport close; `connection_lost` follows."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """End a body that ends with the connection; anything else under way broke."""
        self._pool.forget(self)
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

    def on_status(self, reason: bytes) -> None:
        """Take (a part of) the reason phrase."""
        self._reason += reason

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header, unless it is a trailer."""
        if self._head is None:
            self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Build the head, unless it is an interim one (1xx)."""
        status = self._parser.get_status_code()
        self._interim = status < _FINAL
        if self._interim:
            return
        sent = {name.lower(): value for name, value in self._headers}
        length = int(sent[b"content-length"]) if b"content-length" in sent else None
        self._until_close = length is None and b"transfer-encoding" not in sent and status not in _NO_BODY
        self._head = self._new_head = Head(status, self._reason, self._headers, 0 if status in _NO_BODY else length)

    def on_body(self, data: bytes) -> None:
        """Take a piece of the body."""
        self._pieces.append(data)

    def on_message_complete(self) -> None:
        """Note the end, and whether the connection can be kept."""
        if self._interim:
            self._reason, self._headers = b"", []
            return
        self._ended = True
        self._reusable = self._parser.should_keep_alive()

    def _next_message(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._reason = b""
        self._headers = []
        self._head = self._new_head = None
        self._pieces = []
        self._interim = self._until_close = self._ended = self._reusable = False

    def _deliver(self, call: Call) -> None:
        head, self._new_head = self._new_head, None
        pieces = self._pieces
        if len(pieces) == 1:
            data = pieces[0]
            pieces.clear()
        elif pieces:
            data = b"".join(pieces)
            pieces.clear()
        else:
            data = b""
        if self._ended:
            self.call = None
            if self._reusable and self.transport is not None and not self.transport.get_write_buffer_size():
                self._pool.give_back(self)
            elif self.transport is not None:
                self.transport.close()
        call.read(head, data, ended=self._ended)

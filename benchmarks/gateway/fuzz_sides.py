"""Both sides of the gateway's wire, run in process on transports that only take notes."""
# ruff: noqa: S101, ANN401 - a failed assertion is a finding, and what stands in here takes what the real ones take

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from gatekeeper.gateway.heads import Heads
from gatekeeper.gateway.http import RequestHead, own_response
from gatekeeper.gateway.limits import Limits
from gatekeeper.gateway.origin import Pool
from gatekeeper.gateway.outbox import Outbox
from gatekeeper.gateway.server import ClientConnection
from gatekeeper.gateway.upstream import Connection

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

LIMITS = Limits(header_bytes=4096, header_count=30, body_bytes=4096, pipelined=1_000)

HEADS: Heads[RequestHead] = Heads()
"""Heads that were read before, shared by all inputs as by all connections of a gateway."""


class Wire:
    """Be a transport: keep what is written, whether reading is paused, and whether it is over."""

    def __init__(self) -> None:
        """Be open."""
        self.sent = b""
        self.paused = self.closing = False

    def write(self, data: bytes) -> None:
        """Keep it."""
        assert not self.closing, "written to after the end"
        self.sent += data

    def writelines(self, parts: list[bytes]) -> None:
        """Keep them."""
        self.write(b"".join(parts))

    def close(self) -> None:
        """End."""
        self.closing = True

    abort = close

    def is_closing(self) -> bool:
        """Tell whether it ended."""
        return self.closing

    def can_write_eof(self) -> bool:
        """Be a TCP transport."""
        return True

    def write_eof(self) -> None:
        """Take it."""

    def pause_reading(self) -> None:
        """Take no more."""
        self.paused = True

    def resume_reading(self) -> None:
        """Go on."""
        self.paused = False

    def get_write_buffer_size(self) -> int:
        """Return 0: what is written is gone."""
        return 0

    def get_extra_info(self, name: str, default: object = None) -> object:
        """Say who the peer is."""
        return ("192.0.2.1", 4) if name == "peername" else default


class Later:
    """Be a loop that runs what it was given when it is told to."""

    def __init__(self) -> None:
        """Have nothing to do."""
        self._due: deque[tuple[Callable[..., object], tuple[Any, ...]]] = deque()

    def call_soon(self, call: Callable[..., object], *values: object) -> None:
        """Keep it for later."""
        self._due.append((call, values))

    def run(self) -> None:
        """Do what is due."""
        while self._due:
            call, values = self._due.popleft()
            call(*values)


@dataclass
class Front:
    """Answer every request at once, and note what it was."""

    limits: Limits = LIMITS
    loop: Later = field(default_factory=Later)
    draining: bool = False
    heads: Heads[RequestHead] = HEADS
    connections: set[ClientConnection] = field(default_factory=set)
    seen: list[tuple[bytes, bytes, bytes]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    outbox: Outbox = field(init=False)

    def __post_init__(self) -> None:
        """Write at the end of each of the loop's turns."""
        self.outbox = Outbox(self.loop)

    def answer(self, request: Any, client: ClientConnection) -> None:
        """Note and answer."""
        self.seen.append((request.head.method, request.head.target, request.body))
        client.write(own_response(200, b"{}"))
        client.done()

    def refused(self, status: int) -> None:
        """Note an error."""
        self.statuses.append(status)


def requests(reads: list[bytes]) -> tuple[list[tuple[bytes, bytes, bytes]], list[int]]:
    """Give reads to a client's connection; return the requests it understood and the errors it answered with."""
    front, wire = Front(), Wire()
    client = ClientConnection(front)
    client.connection_made(wire)
    for read in reads:
        if wire.closing:
            break
        assert not wire.paused, "paused with nothing under way"
        client.data_received(read)
        front.loop.run()
    wire.closing = True
    client.connection_lost(None)
    assert wire.sent.count(b"HTTP/1.1 ") - wire.sent.count(b"100 Continue") == len(front.seen) + len(front.statuses)
    return front.seen, front.statuses


class Call:
    """Be a call that waits for its answer."""

    def __init__(self) -> None:
        """Have heard nothing."""
        self.answered = False
        self.head: Any = None
        self.body = b""
        self.end = ""

    def read(self, head: Any, data: bytes, *_: float, ended: bool) -> None:
        """Take a read."""
        assert not self.end, "read after the end"
        assert head is None or self.head is None, "two heads"
        self.head = head or self.head
        assert self.head is not None or not data, "a body without a head"
        self.body += data
        if ended:
            self.end = "whole"

    def whole(self, head: Any, data: bytes) -> None:
        """Take an answer that came in one read."""
        self.read(head, data, ended=True)

    def pass_chunk(self, chunk: bytes, data: bytes) -> None:  # noqa: ARG002 - it is framed as it came
        """Take a read that is one chunk."""
        self.read(None, data, ended=False)

    def broke(self, failure: Any) -> None:
        """Take a failure."""
        assert not self.end, "failed after the end"
        self.end = failure.kind

    lost = broke


def answer(reads: list[bytes]) -> tuple[str, int, bytes]:
    """Give reads to an upstream's connection, then its end; return (how it ended, status, body)."""
    later = Later()
    pool = Pool("http://127.0.0.1:9", LIMITS, cast("asyncio.AbstractEventLoop", later))
    connection, wire, call = Connection(pool), Wire(), Call()
    connection.connection_made(wire)
    connection.send(call, b"x")
    later.run()
    assert wire.sent == b"x"
    for read in reads:
        if wire.closing:
            break
        connection.data_received(read)
    wire.closing = True
    connection.connection_lost(None)
    assert call.end, "neither an end nor a failure"
    status = call.head.status if call.head is not None else 0
    return call.end, status, call.body

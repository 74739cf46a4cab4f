"""One request to one endpoint: connect, send, pass reads on, keep deadlines, send again on a stale connection."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Protocol

from gatekeeper.gateway.http import sized
from gatekeeper.model.exchange import Failure

if TYPE_CHECKING:
    import asyncio

    from gatekeeper.gateway.http import Head
    from gatekeeper.gateway.origin import Pool
    from gatekeeper.gateway.upstream import Connection


class Sink(Protocol):
    """Hear what becomes of a call: reads until one has ended, or one failure."""

    def read(self, head: Head | None, data: bytes, now: float, *, ended: bool) -> None:
        """Take one read: the head with the first, body bytes, monotonic seconds, and whether that was all."""

    def failed(self, failure: Failure) -> None:
        """Learn that nothing more will come."""


class Running(Protocol):
    """Be on a connection, and have a deadline. answered: something of the answer was read."""

    answered: bool
    due_at: float

    def opened(self, connection: Connection) -> None:
        """Learn that the connection asked for is there."""

    def unopened(self, failure: Failure) -> None:
        """Learn that there will be none."""

    def whole(self, head: Head, data: bytes) -> None:
        """Take an answer that came in one read (called by the connection). head: but for the body's length."""

    def read(self, head: Head | None, data: bytes, *, ended: bool) -> None:
        """Take a read (called by the connection)."""

    def pass_chunk(self, chunk: bytes, data: bytes) -> None:
        """Take a read that is one chunk with this content (called by the connection)."""

    def lost(self, failure: Failure) -> None:
        """Learn that the connection was lost."""

    def broke(self, failure: Failure) -> None:
        """Learn that the answer cannot be read."""

    def expire(self, now: float) -> None:
        """Learn that the deadline has passed."""


class CallLimits:
    """Bound one call; see `Limits` for the names. Seconds."""

    __slots__ = ("between_s", "first_byte_s", "total_s")

    def __init__(self, *, first_byte_s: float, between_s: float, total_s: float) -> None:
        """Keep the bounds."""
        self.first_byte_s = first_byte_s
        self.between_s = between_s
        self.total_s = total_s


class Caller:
    """Start calls and watch their deadlines."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Keep the loop; no call is under way."""
        self.loop = loop
        self.live: set[Running] = set()
        self.tasks: set[asyncio.Task[None]] = set()

    def sweep(self, now: float) -> None:
        """Fail every call whose deadline has passed."""
        for call in [call for call in self.live if call.due_at <= now]:
            call.expire(now)

    def open(self, call: Running, pool: Pool) -> None:
        """Open a connection for a call, which hears of it."""
        task = self.loop.create_task(_open(call, pool))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)


async def _open(call: Running, pool: Pool) -> None:
    try:
        connection = await pool.connect()
    except OSError as exc:
        reason = str(exc) or "it did not open in time"
        call.unopened(Failure(kind="connect", message=f"cannot connect to the upstream: {reason}"))
    else:
        call.opened(connection)


class Call:
    """Carry one request; `cancel` may be called at any time, after which the sink hears nothing."""

    __slots__ = (
        "_began",
        "_between_s",
        "_caller",
        "_connection",
        "_ends",
        "_message",
        "_paused",
        "_pool",
        "_sink",
        "_stale_allowed",
        "answered",
        "due_at",
    )

    def __init__(
        self, caller: Caller, pool: Pool, message: bytes, sink: Sink, limits: CallLimits, began: float
    ) -> None:
        """Keep what to send, where, and who listens. message: head and body. began: monotonic seconds."""
        self._caller = caller
        self._pool = pool
        self._message = message
        self._sink = sink
        self._connection: Connection | None = None
        self._paused = False
        self._stale_allowed = True
        self._began = began
        self._between_s = limits.between_s
        self._ends = began + limits.total_s
        self.answered = False
        self.due_at = min(began + limits.first_byte_s, self._ends)

    def start(self) -> None:
        """Send on a kept connection, or open one."""
        self._caller.live.add(self)
        kept = self._pool.take()
        if kept is not None:
            self._send(kept)
        else:
            self._caller.open(self, self._pool)

    def opened(self, connection: Connection) -> None:
        """Send on the connection that was opened, if that is still wanted."""
        if self in self._caller.live:
            self._send(connection)
        else:
            self._pool.give_back(connection)

    def unopened(self, failure: Failure) -> None:
        """Fail because no connection could be opened."""
        if self in self._caller.live:
            self.broke(failure)

    def take_over(self, connection: Connection | None, running: Running) -> None:
        """Go on where another call stands; the connection is its, or was until just now, or is being opened for it."""
        self._connection = connection
        self.answered = running.answered
        self.due_at = running.due_at
        self._caller.live.discard(running)
        self._caller.live.add(self)
        if connection is not None and connection.call is running:
            connection.call = self

    def cancel(self) -> None:
        """Cut the connection; the upstream sees that nobody waits any more."""
        self._caller.live.discard(self)
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def pause(self) -> None:
        """Read no more for now: the client is slower than the upstream."""
        self._paused = True
        transport = self._connection.transport if self._connection is not None else None
        if transport is not None and not transport.is_closing():
            transport.pause_reading()

    def resume(self) -> None:
        """Read on; the silence was ours, so that the deadline starts anew."""
        self._paused = False
        self._touch(monotonic())
        transport = self._connection.transport if self._connection is not None else None
        if transport is not None and not transport.is_closing():
            transport.resume_reading()

    def expire(self, now: float) -> None:
        """Fail because a deadline has passed, unless it is we who do not read."""
        if self._paused and now < self._ends:
            self._touch(now)
            return
        waited = "between two reads" if self.answered else "for the first byte"
        self.cancel()
        message = f"no more waiting {waited}, {now - self._began:.1f} s after the request"
        self._sink.failed(Failure(kind="timeout", message=message))

    def read(self, head: Head | None, data: bytes, *, ended: bool) -> None:
        """Pass a read on (called by the connection)."""
        now = monotonic()
        if ended:
            self._caller.live.discard(self)
            if self._paused:
                self.resume()
            self._connection = None
        elif data:
            self._touch(now)
        self._sink.read(head, data, now, ended=ended)

    def whole(self, head: Head, data: bytes) -> None:
        """Pass a whole answer on (called by the connection)."""
        self.read(sized(head, len(data)), data, ended=True)

    def pass_chunk(self, chunk: bytes, data: bytes) -> None:  # noqa: ARG002 - it is framed anew
        """Pass a read on that is one chunk (called by the connection)."""
        self.read(None, data, ended=False)

    def lost(self, failure: Failure) -> None:
        """Try again where a kept connection turned out to be closed; else fail (called by the connection)."""
        stale = self._connection is not None and self._connection.used > 1 and not self.answered
        self._connection = None
        if stale and self._stale_allowed:
            self._stale_allowed = False
            self._caller.open(self, self._pool)
        else:
            self.broke(failure)

    def broke(self, failure: Failure) -> None:
        """Fail."""
        self._caller.live.discard(self)
        self._connection = None
        self._sink.failed(failure)

    def _touch(self, now: float) -> None:
        due_at = now + self._between_s
        self.due_at = min(self._ends, due_at)

    def _send(self, connection: Connection) -> None:
        self._connection = connection
        connection.send(self, self._message)

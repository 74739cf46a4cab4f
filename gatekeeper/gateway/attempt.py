"""A request on a kept connection with nothing out of the ordinary yet: one object where a leg and its call are two.

What is not ordinary (a failure, a deadline, a client that leaves or does not keep up, an answer of another kind) is
handed over to a leg, which goes on from there as if it had begun.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gatekeeper.gateway.call import Call
    from gatekeeper.gateway.capture import Capture
    from gatekeeper.gateway.http import Head
    from gatekeeper.gateway.leg import Leg, Road
    from gatekeeper.gateway.upstream import Connection
    from gatekeeper.model.exchange import Failure

FAULT = 500
"""The first status that is the server's fault."""


class Attempt:
    """Be the call that is on a connection, and capture its answer; implements `call.Running`."""

    __slots__ = ("_between_s", "_connection", "_ends", "_message", "_road", "answered", "capture", "due_at")

    def __init__(self, road: Road, connection: Connection, capture: Capture, message: bytes) -> None:
        """Send the request. message: its head and body."""
        began, limits = capture.began, road.limits
        ends = self._ends = began + limits.total_s
        due_at = began + limits.first_byte_s
        self._road = road
        self._connection = connection
        self._message = message
        self._between_s = limits.between_s
        self.capture = capture
        self.answered = False
        self.due_at = min(ends, due_at)
        road.caller.live.add(self)
        connection.send(self, message)

    def read(self, head: Head | None, data: bytes, *, ended: bool) -> None:
        """Take one read (called by the connection)."""
        raise NotImplementedError

    def pass_chunk(self, chunk: bytes, data: bytes) -> None:  # noqa: ARG002 - as it is where it is passed on
        """Take one read that is one chunk (called by the connection)."""
        self.read(None, data, ended=False)

    def hand_over(self) -> Call:
        """Let a leg go on from here; its call."""
        raise NotImplementedError

    def lost(self, failure: Failure) -> None:
        """Hand over that the connection was lost."""
        self.hand_over().lost(failure)

    def broke(self, failure: Failure) -> None:
        """Hand over that the answer cannot be read."""
        self.hand_over().broke(failure)

    def expire(self, now: float) -> None:
        """Hand over that a deadline has passed."""
        self.hand_over().expire(now)

    def _keep(self, data: bytes, *, ended: bool) -> None:
        """Capture a read; the breaker of an endpoint that has answered whole learns of it."""
        now = monotonic()
        road = self._road
        if data:
            self.capture.add(data, now, road.room)
        if ended:
            self.capture.ended = now
            road.caller.live.discard(self)
            if road.breaker is not None:
                road.breaker.succeeded()
        elif data:
            due_at = now + self._between_s
            self.due_at = min(self._ends, due_at)

    def _give(self, leg: Leg) -> Call:
        """Give the connection to a leg's call."""
        return leg.adopt(self, self._connection, self._message)

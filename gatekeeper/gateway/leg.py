"""One arm's attempt at a request: what is sent, what comes back, and the capture of both."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Final, Protocol

from gatekeeper.captures.fold import is_over
from gatekeeper.gateway.body import with_model
from gatekeeper.gateway.call import Call
from gatekeeper.gateway.http import request_head
from gatekeeper.gateway.usage import REFUSED, asking

if TYPE_CHECKING:
    from gatekeeper.gateway.breaker import Breaker
    from gatekeeper.gateway.call import Caller, CallLimits, Running
    from gatekeeper.gateway.capture import Capture
    from gatekeeper.gateway.http import Head
    from gatekeeper.gateway.origin import Pool
    from gatekeeper.gateway.upstream import Connection
    from gatekeeper.model.exchange import Failure

_BAD: Final = 400
_FAULT: Final = 500
SHADOW_LINE: Final = b"x-gatekeeper-shadow: 1\r\n"


def message_of(capture: Capture, pool: Pool, asked_model: str | None, *, shadow: bool = False) -> bytes:
    """Return the request as it goes to the capture's endpoint, with the endpoint's model in place of the one asked for.

    Raises:
        Refusal: the model's name cannot be replaced in this body.
    """
    request, model = capture.request, capture.endpoint.model
    body = asking(request.body) if capture.asks_usage else request.body
    if model and asked_model is not None:
        body = with_model(body, asked_model, model)
    extra = request.id_line + SHADOW_LINE if shadow else request.id_line
    return request_head(request.head, pool.origin, len(body), extra, plain=capture.asks_usage) + body


class Owner(Protocol):
    """Be who asked for a leg."""

    def arrived(self, leg: Leg, data: bytes, *, ended: bool) -> None:
        """Take a read that was captured."""

    def broke(self, leg: Leg, failure: Failure) -> None:
        """Take a failure that was captured; nothing more comes."""


class Road:
    """Hold what leads to one endpoint. room: bytes of an answer that are kept. breaker: a candidate's, else None."""

    __slots__ = ("breaker", "caller", "limits", "pool", "room")

    def __init__(self, caller: Caller, pool: Pool, limits: CallLimits, room: int, breaker: Breaker | None) -> None:
        """Keep what leads there."""
        self.caller = caller
        self.pool = pool
        self.limits = limits
        self.room = room
        self.breaker = breaker


class Leg:
    """Send a request to one endpoint, keep what comes back, tell the owner and the endpoint's breaker."""

    __slots__ = ("_asking", "_breaker", "_call", "_owner", "_pool", "_road", "capture")

    def __init__(self, road: Road, capture: Capture, owner: Owner) -> None:
        """Keep where it goes."""
        self.capture = capture
        self._road = road
        self._pool = road.pool
        self._owner = owner
        self._breaker = road.breaker
        self._call: Call | None = None
        self._asking: tuple[str | None, bool] | None = None

    def start(self, asked_model: str | None, *, shadow: bool = False) -> None:
        """Send the request, with the endpoint's model in place of the one asked for.

        Raises:
            Refusal: the model's name cannot be replaced in this body.
        """
        if self.capture.asks_usage:
            self.capture.asks_usage = self._pool.knows_usage
            self._asking = (asked_model, shadow) if self._pool.knows_usage else None
        self._send(asked_model, shadow=shadow)

    def adopt(
        self, running: Running, connection: Connection | None, message: bytes, asking: tuple[str | None, bool] | None
    ) -> Call:
        """Go on where another call stands. connection: None while it is being opened. message: what it sends.

        asking: the model asked for, and whether this is a copy, where the request asks for usage.
        """
        self._asking = asking
        self._call = Call(self._road.caller, self._pool, message, self, self._road.limits, self.capture.began)
        self._call.take_over(connection, running)
        return self._call

    def _send(self, asked_model: str | None, *, shadow: bool) -> None:
        message = message_of(self.capture, self._pool, asked_model, shadow=shadow)
        self._call = Call(self._road.caller, self._pool, message, self, self._road.limits, self.capture.began)
        self._call.start()

    @property
    def faulty(self) -> bool:
        """Tell whether the answer's head says that the server failed."""
        return self.capture.head is not None and self.capture.head.status >= _FAULT

    def read(self, head: Head | None, data: bytes, now: float, *, ended: bool) -> None:
        """Capture a read, then tell the owner."""
        capture = self.capture
        if head is not None:
            if self._asking is not None and self._refuses_usage(head.status, *self._asking):
                return
            capture.head = head
        if data:
            capture.add(data, now, self._road.room)
        if ended:
            capture.ended = now
            if self._breaker is not None and not self.faulty:
                self._breaker.succeeded()
            elif self._breaker is not None:
                self._breaker.failed("http_5xx", now)
        self._owner.arrived(self, data, ended=ended)

    def _refuses_usage(self, status: int, asked_model: str | None, shadow: bool) -> bool:  # noqa: FBT001 - start's own
        """Send the request as the client wrote it where what the engine refuses may be what we wrote into it.

        An engine that takes it then is not asked for usage again.
        """
        if not self.capture.asks_usage:
            self._pool.knows_usage = self._pool.knows_usage and status >= _BAD
            return False
        if status not in REFUSED:
            return False
        if self._call is not None:
            self._call.cancel()
        self.capture.asks_usage = False
        self._send(asked_model, shadow=shadow)
        return True

    def failed(self, failure: Failure) -> None:
        """Capture the failure, then tell the owner."""
        self.blame(failure)
        self._owner.broke(self, failure)

    def blame(self, failure: Failure) -> None:
        """Stop because the endpoint failed; its breaker learns of it, the owner knows already."""
        self.cancel(failure)
        if self._breaker is not None:
            self._breaker.failed(failure.kind, monotonic())

    def cancel(self, failure: Failure) -> None:
        """Stop, for a reason that may not be the endpoint's; the owner knows already."""
        if self._call is not None:
            self._call.cancel()
        if self.capture.ended is None:
            self.capture.failure = failure
            self.capture.ended = monotonic()

    def finish(self) -> bool:
        """Take what has come as all, where the stream has said so; its end is not waited for. False: it has not."""
        capture = self.capture
        head = capture.head
        if head is None or not head.plain_events or self.faulty or capture.cut or not is_over(capture.pieces):
            return False
        if self._call is not None:
            self._call.cancel()
        capture.ended = capture.times[-1]
        if self._breaker is not None:
            self._breaker.succeeded()
        return True

    def pause(self) -> None:
        """Read no more for now."""
        self.capture.held = True
        if self._call is not None:
            self._call.pause()

    def resume(self) -> None:
        """Read on."""
        if self._call is not None:
            self._call.resume()

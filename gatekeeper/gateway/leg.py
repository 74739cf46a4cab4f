"""One arm's attempt at a request: what is sent, what comes back, and the capture of both."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Protocol

from gatekeeper.gateway.body import with_model
from gatekeeper.gateway.call import Call
from gatekeeper.gateway.http import request_head
from gatekeeper.gateway.usage import REFUSED, asking

if TYPE_CHECKING:
    from gatekeeper.gateway.breaker import Breaker
    from gatekeeper.gateway.call import Caller, CallLimits
    from gatekeeper.gateway.capture import Capture
    from gatekeeper.gateway.http import Head
    from gatekeeper.gateway.origin import Pool
    from gatekeeper.model.exchange import Failure

_BAD, _FAULT = 400, 500
_SHADOW = b"x-gatekeeper-shadow: 1\r\n"


class Owner(Protocol):
    """Be who asked for a leg."""

    def arrived(self, leg: Leg, data: bytes, *, ended: bool) -> None:
        """Take a read that was captured."""

    def broke(self, leg: Leg, failure: Failure) -> None:
        """Take a failure that was captured; nothing more comes."""


class Leg:
    """Send a request to one endpoint, keep what comes back, tell the owner and the endpoint's breaker."""

    __slots__ = ("_asking", "_breaker", "_call", "_caller", "_limits", "_owner", "_pool", "_room", "capture")

    def __init__(
        self,
        caller: Caller,
        pool: Pool,
        capture: Capture,
        owner: Owner,
        *,
        limits: CallLimits,
        room: int,
        breaker: Breaker | None,
    ) -> None:
        """Keep where it goes. room: bytes of the answer that are kept. breaker: the candidate's, None for others."""
        self.capture = capture
        self._caller = caller
        self._pool = pool
        self._owner = owner
        self._limits = limits
        self._room = room
        self._breaker = breaker
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

    def _send(self, asked_model: str | None, *, shadow: bool) -> None:
        capture = self.capture
        request, endpoint = capture.request, capture.endpoint
        body = asking(request.body) if capture.asks_usage else request.body
        if endpoint.model and asked_model is not None:
            body = with_model(body, asked_model, endpoint.model)
        extra = capture.labels.id_line + _SHADOW if shadow else capture.labels.id_line
        pool = self._pool
        head = request_head(request.head, pool.prefix, pool.host, len(body), extra, plain=capture.asks_usage)
        self._call = Call(self._caller, pool, head + body, self, self._limits, capture.began)
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
            capture.add(data, now, self._room)
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

    def pause(self) -> None:
        """Read no more for now."""
        self.capture.held = True
        if self._call is not None:
            self._call.pause()

    def resume(self) -> None:
        """Read on."""
        if self._call is not None:
            self._call.resume()

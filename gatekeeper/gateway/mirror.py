"""Copies of baseline requests for the candidate: bounded, timed on their own, and of no weight for the user."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatekeeper.errors import InputError
from gatekeeper.gateway.capture import Capture
from gatekeeper.gateway.http import Refusal
from gatekeeper.gateway.leg import Leg, message_of
from gatekeeper.gateway.mirror_copy import Copy
from gatekeeper.model.arm import Arm
from gatekeeper.model.exchange import Failure

if TYPE_CHECKING:
    from gatekeeper.gateway.counters import Counters
    from gatekeeper.gateway.fleet import Fleet
    from gatekeeper.gateway.recorder import Recorder

_CANDIDATE = Arm.CANDIDATE
Copied = Copy | Leg
"""A copy under way."""


class Mirror:
    """Send copies while there is room for them; each ends as a recorded exchange or in a counted drop."""

    def __init__(self, fleet: Fleet, recorder: Recorder, counters: Counters, in_flight: int) -> None:
        """Have no copy under way; in_flight: how many there may be."""
        self._fleet = fleet
        self._recorder = recorder
        self._counters = counters
        self._bound = in_flight
        self._live: set[Copied] = set()

    @property
    def in_flight(self) -> int:
        """Return how many copies are under way."""
        return len(self._live)

    def copy(self, original: Capture, asked_model: str | None) -> Copied | None:
        """Send a copy of a baseline's request and pair the two; None when it was not sent, which is counted."""
        candidate = original.split.candidate
        if candidate is None or len(self._live) >= self._bound:
            self.count(original, "dropped_full" if candidate is not None else "dropped_no_candidate")
            return None
        capture = Capture(
            f"{original.id}/shadow",
            original.ts,
            _CANDIDATE,
            original.split,
            candidate,
            original.stage,
            original.request,
            original.labels,
            original.began,
            original.id,
            asks_usage=original.asks_usage,
        )
        if self._charged(capture):
            original.pair_id = original.id
            return None
        try:
            copied = self._send(capture, asked_model)
        except (InputError, Refusal):
            self.count(original, "dropped_unsendable")
            return None
        self._live.add(copied)
        original.pair_id = original.id
        self.count(original, "sent")
        return copied

    def _send(self, capture: Capture, asked_model: str | None) -> Copied:
        """Send a copy on a kept connection, or by a leg that opens one.

        Raises:
            InputError: the endpoint's URL is none.
            Refusal: the request cannot be sent there.
        """
        road = self._fleet.road(capture.endpoint.url, _CANDIDATE, streamed=True, shadow=True)
        if not capture.asks_usage:
            message = message_of(capture, road.pool, asked_model, shadow=True)
            connection = road.pool.take()
            if connection is not None:
                return Copy(road, connection, capture, message, self)
        leg = Leg(road, capture, self)
        leg.start(asked_model, shadow=True)
        return leg

    def ended(self, copied: Copied) -> None:
        """Record a copy that has ended, well or not."""
        self._live.discard(copied)
        self._recorder.put(copied.capture)

    def goes_on(self, copy: Copy, leg: Leg) -> None:
        """Keep a leg in a copy's place."""
        self._live.discard(copy)
        self._live.add(leg)

    def arrived(self, leg: Leg, data: bytes, *, ended: bool) -> None:  # noqa: ARG002 - captured already
        """Record the copy when it has ended."""
        if ended:
            self.ended(leg)

    def broke(self, leg: Leg, failure: Failure) -> None:  # noqa: ARG002 - captured already
        """Record the copy's failure."""
        self.ended(leg)

    def drop(self, copied: Copied, reason: str = "dropped_client_gone") -> bool:
        """Stop a copy whose user has left, and count it under this reason; False when it had ended before."""
        if isinstance(copied, Copy):
            if copied in self._live:
                copied.hand_over()
            if copied.leg is None:
                return False
            copied = copied.leg
        if copied not in self._live:
            return False
        self._live.discard(copied)
        copied.cancel(Failure(kind="client_closed"))
        self.count(copied.capture, reason)
        return True

    def count(self, capture: Capture, what: str) -> None:
        """Count what became of a copy."""
        self._counters.mirrors[capture.split.service, what] += 1

    def _charged(self, capture: Capture) -> bool:
        """Charge the candidate without asking it, while its breaker is open."""
        breaker = self._fleet.breaker(capture.endpoint.url)
        if breaker.allows(capture.began):
            return False
        capture.failure = breaker.refusal()
        self.count(capture, "charged_breaker_open")
        self._recorder.put(capture)
        return True

    def close(self) -> None:
        """Stop every copy: the gateway ends. Their users were answered; the pairs stay halves, and are counted."""
        for copied in list(self._live):
            self.drop(copied, "dropped_shutdown")

"""Copies of baseline requests for the candidate: bounded, timed on their own, and of no weight for the user."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from gatekeeper.errors import InputError
from gatekeeper.gateway.http import Refusal
from gatekeeper.model.arm import Arm
from gatekeeper.model.exchange import Failure

if TYPE_CHECKING:
    from gatekeeper.gateway.capture import Capture
    from gatekeeper.gateway.counters import Counters
    from gatekeeper.gateway.fleet import Fleet
    from gatekeeper.gateway.leg import Leg
    from gatekeeper.gateway.recorder import Recorder


class Mirror:
    """Send copies while there is room for them; each ends as a recorded exchange or in a counted drop."""

    def __init__(self, fleet: Fleet, recorder: Recorder, counters: Counters, in_flight: int) -> None:
        """Have no copy under way; in_flight: how many there may be."""
        self._fleet = fleet
        self._recorder = recorder
        self._counters = counters
        self._bound = in_flight
        self._live: set[Leg] = set()

    @property
    def in_flight(self) -> int:
        """Return how many copies are under way."""
        return len(self._live)

    def copy(self, original: Capture, asked_model: str | None) -> Leg | None:
        """Send a copy of a baseline's request and pair the two; None when it was not sent, which is counted."""
        candidate = original.split.candidate
        if candidate is None or len(self._live) >= self._bound:
            self.count(original, "dropped_full" if candidate is not None else "dropped_no_candidate")
            return None
        capture = replace(
            original,
            id=f"{original.id}/shadow",
            arm=Arm.CANDIDATE,
            endpoint=candidate,
            pair_id=original.id,
            pieces=[],
            marks=[],
        )
        if self._charged(capture):
            original.pair_id = original.id
            return None
        try:
            leg = self._fleet.leg(capture, self, streamed=True, shadow=True)
            leg.start(asked_model, shadow=True)
        except (InputError, Refusal):
            self.count(original, "dropped_unsendable")
            return None
        self._live.add(leg)
        original.pair_id = original.id
        self.count(original, "sent")
        return leg

    def arrived(self, leg: Leg, data: bytes, *, ended: bool) -> None:  # noqa: ARG002 - captured already
        """Record the copy when it has ended."""
        if ended:
            self._end(leg)

    def broke(self, leg: Leg, failure: Failure) -> None:  # noqa: ARG002 - captured already
        """Record the copy's failure."""
        self._end(leg)

    def drop(self, leg: Leg) -> bool:
        """Stop a copy whose user has left; False when it had ended before."""
        if leg not in self._live:
            return False
        self._live.discard(leg)
        leg.cancel(Failure(kind="client_closed"))
        self.count(leg.capture, "dropped_client_gone")
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

    def _end(self, leg: Leg) -> None:
        self._live.discard(leg)
        self._recorder.put(leg.capture)

    def close(self) -> None:
        """Stop every copy: the gateway ends. Their users were answered; the pairs stay halves, and are counted."""
        for leg in list(self._live):
            self._live.discard(leg)
            leg.cancel(Failure(kind="client_closed"))
            self.count(leg.capture, "dropped_shutdown")

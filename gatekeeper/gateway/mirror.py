"""Copies of baseline requests for the candidate: bounded, timed on their own, and of no weight for the user."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatekeeper.errors import InputError
from gatekeeper.gateway.http import Refusal
from gatekeeper.gateway.mirror_copy import Copy
from gatekeeper.gateway.way import way_of
from gatekeeper.model.exchange import Failure

if TYPE_CHECKING:
    from gatekeeper.gateway.capture import Capture
    from gatekeeper.gateway.counters import Counters
    from gatekeeper.gateway.leg import Leg
    from gatekeeper.gateway.proxy import Plan, Shop
    from gatekeeper.gateway.quick import Quick
    from gatekeeper.gateway.recorder import Keeps
    from gatekeeper.gateway.way import Way


class Mirror:
    """Send copies while there is room for them; each ends as a recorded exchange or in a counted drop."""

    def __init__(self, recorder: Keeps, counters: Counters, in_flight: int) -> None:
        """Have no copy under way; in_flight: how many there may be."""
        self._recorder = recorder
        self._counters = counters
        self._bound = in_flight
        self._live: set[Copy | Leg] = set()

    @property
    def in_flight(self) -> int:
        """Return how many copies are under way."""
        return len(self._live)

    def copy(self, shop: Shop, plan: Plan, original: Capture | Quick) -> Copy | None:
        """Send a copy of a baseline's request and pair the two; None when it was not sent, which is counted."""
        service = plan.split.service
        way = plan.copy_way
        if not plan.copy_sought or (way is not None and way.asks_usage and not way.road.pool.knows_usage):
            way = plan.copy_way = self._way(shop, plan, original)
            plan.copy_sought = True
        if way is None or len(self._live) >= self._bound:
            missing = "dropped_unsendable" if plan.split.candidate is not None else "dropped_no_candidate"
            self._count(service, "dropped_full" if way is not None else missing)
            return None
        request = original.request
        copy = Copy(way, self, request, f"{original.id}/shadow", original.ts)
        copy.pair_id = original.id
        breaker = way.road.breaker
        if breaker is not None and breaker.open and not breaker.allows(request.arrived):
            original.pair_id = original.id
            copy.failure = breaker.refusal()
            self._count(service, "charged_breaker_open")
            self._recorder.put(copy)
            return None
        try:
            message = way.message(request)
        except Refusal:
            self._count(service, "dropped_unsendable")
            return None
        self._live.add(copy)
        copy.start(message)
        original.pair_id = original.id
        way.fine.number += 1
        return copy

    def _way(self, shop: Shop, plan: Plan, original: Capture | Quick) -> Way | None:
        """Return how copies of a plan's requests are sent; None: they cannot be."""
        candidate = plan.split.candidate
        if candidate is None:
            return None
        try:
            return way_of(shop, plan, original.request.head, candidate, copies=True)
        except InputError:
            return None

    def ended(self, copy: Copy) -> None:
        """Record a copy that has ended well."""
        self._live.discard(copy)
        self._recorder.put(copy)

    def goes_on(self, copy: Copy, leg: Leg) -> None:
        """Keep a leg in a copy's place."""
        self._live.discard(copy)
        self._live.add(leg)

    def arrived(self, leg: Leg, data: bytes, *, ended: bool) -> None:  # noqa: ARG002 - captured already
        """Record the copy when it has ended."""
        if ended:
            self._end(leg)

    def broke(self, leg: Leg, failure: Failure) -> None:  # noqa: ARG002 - captured already
        """Record the copy's failure."""
        self._end(leg)

    def _end(self, leg: Leg) -> None:
        self._live.discard(leg)
        self._recorder.put(leg.capture)

    def drop(self, copied: Copy | Leg, reason: str = "dropped_client_gone") -> bool:
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
        self._count(copied.capture.split.service, reason)
        return True

    def _count(self, service: str, what: str) -> None:
        self._counters.mirrors.of(service, what).number += 1

    def close(self) -> None:
        """Stop every copy: the gateway ends. Their users were answered; the pairs stay halves, and are counted."""
        for copied in list(self._live):
            self.drop(copied, "dropped_shutdown")

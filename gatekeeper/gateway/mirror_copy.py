"""A mirrored copy: nobody waits for it, and it ends as a recorded exchange."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from gatekeeper.gateway.attempt import Attempt
from gatekeeper.gateway.leg import Leg, Owner

if TYPE_CHECKING:
    from gatekeeper.gateway.call import Call
    from gatekeeper.gateway.http import Head, Request
    from gatekeeper.gateway.way import Way


class Keeper(Owner, Protocol):
    """Be the mirror, as its copies see it."""

    def ended(self, copy: Copy) -> None:
        """Take a copy that has ended well."""

    def goes_on(self, copy: Copy, leg: Leg) -> None:
        """Take a leg in a copy's place."""


class Copy(Attempt):
    """Capture the answer to a copy for its mirror. leg: what goes on in its place, None while nothing does."""

    __slots__ = ("keeper", "leg")

    def __init__(self, way: Way, keeper: Keeper, request: Request, exchange_id: str, ts: float) -> None:
        """Be not sent yet."""
        super().__init__(way, request, exchange_id, ts)
        self.keeper = keeper
        self.leg: Leg | None = None

    def whole(self, head: Head, data: bytes) -> None:
        """Capture an answer that came in one read."""
        self.read(head, data, ended=True)

    def read(self, head: Head | None, data: bytes, *, ended: bool) -> None:
        """Capture a read."""
        if head is not None:
            if self.is_faulty(head.status):
                self.hand_over().read(head, data, ended=ended)
                return
            self.head = head
        self.keep(data, ended=ended)
        if ended:
            self.keeper.ended(self)

    def pass_chunk(self, chunk: bytes, data: bytes) -> None:  # noqa: ARG002 - nobody waits for it
        """Capture a chunk."""
        self.keep(data, ended=False)

    def hand_over(self) -> Call:
        """Let a leg go on from here, which the mirror owns."""
        leg = self.leg = Leg(self.way.road, self.captured(), self.keeper)
        self.keeper.goes_on(self, leg)
        return self.give(leg, shadow=True)

"""A mirrored copy on its ordinary way: nobody waits for it, and it ends as a recorded exchange."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatekeeper.gateway.attempt import FAULT, Attempt
from gatekeeper.gateway.leg import Leg

if TYPE_CHECKING:
    from gatekeeper.gateway.call import Call
    from gatekeeper.gateway.capture import Capture
    from gatekeeper.gateway.http import Head
    from gatekeeper.gateway.leg import Road
    from gatekeeper.gateway.mirror import Mirror
    from gatekeeper.gateway.upstream import Connection


class Copy(Attempt):
    """Capture the answer to a copy for its mirror. leg: what goes on in its place, None while nothing does."""

    __slots__ = ("_mirror", "leg")

    def __init__(self, road: Road, connection: Connection, capture: Capture, message: bytes, mirror: Mirror) -> None:
        """Send the copy."""
        self._mirror = mirror
        self.leg: Leg | None = None
        Attempt.__init__(self, road, connection, capture, message)

    def read(self, head: Head | None, data: bytes, *, ended: bool) -> None:
        """Capture a read."""
        if head is not None:
            if head.status >= FAULT:
                self.hand_over().read(head, data, ended=ended)
                return
            self.capture.head = head
        self._keep(data, ended=ended)
        if ended:
            self._mirror.ended(self)

    def hand_over(self) -> Call:
        """Let a leg go on from here, which the mirror owns."""
        leg = self.leg = Leg(self._road, self.capture, self._mirror)
        self._mirror.goes_on(self, leg)
        return self._give(leg)

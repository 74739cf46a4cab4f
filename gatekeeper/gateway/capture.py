"""What the request path keeps of one exchange: raw bytes and clock readings, nothing parsed."""

from __future__ import annotations

from dataclasses import dataclass, field

from gatekeeper.gateway.http import Head, Request
from gatekeeper.gateway.labels import Labels
from gatekeeper.model.arm import Arm
from gatekeeper.model.exchange import Failure
from gatekeeper.model.split import Endpoint, Split

RESCUE_STAGE = -1
"""The stage of a baseline's answer to a request that the candidate failed: kept, never compared."""


@dataclass(slots=True, kw_only=True)
class Capture:
    """Hold one arm's exchange while it happens.

    ts: unix seconds when the request arrived. began, ended: monotonic seconds. marks: (monotonic seconds, bytes of
    body so far) of each read. cut: the body was longer than is kept. failure: what the request path
    saw go wrong; None does not yet mean that the answer was a good one.
    """

    id: str
    ts: float
    arm: Arm
    split: Split
    endpoint: Endpoint
    stage: int
    request: Request
    labels: Labels
    began: float
    pair_id: str | None = None
    head: Head | None = None
    pieces: list[bytes] = field(default_factory=list)
    marks: list[tuple[float, int]] = field(default_factory=list)
    size: int = 0
    cut: bool = False
    ended: float | None = None
    failure: Failure | None = None

    def add(self, data: bytes, now: float, room: int) -> None:
        """Keep a read, up to `room` bytes of body in all."""
        self.size += len(data)
        if self.size <= room:
            self.pieces.append(data)
            self.marks.append((now, self.size))
        else:
            self.cut = True

"""What the request path keeps of one exchange: raw bytes and clock readings, nothing parsed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from gatekeeper.model.cohort import APART_STAGE
from gatekeeper.model.exchange import Place

if TYPE_CHECKING:
    from gatekeeper.gateway.http import Head, Request
    from gatekeeper.gateway.labels import Labels
    from gatekeeper.model.arm import Arm
    from gatekeeper.model.exchange import Failure
    from gatekeeper.model.split import Endpoint, Split

RESCUE_STAGE = APART_STAGE
"""The stage of a baseline's answer to a request that the candidate failed: kept, never compared."""


class Capture(msgspec.Struct, kw_only=True):
    """Hold one arm's exchange while it happens.

    ts: unix seconds when the request arrived. began, ended: monotonic seconds. marks: (monotonic seconds, bytes of
    body so far) of each read. cut: the body was longer than is kept. held: reading was stopped for a while, because the
    client did not keep up. failure: what the request path saw go wrong; None does not yet mean that the answer was a
    good one. asks_usage: the request asks the engine for usage, which the client did not.
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
    pieces: list[bytes] = []
    marks: list[tuple[float, int]] = []
    size: int = 0
    cut: bool = False
    held: bool = False
    ended: float | None = None
    failure: Failure | None = None
    asks_usage: bool = False

    @property
    def place(self) -> Place:
        """Return what it is evidence for."""
        split = self.split
        return Place(
            arm=self.arm, service=split.service, rollout_id=split.rollout_id, stage=self.stage, epoch=split.epoch
        )

    def add(self, data: bytes, now: float, room: int) -> None:
        """Keep a read, up to `room` bytes of body in all."""
        self.size += len(data)
        if self.size <= room:
            self.pieces.append(data)
            self.marks.append((now, self.size))
        else:
            self.cut = True

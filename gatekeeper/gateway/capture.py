"""What the request path keeps of one exchange: raw bytes and clock readings, nothing parsed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from gatekeeper.captures.frames import frame_of
from gatekeeper.captures.raw import RawExchange
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


class Capture(msgspec.Struct):
    """Hold one arm's exchange while it happens.

    size: of the body so far, bytes. asks_usage: the request asks the engine for usage, which the client did not. For
    the other fields see `RawExchange`, which this becomes.
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
    times: list[float] = []
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
            self.times.append(now)
        else:
            self.cut = True

    def frame(self) -> bytes:
        """Return what is recorded of it, as a frame.

        Raises:
            ValueError: it cannot be written.
        """
        return frame_of(self.raw(), self.id)

    def raw(self) -> RawExchange:
        """Return what is recorded of it."""
        split, labels, head, endpoint = self.split, self.labels, self.head, self.endpoint
        return RawExchange(
            self.id,
            self.ts,
            self.arm,
            split.service,
            split.rollout_id,
            self.stage,
            split.epoch,
            self.pair_id,
            labels.cluster_id,
            labels.segment,
            labels.expect,
            labels.response_schema,
            self.request.head.path,
            self.request.body,
            head.status if head is not None else 0,
            head.content_type if head is not None else "",
            head.coding if head is not None else "",
            self.pieces,
            self.times,
            False,  # noqa: FBT003 - the fields are told by their order here: this is done for every request
            self.began,
            self.ended,
            self.cut,
            self.held,
            self.failure,
            endpoint.prompt_usd,
            endpoint.completion_usd,
        )

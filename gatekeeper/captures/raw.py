"""An exchange as its gateway saw it: bytes and clock readings, with nothing parsed."""

from __future__ import annotations

from typing import Any

import msgspec

from gatekeeper.model.arm import Arm  # noqa: TC001 - msgspec reads the annotations
from gatekeeper.model.exchange import Failure, Place


class RawExchange(msgspec.Struct, array_like=True, frozen=True):
    """Hold what is needed to read an exchange later, elsewhere. New fields come last, with a default.

    ts: unix seconds when the request arrived. path: that it was sent to. status: of the answer, 0 when there was none.
    content_type, coding: the answer's headers, lower-case, "" without them. pieces, times: the answer's body read by
    read, and when each came (monotonic seconds, as began and ended). chunked: the pieces are still in the chunked
    transfer coding. cut: the body was longer than is kept. held: reading was stopped for a while, because the client
    did not keep up. failure: what the gateway saw go wrong; None does not yet mean that the answer was a good one.
    prompt_usd, completion_usd: prices of a million tokens. lost: above 0, this is no exchange but the notice that so
    many of its place could not be recorded. The other fields are those of `Exchange`.
    """

    id: str
    ts: float
    arm: Arm
    service: str
    rollout_id: str
    stage: int
    epoch: int
    pair_id: str | None = None
    cluster_id: str | None = None
    segment: str | dict[str, str] | None = None
    expect: tuple[dict[str, Any], ...] = ()
    response_schema: dict[str, Any] | None = None
    path: str = ""
    request: bytes = b""
    status: int = 0
    content_type: str = ""
    coding: str = ""
    pieces: list[bytes] = []
    times: list[float] = []
    chunked: bool = False
    began: float = 0.0
    ended: float | None = None
    cut: bool = False
    held: bool = False
    failure: Failure | None = None
    prompt_usd: float = 0.0
    completion_usd: float = 0.0
    lost: int = 0

    @property
    def streamed(self) -> bool:
        """Tell whether the answer came as events."""
        return self.content_type.startswith("text/event-stream")

    @property
    def place(self) -> Place:
        """Return what it is evidence for."""
        return Place(arm=self.arm, service=self.service, rollout_id=self.rollout_id, stage=self.stage, epoch=self.epoch)

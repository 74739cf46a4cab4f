"""A request on its ordinary way: one object where a capture, a leg and its call are three.

What is not ordinary (a failure, a deadline, a client that leaves or does not keep up, an answer of another kind) is
handed over to a leg, which goes on from there as if it had begun.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from gatekeeper.captures.frames import frame_of
from gatekeeper.captures.raw import RawExchange
from gatekeeper.captures.whole import fields_of, whole_frame
from gatekeeper.gateway.capture import Capture
from gatekeeper.gateway.usage import REFUSED
from gatekeeper.model.exchange import Place

if TYPE_CHECKING:
    from gatekeeper.gateway.call import Call
    from gatekeeper.gateway.http import Head, Request
    from gatekeeper.gateway.leg import Leg
    from gatekeeper.gateway.upstream import Connection
    from gatekeeper.gateway.way import Way
    from gatekeeper.model.arm import Arm
    from gatekeeper.model.exchange import Failure

_FAULT: Final = 500


class Attempt:
    """Be the call that is on a connection, and its capture; implements `call.Running` and `recorder.Captured`.

    due_at: its deadline, monotonic seconds; reads after the first let it stand, and `expire` looks at when they came.
    heir: the call that goes on in its place. For the rest see `Capture`.
    """

    __slots__ = (
        "answered",
        "connection",
        "cut",
        "due_at",
        "ended",
        "failure",
        "head",
        "heir",
        "id",
        "pair_id",
        "pieces",
        "request",
        "size",
        "times",
        "ts",
        "way",
    )

    def __init__(self, way: Way, request: Request, exchange_id: str, ts: float) -> None:
        """Be not sent yet."""
        self.way = way
        self.request = request
        self.id = exchange_id
        self.ts = ts
        self.due_at = request.arrived + way.answer_s
        self.pair_id: str | None = None
        self.connection: Connection | None = None
        self.answered = False
        self.head: Head | None = None
        self.pieces: list[bytes] = []
        self.times: list[float] = []
        self.size = 0
        self.cut = False
        self.ended: float | None = None
        self.failure: Failure | None = None
        self.heir: Call | None = None

    def start(self, message: bytes) -> None:
        """Send the request on a kept connection, or on one that is opened. message: its head and body."""
        road = self.way.road
        road.caller.live.add(self)
        connection = road.pool.take()
        if connection is None:
            road.caller.open(self, road.pool)
        else:
            self.connection = connection
            connection.send(self, message)

    def opened(self, connection: Connection) -> None:
        """Send the request on the connection that was opened for it."""
        road = self.way.road
        if self in road.caller.live:
            self.connection = connection
            connection.send(self, self.way.message(self.request))
        elif self.heir is not None:
            self.heir.opened(connection)
        else:
            road.pool.give_back(connection)

    def unopened(self, failure: Failure) -> None:
        """Hand over that no connection could be opened."""
        if self in self.way.road.caller.live:
            self.hand_over()
        if self.heir is not None:
            self.heir.unopened(failure)

    def whole(self, head: Head, data: bytes) -> None:
        """Take an answer that came in one read (called by the connection)."""
        raise NotImplementedError

    def read(self, head: Head | None, data: bytes, *, ended: bool) -> None:
        """Take one read (called by the connection)."""
        raise NotImplementedError

    def pass_chunk(self, chunk: bytes, data: bytes) -> None:
        """Take one read that is one chunk (called by the connection)."""
        raise NotImplementedError

    def hand_over(self) -> Call:
        """Let a leg go on from here; its call."""
        raise NotImplementedError

    def lost(self, failure: Failure) -> None:
        """Hand over that the connection was lost."""
        self.hand_over().lost(failure)

    def broke(self, failure: Failure) -> None:
        """Hand over that the answer cannot be read."""
        self.hand_over().broke(failure)

    def expire(self, now: float) -> None:
        """Hand over that a deadline has passed, unless a read has put it off."""
        if self.times and not self.cut:
            self.due_at = self.due_after(self.times[-1])
            if self.due_at > now:
                return
        self.hand_over().expire(now)

    @property
    def place(self) -> Place:
        """Return what it is evidence for."""
        way = self.way
        split, stage = way.plan.split, way.stage
        return Place(arm=way.arm, service=split.service, rollout_id=split.rollout_id, stage=stage, epoch=split.epoch)

    def raw(self) -> RawExchange:
        """Return what is recorded of it."""
        return RawExchange(*self.fields(self.way.arm))

    def fields(self, arm: Arm | str) -> tuple[Any, ...]:
        """Return the fields of `raw`, in their order, with the arm as it is given."""
        way, request, head = self.way, self.request, self.head
        return (
            self.id,
            self.ts,
            arm,
            *way.place,
            self.pair_id,
            *way.told,
            request.body,
            head.status if head is not None else 0,
            head.content_type if head is not None else "",
            head.coding if head is not None else "",
            self.pieces,
            self.times,
            False,
            request.arrived,
            self.ended,
            self.cut,
            False,
            self.failure,
            *way.prices,
        )

    def frame(self) -> bytes:
        """Return what is recorded of it, as a frame.

        Raises:
            ValueError: it cannot be written.
        """
        written = self._whole_frame() if len(self.pieces) == 1 else None
        return written if written is not None else frame_of(self.fields(self.way.arm_name), self.id)

    def _whole_frame(self) -> bytes | None:
        """Return the frame of an answer that came in one read; None: there is more to say of it."""
        kind, head, ended, request = self.way.kind, self.head, self.ended, self.request
        if kind is None or head is None or ended is None or self.cut or self.failure is not None:
            return None
        if not head.recorded:
            head.recorded = fields_of((head.status, head.content_type, head.coding))
        return whole_frame(
            kind,
            self.id,
            self.ts,
            self.pair_id,
            request.body,
            head.recorded,
            self.pieces[0],
            self.times[0],
            request.arrived,
            ended,
        )

    def keep(self, data: bytes, *, ended: bool) -> None:
        """Capture a read; the breaker of an endpoint that has answered whole learns of it."""
        now = monotonic()
        road = self.way.road
        if data:
            size = self.size = self.size + len(data)
            if size <= road.room:
                self.pieces.append(data)
                self.times.append(now)
            else:
                self.cut = True
        if ended:
            self.ended = now
            road.caller.live.discard(self)
            if road.breaker is not None:
                road.breaker.succeeded()
        elif self.cut or len(self.times) == 1:
            self.due_at = self.due_after(now)

    def due_after(self, now: float) -> float:
        """Return the deadline after a read that came at `now`."""
        limits = self.way.road.limits
        ends, due_at = self.request.arrived + limits.total_s, now + limits.between_s
        return min(ends, due_at)

    def is_faulty(self, status: int) -> bool:
        """Tell whether a leg must deal with an answer: a charged endpoint's fault, or what our asking may have done."""
        way = self.way
        return (status >= _FAULT and way.road.breaker is not None) or (way.asks_usage and status in REFUSED)

    def captured(self) -> Capture:
        """Return what there is of it, for a leg."""
        way = self.way
        plan = way.plan
        return Capture(
            self.id,
            self.ts,
            way.arm,
            plan.split,
            way.endpoint,
            way.stage,
            self.request,
            plan.labels,
            self.request.arrived,
            self.pair_id,
            self.head,
            self.pieces,
            self.times,
            self.size,
            self.cut,
            ended=self.ended,
            asks_usage=way.asks_usage,
        )

    def give(self, leg: Leg, *, shadow: bool = False) -> Call:
        """Give the connection, or the one that is being opened, to a leg's call."""
        way = self.way
        asking = (way.plan.model, shadow) if way.asks_usage else None
        self.heir = leg.adopt(self, self.connection, way.message(self.request), asking)
        return self.heir

"""The answer to an ordinary request, in as little work as it takes; `Forward` answers every other."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from gatekeeper.errors import InputError
from gatekeeper.gateway.attempt import FAULT, Attempt
from gatekeeper.gateway.body import with_model
from gatekeeper.gateway.capture import Capture
from gatekeeper.gateway.http import request_lead
from gatekeeper.gateway.leg import Leg
from gatekeeper.gateway.proxy import Forward
from gatekeeper.model.arm import Arm
from gatekeeper.model.cohort import APART_STAGE

if TYPE_CHECKING:
    from gatekeeper.gateway.call import Call
    from gatekeeper.gateway.http import Head, Request
    from gatekeeper.gateway.leg import Road
    from gatekeeper.gateway.mirror import Copied
    from gatekeeper.gateway.proxy import Plan, Shop
    from gatekeeper.gateway.server import ClientConnection
    from gatekeeper.gateway.upstream import Connection
    from gatekeeper.model.split import Endpoint

_CANDIDATE = Arm.CANDIDATE


class Way(NamedTuple):
    """Hold how ordinary requests of one plan are sent. lead: what their heads begin with. model: to put in, or None."""

    road: Road
    endpoint: Endpoint
    stage: int
    lead: bytes
    model: str | None


def answer(shop: Shop, client: ClientConnection, request: Request, plan: Plan) -> Quick | None:
    """Begin to answer an ordinary request; None, and nothing was done: it is none, or no connection is kept for it.

    Raises:
        Refusal: the request cannot be sent.
    """
    way = plan.way
    if way is None:
        way = plan.way = _way(shop, request, plan) or ()
    if not way:
        return None
    road, endpoint, stage, lead, model = way
    body = request.body if model is None else with_model(request.body, plan.model or "", model)
    if road.breaker is not None and road.breaker.open:
        return None
    connection = road.pool.take()
    if connection is None:
        return None
    shop.rescues.seen()
    split = plan.split
    capture = Capture(
        request.exchange_id, time.time(), plan.arm, split, endpoint, stage, request, plan.labels, request.arrived
    )
    copy = shop.mirror.copy(capture, plan.model) if plan.copies(capture) else None
    message = b"%b%d\r\n%b\r\n%b" % (lead, len(body), request.id_line, body)
    return Quick(road, connection, capture, message, shop, client, plan, copy)


def _way(shop: Shop, request: Request, plan: Plan) -> Way | None:
    """Return how a plan's requests are sent; None: they are not ordinary."""
    split, head = plan.split, request.head
    endpoint = split.candidate if plan.arm is _CANDIDATE else split.baseline
    shows = shop.show_release or shop.show_arm or plan.labels.override is not None
    if shows or plan.asks_usage or not plan.measured or head.minor != 1 or endpoint is None:
        return None
    try:
        road = shop.fleet.road(endpoint.url, plan.arm, streamed=plan.streamed)
    except InputError:
        return None
    stage = split.stage if plan.drawn else APART_STAGE
    model = endpoint.model if endpoint.model and plan.model is not None else None
    return Way(road, endpoint, stage, request_lead(head, road.pool.origin), model)


class Quick(Attempt):
    """Pass an answer back as it comes; `front.Turn` and the connection's call in one."""

    __slots__ = ("_chunked", "_client", "_copy", "_plan", "_shop")

    def __init__(
        self,
        road: Road,
        connection: Connection,
        capture: Capture,
        message: bytes,
        shop: Shop,
        client: ClientConnection,
        plan: Plan,
        copy: Copied | None,
    ) -> None:
        """Send the request."""
        self._shop = shop
        self._client = client
        self._plan = plan
        self._copy = copy
        self._chunked = False
        Attempt.__init__(self, road, connection, capture, message)

    def read(self, head: Head | None, data: bytes, *, ended: bool) -> None:
        """Capture a read, and pass it on; the candidate's head waits for its first byte of body."""
        client = self._client
        capture = self.capture
        if head is None:
            sent = data
        elif not client.keeps or head.bodiless or (self._road.breaker is not None and self._is_doubtful(head, data)):
            self.hand_over().read(head, data, ended=ended)
            return
        else:
            capture.head = head
            if head.length is None:
                self._chunked = True
                sent = b"%b%btransfer-encoding: chunked\r\n\r\n" % (head.start, capture.request.id_line)
            else:
                line = capture.request.id_line
                sent = b"%bcontent-length: %d\r\n%b\r\n%b" % (head.start, head.length, line, data)
        if self._chunked:
            sent = self._framed(b"" if head is None else sent, data, ended=ended)
        self._keep(data, ended=ended)
        client.write(sent)
        if ended:
            self._shop.ended(capture, recorded=True)
            client.done()

    def pass_chunk(self, chunk: bytes, data: bytes) -> None:
        """Capture a chunk, and pass it on as it is framed."""
        if not self._chunked:
            self.read(None, data, ended=False)
            return
        now = time.monotonic()
        capture = self.capture
        size = capture.size = capture.size + len(data)
        if size <= self._road.room:
            capture.pieces.append(data)
            capture.times.append(now)
        else:
            capture.cut = True
        due_at = now + self._between_s
        self.due_at = min(self._ends, due_at)
        self._client.write(chunk)

    @staticmethod
    def _framed(before: bytes, data: bytes, *, ended: bool) -> bytes:
        if ended:
            return b"%b%x\r\n%b\r\n0\r\n\r\n" % (before, len(data), data) if data else before + b"0\r\n\r\n"
        return b"%b%x\r\n%b\r\n" % (before, len(data), data) if data else before

    @staticmethod
    def _is_doubtful(head: Head, data: bytes) -> bool:
        """Tell whether a candidate's answer may have to be replaced."""
        return head.status >= FAULT or not data

    def hand_over(self) -> Call:
        """Let a `Forward` and its leg go on from here."""
        return self._become()[1]

    def client_gone(self) -> None:
        """Hand over that nobody waits for the answer."""
        self._become()[0].client_gone()

    def pause(self) -> None:
        """Hand over that the client does not keep up."""
        self._become()[0].pause()

    def resume(self) -> None:
        """Do nothing: it was not this turn that was held back."""

    def _become(self) -> tuple[Forward, Call]:
        forward = Forward(self._shop, self._client, self.capture.request, self._plan)
        leg = Leg(self._road, self.capture, forward)
        forward.adopt(leg, self._copy, chunked=self._chunked)
        self._client.pass_on(forward)
        return forward, self._give(leg)

"""The answer to an ordinary request, in as little work as it takes; `Forward` answers every other."""

from __future__ import annotations

from time import monotonic, time
from typing import TYPE_CHECKING, Final

from gatekeeper.errors import InputError
from gatekeeper.gateway.attempt import Attempt
from gatekeeper.gateway.http import CHUNKED_LINE, response_head, sized
from gatekeeper.gateway.leg import Leg
from gatekeeper.gateway.proxy import Forward
from gatekeeper.gateway.usage import Strip
from gatekeeper.gateway.way import way_of
from gatekeeper.model.arm import Arm

if TYPE_CHECKING:
    from gatekeeper.gateway.call import Call
    from gatekeeper.gateway.http import Head, Request
    from gatekeeper.gateway.mirror_copy import Copy
    from gatekeeper.gateway.proxy import Plan, Shop
    from gatekeeper.gateway.server import ClientConnection
    from gatekeeper.gateway.way import Way

_CANDIDATE: Final = Arm.CANDIDATE
_BAD: Final = 400


def answer(shop: Shop, client: ClientConnection, request: Request, plan: Plan) -> Quick | None:
    """Begin to answer an ordinary request; None, and nothing was done: it is none.

    Raises:
        Refusal: the request cannot be sent.
    """
    way = plan.way
    if not plan.sought or (way is not None and way.asks_usage and not way.road.pool.knows_usage):
        way = plan.way = _way(shop, request, plan)
        plan.sought = True
    if way is None:
        return None
    road = way.road
    if road.breaker is not None and road.breaker.open:
        return None
    message = way.message(request)
    shop.rescues.requests += 1
    turn = Quick(way, client, request)
    turn.start(message)
    if way.copied and plan.copies(turn.id):
        turn.copy = shop.mirror.copy(shop, plan, turn)
    return turn


def _way(shop: Shop, request: Request, plan: Plan) -> Way | None:
    """Return how a plan's requests are sent; None: they are not ordinary."""
    endpoint = plan.split.candidate if plan.arm is _CANDIDATE else plan.split.baseline
    shows = shop.show_release or shop.show_arm or plan.labels.override is not None
    if shows or not plan.measured or request.head.minor != 1 or endpoint is None:
        return None
    try:
        return way_of(shop, plan, request.head, endpoint)
    except InputError:
        return None


class Quick(Attempt):
    """Pass an answer back as it comes; `front.Turn` and the connection's call in one.

    copy: of the request, for the candidate. begun: the head went to the client; chunked: its body goes in chunks.
    strip: takes out of it what the client did not ask for.
    """

    __slots__ = ("begun", "chunked", "client", "copy", "strip")

    def __init__(self, way: Way, client: ClientConnection, request: Request) -> None:
        """Be not sent yet."""
        super().__init__(way, request, request.exchange_id, time())
        self.client = client
        self.copy: Copy | None = None
        self.begun = False
        self.chunked = False
        self.strip: Strip | None = None

    def whole(self, head: Head, data: bytes) -> None:
        """Capture an answer that came in one read, and pass it on."""
        way, client, request = self.way, self.client, self.request
        road = way.road
        kept = request.keep_alive and not client.front.draining
        if not kept or head.status >= _BAD or way.asks_usage:
            self.read(sized(head, len(data)), data, ended=True)
            return
        self.ended = now = monotonic()
        self.head = head
        size = self.size = len(data)
        if size > road.room:
            self.cut = True
        elif data:
            self.pieces.append(data)
            self.times.append(now)
        road.caller.live.discard(self)
        if road.breaker is not None:
            road.breaker.succeeded()
        client.write(b"%bcontent-length: %d\r\n%b\r\n%b" % (head.start, size, request.id_line, data))
        way.fine.number += 1
        way.shop.recorder.put(self)
        client.done()

    def read(self, head: Head | None, data: bytes, *, ended: bool) -> None:
        """Capture a read, and pass it on; the candidate's head waits for its first byte of body."""
        client = self.client
        if head is not None:
            if head.bodiless or not client.keeps or self.is_faulty(head.status):
                self.hand_over().read(head, data, ended=ended)
                return
            self.head = head
        self.keep(data, ended=ended)
        if not (data or ended) and (self.head is None or self.way.road.breaker is not None):
            return
        sent = b"" if self.begun or self.head is None else self._begin(self.head)
        if self.strip is not None:
            data = self.strip.feed(data, ended=ended)
        if self.chunked and data:
            data = b"%x\r\n%b\r\n" % (len(data), data)
        if self.chunked and ended:
            data += b"0\r\n\r\n"
        if sent or data:
            client.write(sent + data)
        if ended:
            self.way.shop.ended(self, recorded=True)
            client.done()

    def pass_chunk(self, chunk: bytes, data: bytes) -> None:
        """Capture a chunk, and pass it on as it is framed."""
        strip = self.strip
        passes = strip is None or (strip.clear and b"usage" not in data and data.endswith(b"\n\n"))
        if not (passes and self.begun):
            self.read(None, data, ended=False)
            return
        size = self.size = self.size + len(data)
        if size > self.way.road.room:
            self.cut = True
            self.due_at = self.due_after(monotonic())
        else:
            self.pieces.append(data)
            self.times.append(monotonic())
        self.client.write(chunk)

    def _begin(self, head: Head) -> bytes:
        """Return the answer's head."""
        self.begun = True
        lines = self.request.id_line
        stripped = self.way.asks_usage and head.plain_events
        if stripped:
            self.strip = Strip()
        self.chunked = stripped or head.length is None
        if self.chunked:
            lines += CHUNKED_LINE
        return response_head(head, lines, resized=stripped)

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
        forward = Forward(self.way.shop, self.client, self.request, self.way.plan)
        leg = Leg(self.way.road, self.captured(), forward)
        forward.adopt(leg, self.copy, head_sent=self.begun, chunked=self.chunked, strip=self.strip)
        self.client.pass_on(forward)
        return forward, self.give(leg)

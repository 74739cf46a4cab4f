"""The quick lane and the general path give the same bytes and the same record, however reads are cut and who leaves."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from gatekeeper.adapters.splitfeed import SplitFeed
from gatekeeper.captures.chunks import Chunks
from gatekeeper.captures.frames import read_frame, split_frames
from gatekeeper.gateway import quick
from gatekeeper.gateway.budget import Budget
from gatekeeper.gateway.counters import Counters
from gatekeeper.gateway.fleet import Fleet
from gatekeeper.gateway.heads import Heads
from gatekeeper.gateway.limits import Limits
from gatekeeper.gateway.mirror import Mirror
from gatekeeper.gateway.outbox import Outbox
from gatekeeper.gateway.override import Overrides
from gatekeeper.gateway.proxy import Forward, Shop
from gatekeeper.gateway.route import Router
from gatekeeper.gateway.server import ClientConnection
from gatekeeper.gateway.upstream import Connection
from gatekeeper.model.exchange import Failure
from gatekeeper.model.split import Endpoint, Split

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from gatekeeper.captures.raw import RawExchange
    from gatekeeper.gateway.capture import Capture
    from gatekeeper.gateway.http import Request

BASELINE, CANDIDATE = "http://127.0.0.1:1", "http://127.0.0.1:2/sub"
LIMITS = Limits(record_bytes=60, breaker_failures=2)


class Task:
    """Be a task that never runs."""

    def add_done_callback(self, call: Callable[[Task], object]) -> None:
        """Never call it."""


class Still:
    """Be a loop that opens no connections, and calls what it should call soon when it is told to."""

    def __init__(self) -> None:
        """Have nothing to call."""
        self.soon: list[Callable[[], None]] = []

    def create_task(self, coroutine: Coroutine[Any, Any, None]) -> Task:
        """Never run it."""
        coroutine.close()
        return Task()

    def call_soon(self, call: Callable[[], None]) -> None:
        """Keep it."""
        self.soon.append(call)

    def turn(self) -> None:
        """Call what was kept, and what that asks for."""
        while self.soon:
            self.soon.pop(0)()


class Wire:
    """Be a transport: keep what is written and done."""

    def __init__(self) -> None:
        """Be open."""
        self.sent = b""
        self.done: list[str] = []

    def write(self, data: bytes) -> None:
        """Keep bytes."""
        self.sent += data

    def is_closing(self) -> bool:
        """Tell whether it was closed."""
        return "close" in self.done or "abort" in self.done

    def close(self) -> None:
        """Note it."""
        self.done.append("close")

    def abort(self) -> None:
        """Note it."""
        self.done.append("abort")

    def pause_reading(self) -> None:
        """Note it."""
        self.done.append("pause")

    def resume_reading(self) -> None:
        """Note it, if it changes anything."""
        if self.done and self.done[-1] == "pause":
            self.done.append("resume")

    def get_write_buffer_size(self) -> int:
        """Have sent all."""
        return 0

    def get_extra_info(self, name: str) -> object:
        """Tell the peer."""
        return ("127.0.0.1", 1) if name == "peername" else None


class Kept:
    """Be the recorder: keep captures, as they are when they are given."""

    def __init__(self) -> None:
        """Have none."""
        self.raws: list[RawExchange] = []

    def put(self, capture: Capture) -> None:
        """Keep one, without its times."""
        raw = capture.raw()
        assert len(raw.times) == len(raw.pieces)
        assert [read_frame(frame) for frame in split_frames(capture.frame())] == [raw]
        assert (raw.ended is None) == (capture.ended is None)
        blank = {"ts": 0.0, "began": 0.0, "ended": None, "times": [], "pieces": [b"".join(raw.pieces)]}
        self.raws.append(structs.replace(raw, **blank))


class Lane:
    """Be a gateway with one client and a kept connection to each arm, which takes one lane where it can."""

    def __init__(self, *, fast: bool, kept: int = 2, **fields: Any) -> None:  # noqa: ANN401 - a split's
        """Connect. kept: connections to each arm."""
        self.limits, self.loop, self.draining = LIMITS, Still(), False
        self.outbox = Outbox(self.loop)
        self.heads: Heads[Any] = Heads()
        self.connections: set[ClientConnection] = set()
        self.fast = fast
        self.quick = 0
        plain = {"service": "bot", "epoch": 1, "version": 1, "salt": "s", "rollout_id": "r", "stage": 2, **fields}
        arms = {"baseline": Endpoint(url=BASELINE, model="base"), "candidate": Endpoint(url=CANDIDATE, model="cand")}
        self.router = Router(SplitFeed(initial=[Split(**arms, **plain)]), None, Overrides(""))
        self.kept, fleet, counters = Kept(), Fleet(LIMITS, self.loop), Counters()
        mirror = Mirror(self.kept, counters, 9)
        self.shop = Shop(
            fleet=fleet, mirror=mirror, recorder=self.kept, counters=counters, rescues=Budget(1.0, 9.0, monotonic())
        )
        self.ups: list[tuple[Connection, Wire]] = []
        for url in (BASELINE, CANDIDATE):
            for _ in range(kept):
                connection, wire = Connection(fleet.pool(url)), Wire()
                connection.connection_made(wire)
                fleet.pool(url).give_back(connection)
                self.ups.append((connection, wire))
        self.wire = Wire()
        self.client = ClientConnection(self)
        self.client.connection_made(self.wire)

    def answer(self, request: Request, client: ClientConnection) -> quick.Quick | Forward:
        """Answer as the gateway does."""
        plan = self.router.plan(request)
        if self.fast and (turn := quick.answer(self.shop, client, request, plan)) is not None:
            self.quick += 1
            return turn
        forward = Forward(self.shop, client, request, plan)
        forward.begin()
        return forward

    def refused(self, status: int) -> None:
        """Count nothing."""

    def act(self, step: tuple[str, bytes]) -> None:
        """Do one thing to every connection that has a call on it, or to the client."""
        what, data = step
        if what == "ask":
            self.client.data_received(data)
        elif what == "gone":
            self.wire.abort()
            self.client.connection_lost(None)
        elif what in ("pause_writing", "resume_writing"):
            getattr(self.client, what)()
        elif what == "late":
            self.expire()
        for connection, wire in self.ups:
            if connection.call is not None and not wire.is_closing():
                if what == "say":
                    connection.data_received(data)
                elif what == "lost":
                    wire.abort()
                    connection.connection_lost(None)
        self.loop.turn()

    def expire(self) -> None:
        """Let every deadline pass."""
        live = self.shop.fleet.caller.live
        for call in list(live):
            call.expire(call.due_at)
            if call in live:  # it had been read from since the deadline that it knew
                call.expire(call.due_at)

    def outcome(self) -> dict[str, Any]:
        """Return all that can be seen from outside."""
        return {
            "client": plain_bodies(self.wire.sent),
            "client did": self.wire.done,
            "sent up": [(wire.sent, wire.done) for _, wire in self.ups],
            "recorded": sorted(self.kept.raws, key=lambda raw: raw.id),
            "counted": (dict(self.shop.counters.requests.items()), dict(self.shop.counters.mirrors.items())),
            "rescued": dict(self.shop.counters.rescues),
            "under way": (len(self.shop.fleet.caller.live), self.shop.mirror.in_flight),
            "breaker": self.shop.fleet.breaker(CANDIDATE).open,
        }


def plain_bodies(sent: bytes) -> list[bytes]:
    """Take the chunked coding out of answers: how a body was cut into chunks is nobody's business."""
    found: list[bytes] = []
    while sent:
        head, blank, sent = sent.partition(b"\r\n\r\n")
        found.append(head + blank)
        if b"transfer-encoding: chunked" in head:
            chunks = Chunks()
            found.append(chunks.feed(sent))
            sent = chunks.rest
        elif b"content-length: " in head:
            length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
            found.append(sent[:length])
            sent = sent[length:]
    return found


def request(user: int, padding: int, *, streamed: bool, sent_id: bytes, close: bool, says_usage: bool = True) -> bytes:
    body = b'{"model":"bot","user":"u%d","stream":%b,%b"messages":["%b"]}' % (
        user,
        b"true" if streamed else b"false",
        b'"stream_options":{},' if says_usage else b"",
        b"x" * padding,
    )
    lines = b"X-Request-ID: %b\r\n" % sent_id + (b"Connection: close\r\n" if close else b"")
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\nAuthorization: k\r\nContent-Length: %d\r\n%b\r\n"
    return head % (len(body), lines) + body


def response(status: int, pieces: list[bytes], *, chunked: bool) -> bytes:
    head = b"HTTP/1.1 %d Fine\r\nServer: s\r\nX-Request-Id: e\r\n" % status
    if chunked:
        body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
        return head + b"Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n" + body
    body = b"".join(pieces)
    return head + b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def cut(data: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({place % len(data) for place in places} | {len(data)})
    return [data[start:end] for start, end in zip([0, *ends], ends, strict=False) if end > start]


TOKEN, NULL = b"data: 1\n\n", b'data: {"choices":[],"usage":null}\n\n'
USAGE = b'data: {"choices":[],"usage":{"completion_tokens":2}}\n\n'
PLACES = st.lists(st.integers(0, 10_000), max_size=4)
TROUBLE = st.sampled_from(["gone", "lost", "late", "pause_writing", "resume_writing"])
ONE = st.fixed_dictionaries(
    {
        "user": st.integers(0, 5),
        "padding": st.sampled_from([0, 7, 100]),
        "streamed": st.booleans(),
        "says_usage": st.booleans(),
        "close": st.sampled_from([False, False, False, True]),
        "asked_in": st.sampled_from([[], [], [3, 150]]),
        "status": st.sampled_from([200, 200, 200, 404, 422, 500, 503]),
        "pieces": st.lists(st.binary(min_size=1, max_size=30) | st.sampled_from([TOKEN, NULL, USAGE]), max_size=5),
        "chunked": st.booleans(),
        "answered_in": PLACES,
        "trouble": st.none() | st.tuples(TROUBLE, st.integers(0, 4)),
    }
)


def steps(one: dict[str, Any], number: int) -> list[tuple[str, bytes]]:
    asked = {name: one[name] for name in ("user", "padding", "streamed", "close", "says_usage")}
    sent = cut(request(**asked, sent_id=b"id%d" % number), one["asked_in"])
    said = cut(response(one["status"], one["pieces"], chunked=one["chunked"]), one["answered_in"])
    says = [("say", data) for data in said]
    if one["trouble"] is not None:
        what, place = one["trouble"]
        says.insert(place, (what, b""))
    return [("ask", data) for data in sent] + says


@given(
    st.lists(ONE, min_size=1, max_size=4),
    st.sampled_from([{}, {"candidate_bp": 5_000}, {"mirror_bp": 10_000}, {"candidate_bp": 10_000}]),
)
def test_both_lanes_do_the_same(ones: list[dict[str, Any]], shares: dict[str, int]):
    outcomes = []
    for fast in (True, False):
        lane = Lane(fast=fast, **shares)
        for number, one in enumerate(ones):
            for step in steps(one, number):
                lane.act(step)
        outcomes.append(lane.outcome())
    assert outcomes[0] == outcomes[1]


def test_ordinary_requests_do_take_the_quick_lane():
    lane = Lane(fast=True, mirror_bp=10_000)
    for number in range(5):
        lane.act(("ask", request(number, 9, streamed=True, sent_id=b"a%d" % number, close=False)))
        for data in cut(response(200, [b"data: 1\n\n", b"data: 2\n\n"], chunked=True), [130, 150]):
            lane.act(("say", data))
    assert lane.quick == 5
    assert len(lane.kept.raws) == 10
    assert lane.outcome()["under way"] == (0, 0)


def test_streams_whose_client_asks_for_no_usage_take_it_too():
    lane = Lane(fast=True)
    for number in range(3):
        lane.act(("ask", request(1, 9, streamed=True, sent_id=b"a%d" % number, close=False, says_usage=False)))
        said = response(200, [TOKEN, NULL, USAGE, TOKEN], chunked=True)
        for data in cut(said, [110, 125, 165, 220]):
            lane.act(("say", data))
    assert lane.quick == 3
    assert lane.outcome()["client"][1::2] == [TOKEN + NULL + TOKEN] * 3
    assert len(lane.kept.raws) == 3
    assert all(b'{"stream_options":{"include_usage":true},"model":"base"' in wire.sent for _, wire in lane.ups[1:2])


def test_a_candidates_head_waits_for_its_body_in_the_quick_lane():
    lane = Lane(fast=True, candidate_bp=10_000)
    lane.act(("ask", request(1, 9, streamed=True, sent_id=b"a", close=False)))
    head, blank, body = response(200, [TOKEN], chunked=True).partition(b"\r\n\r\n")
    lane.act(("say", head + blank))
    assert not lane.wire.sent
    lane.act(("say", body))
    assert lane.outcome()["client"][1] == TOKEN
    assert lane.shop.fleet.caller.live == set()


@pytest.mark.parametrize("meanwhile", ["nothing", "pause_writing", "gone"])
def test_the_quick_lane_opens_connections(meanwhile: str):
    lane = Lane(fast=True, kept=0)
    lane.act(("ask", request(1, 9, streamed=False, sent_id=b"a", close=False)))
    (turn,) = lane.shop.fleet.caller.live
    assert isinstance(turn, quick.Quick)
    lane.act((meanwhile, b""))
    pool = lane.shop.fleet.pool(BASELINE)
    connection, wire = Connection(pool), Wire()
    connection.connection_made(wire)
    turn.opened(connection)
    lane.loop.turn()
    if meanwhile == "gone":
        assert not wire.sent
        assert pool.take() is connection
        return
    assert wire.sent.startswith(b"POST /v1/chat/completions HTTP/1.1\r\n")
    connection.data_received(response(200, [b"{}"], chunked=False))
    lane.loop.turn()
    assert lane.outcome()["client"][1] == b"{}"
    assert [raw.failure for raw in lane.kept.raws] == [None]


def test_a_connection_that_cannot_be_opened_is_the_general_paths_to_deal_with():
    lane = Lane(fast=True, kept=0, candidate_bp=10_000)
    lane.act(("ask", request(1, 9, streamed=False, sent_id=b"a", close=False)))
    (turn,) = lane.shop.fleet.caller.live
    turn.unopened(Failure(kind="connect", message="refused"))
    assert dict(lane.shop.counters.rescues) == {"bot": 1}
    (rescue,) = lane.shop.fleet.caller.live
    rescue.unopened(Failure(kind="connect", message="refused"))
    lane.loop.turn()
    assert lane.outcome()["client"][0].startswith(b"HTTP/1.1 502 ")
    assert [raw.failure.kind for raw in lane.kept.raws] == ["connect", "connect"]

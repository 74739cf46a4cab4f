"""One user's request: choose the arm, send, pass the answer back as it comes, fall back, record."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from gatekeeper.decide.assign import mirrored
from gatekeeper.errors import InputError
from gatekeeper.gateway.capture import RESCUE_STAGE, Capture
from gatekeeper.gateway.http import Refusal, response_head
from gatekeeper.gateway.usage import Strip
from gatekeeper.model.arm import Arm
from gatekeeper.model.cohort import APART_STAGE
from gatekeeper.model.exchange import Failure

if TYPE_CHECKING:
    from gatekeeper.gateway.budget import Budget
    from gatekeeper.gateway.counters import Counters
    from gatekeeper.gateway.fleet import Fleet
    from gatekeeper.gateway.http import Head, Request
    from gatekeeper.gateway.labels import Labels
    from gatekeeper.gateway.leg import Leg
    from gatekeeper.gateway.mirror import Mirror
    from gatekeeper.gateway.mirror_copy import Copy
    from gatekeeper.gateway.recorder import Captured, Keeps
    from gatekeeper.gateway.server import ClientConnection
    from gatekeeper.gateway.way import Way
    from gatekeeper.model.split import Split

_BASELINE: Final = Arm.BASELINE
_CANDIDATE: Final = Arm.CANDIDATE
_GATEWAY_STATUS: Final = {"timeout": 504}
_BAD: Final = 400
_TOO_MANY: Final = 429
_SERVER: Final = 500


class Plan:
    """Hold what was decided about requests that are alike, before anything is sent.

    measured: it is recorded and mirrored. drawn: its arm was drawn; one that was given is not compared or mirrored.
    asks_usage: it is a stream whose usage is asked for without its client. way, copy_way: of ordinary requests and of
    copies, None where there is none, once they are sought (sought, copy_sought).
    """

    __slots__ = (
        "arm",
        "asks_usage",
        "copy_sought",
        "copy_way",
        "drawn",
        "labels",
        "measured",
        "model",
        "sought",
        "split",
        "streamed",
        "way",
    )

    def __init__(
        self,
        *,
        split: Split,
        arm: Arm,
        labels: Labels,
        model: str | None,
        streamed: bool,
        measured: bool = True,
        drawn: bool = True,
        asks_usage: bool = False,
    ) -> None:
        """Keep what was decided."""
        self.split = split
        self.arm = arm
        self.labels = labels
        self.model = model
        self.streamed = streamed
        self.measured = measured
        self.drawn = drawn
        self.asks_usage = asks_usage
        self.way: Way | None = None
        self.copy_way: Way | None = None
        self.sought = False
        self.copy_sought = False

    def copies(self, exchange_id: str) -> bool:
        """Tell whether the candidate gets a copy of the request with this id."""
        if not (self.split.mirror_bp and self.drawn and self.measured):
            return False
        return self.arm is _BASELINE and mirrored(self.split, exchange_id)


class Shop:
    """Hold what every request needs; one a gateway.

    rescues: what second tries are paid from. The switches name the response headers that are shown.
    """

    __slots__ = ("counters", "fleet", "mirror", "recorder", "rescues", "show_arm", "show_release")

    def __init__(
        self,
        *,
        fleet: Fleet,
        mirror: Mirror,
        recorder: Keeps,
        counters: Counters,
        rescues: Budget,
        show_release: bool = False,
        show_arm: bool = False,
    ) -> None:
        """Keep the parts."""
        self.fleet = fleet
        self.mirror = mirror
        self.recorder = recorder
        self.counters = counters
        self.rescues = rescues
        self.show_release = show_release
        self.show_arm = show_arm

    def ended(self, capture: Captured, *, recorded: bool) -> None:
        """Count an exchange that has ended, and record it."""
        head, failure = capture.head, capture.failure
        status = head.status if head is not None else 0
        outcome = "ok"
        if failure is not None:
            outcome = failure.kind
        elif status >= _BAD:
            outcome = "rate_limited" if status == _TOO_MANY else "http_5xx" if status >= _SERVER else "http_4xx"
        place = capture.place
        self.counters.requests.of(place.service, place.arm.value, outcome).number += 1
        if recorded:
            self.recorder.put(capture)


class Forward:
    """Answer one request from the arm it was given; `server.Turn` and `leg.Owner` in one."""

    __slots__ = (
        "_chunked",
        "_client",
        "_head_sent",
        "_leg",
        "_over",
        "_plan",
        "_request",
        "_shadow",
        "_shop",
        "_strip",
        "_ts",
        "_unrescued",
    )

    def __init__(self, shop: Shop, client: ClientConnection, request: Request, plan: Plan) -> None:
        """Keep what to do; `begin` does it."""
        self._shop = shop
        self._client = client
        self._request = request
        self._plan = plan
        self._ts = time.time()
        self._leg: Leg | None = None
        self._shadow: Copy | None = None
        self._strip: Strip | None = None
        self._head_sent = self._chunked = self._over = self._unrescued = False

    def begin(self) -> None:
        """Send the request to its arm, and a copy to the candidate where one is due.

        Raises:
            Refusal: the request cannot be sent.
        """
        plan = self._plan
        self._shop.rescues.requests += 1
        if plan.arm is _CANDIDATE and plan.split.candidate is not None:
            breaker = self._shop.fleet.breaker(plan.split.candidate.url)
            capture = self._capture(_CANDIDATE, self._request.arrived)
            if not breaker.allows(capture.began):
                capture.failure = breaker.refusal()
                self._rescue(capture)
                return
            self._start(capture)
            return
        capture = self._capture(plan.arm, self._request.arrived)
        if plan.copies(capture.id):
            self._shadow = self._shop.mirror.copy(self._shop, plan, capture)
        self._start(capture)

    def adopt(self, leg: Leg, shadow: Copy | None, *, head_sent: bool, chunked: bool, strip: Strip | None) -> None:
        """Go on where another turn stands: its leg was sent, and what the leg has captured went to the client."""
        self._ts = leg.capture.ts
        self._leg = leg
        self._shadow = shadow
        self._head_sent = head_sent
        self._chunked = chunked
        self._strip = strip

    def arrived(self, leg: Leg, data: bytes, *, ended: bool) -> None:
        """Pass a read on; the candidate's head waits for its first byte of body, for until then it can be replaced."""
        head = leg.capture.head
        if leg is not self._leg or head is None:
            return
        if not self._head_sent:
            if leg.capture.arm is _CANDIDATE:
                if leg.faulty and self._may_rescue():
                    if not ended:
                        leg.blame(Failure(kind="http_5xx", message=f"the candidate answered {head.status}"))
                    self._rescue(leg.capture)
                    return
                if not (data or ended):
                    return
            data = self._send_head(leg, head) + self._framed(self._stripped(data, ended=ended))
        else:
            data = self._framed(self._stripped(data, ended=ended))
        if ended and self._chunked:
            data += b"0\r\n\r\n"
        if data:
            self._client.write(data)
        if ended:
            self._end(leg.capture)
            self._client.done()

    def broke(self, leg: Leg, failure: Failure) -> None:
        """Let the baseline answer for the candidate while that is possible; else say, or show, that it broke."""
        if leg is not self._leg:
            return
        if self._head_sent:
            self._end(leg.capture)
            self._client.abort()
        elif leg.capture.arm is _CANDIDATE and self._may_rescue():
            self._rescue(leg.capture)
        else:
            self._end(leg.capture)
            status = _GATEWAY_STATUS.get(failure.kind, 502)
            self._client.refuse(Refusal(status, failure.message, code=failure.kind), self._request.id_line)

    def client_gone(self) -> None:
        """Cancel the upstream and the copy: nobody waits. A client that leaves when all was said has lost nothing."""
        if self._over or self._leg is None:
            return
        if self._leg.finish():
            self._end(self._leg.capture)
            return
        self._leg.cancel(Failure(kind="client_closed", message="the client closed its connection"))
        if self._shadow is not None and self._shop.mirror.drop(self._shadow):
            self._leg.capture.pair_id = None
        self._end(self._leg.capture)

    def pause(self) -> None:
        """Read no more from the upstream for now."""
        if self._leg is not None and not self._over:
            self._leg.pause()

    def resume(self) -> None:
        """Read on."""
        if self._leg is not None and not self._over:
            self._leg.resume()

    def _capture(self, arm: Arm, began: float, *, stage: int | None = None) -> Capture:
        split, labels = self._plan.split, self._plan.labels
        if stage is None:
            stage = split.stage if self._plan.drawn else APART_STAGE
        candidate = split.candidate if arm is _CANDIDATE else None
        return Capture(
            id=self._request.exchange_id,
            ts=self._ts,
            arm=arm,
            split=split,
            endpoint=candidate or split.baseline,
            stage=stage,
            request=self._request,
            labels=labels,
            began=began,
            asks_usage=self._plan.asks_usage,
        )

    def _start(self, capture: Capture) -> None:
        try:
            leg = self._shop.fleet.leg(capture, self, streamed=self._plan.streamed)
        except InputError as exc:
            capture.failure = Failure(kind="connect", message=str(exc))
            if capture.arm is _CANDIDATE:
                self._rescue(capture)
                return
            self._end(capture)
            raise Refusal(502, str(exc)) from exc
        self._leg = leg
        leg.start(self._plan.model)

    def _may_rescue(self) -> bool:
        """Tell whether this request may be sent a second time, to the baseline; asked once, a no stays."""
        if not self._unrescued and not self._shop.rescues.spend(time.monotonic()):
            self._unrescued = True
            self._shop.counters.unrescued[self._plan.split.service] += 1
        return not self._unrescued

    def _rescue(self, failed: Capture) -> None:
        """Charge the candidate, and have the baseline answer; that answer is kept, and compared with nothing."""
        failed.id += "/failed"
        self._shop.ended(failed, recorded=self._plan.measured)
        self._shop.counters.rescues[failed.split.service] += 1
        now = time.monotonic()
        try:
            self._start(self._capture(_BASELINE, now, stage=RESCUE_STAGE))
        except Refusal as refusal:
            self._client.refuse(refusal, self._request.id_line)

    def _send_head(self, leg: Leg, head: Head) -> bytes:
        self._head_sent = True
        lines = self._request.id_line
        if self._shop.show_release and leg.capture.endpoint.release:
            lines += b"x-gatekeeper-release: %b\r\n" % leg.capture.endpoint.release.encode()
        if self._shop.show_arm or self._plan.labels.override is not None:
            lines += b"x-gatekeeper-arm: %b\r\n" % leg.capture.arm.value.encode()
        length = head.length
        if leg.capture.asks_usage and head.plain_events:
            self._strip = Strip()
            length = None
        if length is None:
            self._chunked = self._request.head.minor == 1
            if self._chunked:
                lines += b"transfer-encoding: chunked\r\n"
        if not self._client.keeps:
            lines += b"connection: close\r\n"
        return response_head(head, lines, resized=length != head.length)

    def _stripped(self, data: bytes, *, ended: bool) -> bytes:
        return data if self._strip is None else self._strip.feed(data, ended=ended)

    def _framed(self, data: bytes) -> bytes:
        return b"%x\r\n%b\r\n" % (len(data), data) if data and self._chunked else data

    def _end(self, capture: Capture) -> None:
        self._over = True
        self._shop.ended(capture, recorded=self._plan.measured)

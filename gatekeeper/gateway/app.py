"""The gateway put together: a server on the caller's loop, or in a thread with a loop of its own."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from time import monotonic
from typing import TYPE_CHECKING, Final, NoReturn

import uvloop

from gatekeeper.gateway import quick, status
from gatekeeper.gateway.budget import Budget
from gatekeeper.gateway.counters import Counters
from gatekeeper.gateway.figures import EVERY_S, Figures, write_workers
from gatekeeper.gateway.fleet import Fleet
from gatekeeper.gateway.heads import Heads
from gatekeeper.gateway.http import Refusal, Request, RequestHead, own_response
from gatekeeper.gateway.limits import Limits
from gatekeeper.gateway.listen import Door, Listener, listen
from gatekeeper.gateway.mirror import Mirror
from gatekeeper.gateway.outbox import Outbox
from gatekeeper.gateway.override import Overrides
from gatekeeper.gateway.proxy import Forward, Shop
from gatekeeper.gateway.recorder import Recorder
from gatekeeper.gateway.route import FORWARDED, Router
from gatekeeper.gateway.tide import Tide, trim

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from ssl import SSLContext

    from gatekeeper.adapters.splitfeed import SplitFeed
    from gatekeeper.gateway.front import Turn
    from gatekeeper.gateway.page import Page
    from gatekeeper.gateway.proxy import Plan
    from gatekeeper.gateway.server import ClientConnection
    from gatekeeper.model.exchange import Exchange
    from gatekeeper.ports import Carrier, Spool

_LOOK_S: Final = 0.01
_CUT_S: Final = 1.0
_RETRY_AFTER_S: Final = 1
_COPIES_S: Final = 2.0
"""How long draining waits for copies whose users have been answered."""
_METRICS_TYPE: Final = b"text/plain; version=0.0.4; charset=utf-8"
_READY: Final = ("/readyz", "/health")
"""`/health` is what vLLM's own clients ask before they begin."""
_PAGES: Final = ("/v1/models", "/healthz", *_READY, "/metrics")


class Handle:
    """Hold a gateway that runs in a thread. url: its root."""

    __slots__ = ("_stop", "url")

    def __init__(self, url: str, stop: Callable[[float], None]) -> None:
        """Keep how it is stopped: stop takes the seconds that draining may take."""
        self.url = url
        self._stop = stop

    def stop(self, timeout_s: float = 10.0) -> None:
        """Drain it, and return when its thread has ended."""
        self._stop(timeout_s)


class Gateway:
    """Serve the OpenAI API by the feed's splits, and give every exchange to the spool, raw, and to `takers`, read.

    catch_all: the service that also serves models no service is named after; None refuses those. show_release and
    show_arm: answer with `x-gatekeeper-release` and `x-gatekeeper-arm`. override_key: the secret of those who may
    ask for an arm, "" for nobody. door: how clients come in. upstream_tls: checks upstreams' certificates, None: with
    the system's authorities. ask_usage: ask engines for the usage of streams whose clients did not, and take it out of
    what the client sees. figures: shared with other workers, None: there are none. carrier: takes what was spooled
    to a control plane, None where there is none.
    """

    def __init__(
        self,
        feed: SplitFeed,
        spool: Spool | None = None,
        limits: Limits | None = None,
        *,
        catch_all: str | None = None,
        show_release: bool = False,
        show_arm: bool = False,
        override_key: str = "",
        door: Door | None = None,
        upstream_tls: SSLContext | None = None,
        ask_usage: bool = True,
        figures: Figures | None = None,
        takers: Sequence[Callable[[Exchange], object]] = (),
        carrier: Carrier | None = None,
    ) -> None:
        """Keep the parts; `start` or `run_in_thread` begins.

        Raises:
            InputError: the override key is too short to be a secret.
        """
        self.limits = limits or Limits()
        self.connections: set[ClientConnection] = set()
        self.draining = False
        self.heads: Heads[RequestHead] = Heads()
        self.loop: asyncio.AbstractEventLoop
        self.outbox: Outbox
        self._feed = feed
        self._spool = spool
        self._router = Router(feed, catch_all, Overrides(override_key), ask_usage=ask_usage)
        self._takers = takers
        self._shown = {"show_release": show_release, "show_arm": show_arm}
        self._counters = Counters()
        self._door = door or Door()
        self._upstream_tls = upstream_tls
        self._server: Listener | None = None
        self._carrier = carrier
        self._tasks: set[asyncio.Task[None]] = set()
        self._figures = figures
        self._leave_at = 0.0
        self._tide = Tide(self._give_back)

    async def start(self, host: str = "127.0.0.1", port: int = 0, *, reuse_port: bool = False) -> None:
        """Listen on the running loop; port 0 takes a free one.

        Raises:
            OSError: the address cannot be listened on.
        """
        self.loop = asyncio.get_running_loop()
        self.outbox = Outbox(self.loop)
        self._recorder = Recorder(self._spool, self._takers, self.limits.record_queue)
        self._fleet = Fleet(self.limits, self.loop, self._upstream_tls)
        self._mirror = Mirror(self._recorder, self._counters, self.limits.shadow_in_flight)
        self._shop = Shop(
            fleet=self._fleet,
            mirror=self._mirror,
            recorder=self._recorder,
            counters=self._counters,
            rescues=Budget(self.limits.rescue_share, self.limits.rescue_floor_per_s, monotonic()),
            **self._shown,
        )
        self._server = await listen(
            self, self._door, host, port, reuse_port=reuse_port, refused=self._counters.no_proxy_header
        )
        self._sweeper = self.loop.call_later(self.limits.sweep_s, self._sweep)

    def _give_back(self) -> None:
        """Give back memory after a flood of connections; what was remembered of its requests lies all over it."""
        self._router.forget()
        self.heads.forget()
        trim()

    @property
    def port(self) -> int:
        """Return the port that is listened on.

        Raises:
            RuntimeError: the gateway was not started.
        """
        if self._server is None:
            raise RuntimeError("the gateway has no port before it is started")
        return int(self._server.sockets[0].getsockname()[1])

    async def drain(self, timeout_s: float = 10.0) -> None:
        """Take no new connections, let what is under way end (at most timeout_s), then cut and record the rest."""
        self.draining = True
        if self._server is not None:
            self._server.close()
        await self._quiet(lambda: bool(self.connections), timeout_s)
        for connection in list(self.connections):
            connection.abort()
        await self._quiet(lambda: bool(self.connections), _CUT_S)
        await self._quiet(lambda: bool(self._mirror.in_flight), min(timeout_s, _COPIES_S))
        self._mirror.close()
        self._sweeper.cancel()
        self._fleet.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.sleep(0)
        await self.loop.run_in_executor(None, self._recorder.close)

    async def _quiet(self, busy: Callable[[], bool], timeout_s: float) -> None:
        """Wait until nothing is busy any more, closing idle connections meanwhile; at most timeout_s."""
        until = monotonic() + timeout_s
        while busy() and monotonic() < until:
            for connection in list(self.connections):
                connection.close_if_idle()
            await asyncio.sleep(_LOOK_S)

    def run_in_thread(self, host: str = "127.0.0.1", port: int = 0) -> Handle:
        """Start in a thread with its own loop; return when it listens.

        Raises:
            OSError: the address cannot be listened on.
        """
        started: list[OSError | None] = []
        listening = threading.Event()
        ending = asyncio.Event()
        timeout_s = [10.0]

        async def serve() -> None:
            try:
                await self.start(host, port)
            except OSError as exc:
                started.append(exc)
                return
            finally:
                listening.set()
            await ending.wait()
            await self.drain(timeout_s[0])

        def run() -> None:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(serve())

        thread = threading.Thread(target=run, name="gateway", daemon=True)
        thread.start()
        listening.wait()
        if started and started[0] is not None:
            raise started[0]

        def stop(wait_s: float) -> None:
            timeout_s[0] = wait_s
            with contextlib.suppress(RuntimeError):
                self.loop.call_soon_threadsafe(ending.set)
            thread.join()

        return Handle(f"{self._door.scheme}://{host}:{self.port}", stop)

    def answer(self, request: Request, client: ClientConnection) -> Turn | None:
        """Begin to answer a request (called by its connection)."""
        path = request.head.path
        if path in FORWARDED:
            if request.head.method != b"POST":
                self._only(request, b"POST")
            live, most = len(self._fleet.caller.live), self.limits.in_flight
            if live >= most and live - self._mirror.in_flight >= most:
                self._shed()
            plan = self._router.plan(request)
            return quick.answer(self._shop, client, request, plan) or self._forward(client, request, plan)
        if path == "/v1/models" and request.method == b"GET" and (asked := self._router.plan_models(request)):
            return self._forward(client, request, asked)
        if path not in _PAGES:
            raise Refusal(404, f"no such path; served: {', '.join((*FORWARDED, *_PAGES))}")
        self._only(request, b"GET")
        if path in _READY:
            task = self.loop.create_task(self._ready(client))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            return None
        if path == "/metrics":
            self._say(client, own_response(200, self._all_figures().body(), content_type=_METRICS_TYPE))
        else:
            body = status.models(self._feed) if path == "/v1/models" else b'{"status":"ok"}'
            self._say(client, own_response(200, body))
        return None

    def _forward(self, client: ClientConnection, request: Request, plan: Plan) -> Forward:
        forward = Forward(self._shop, client, request, plan)
        forward.begin()
        return forward

    def refused(self, status_code: int) -> None:
        """Count an error of our own."""
        self._counters.refusals[status_code] += 1

    def _shed(self) -> NoReturn:
        self._counters.shed += 1
        text = f"{self.limits.in_flight} requests are in flight, as many as this gateway takes: try again soon"
        raise Refusal(503, text, code="overloaded", retry_after_s=_RETRY_AFTER_S)

    def _only(self, request: Request, method: bytes) -> None:
        if request.method != method:
            raise Refusal(405, f"{request.path} takes {method.decode()}, not {request.method.decode('latin-1')}")

    def _say(self, client: ClientConnection, response: bytes) -> None:
        client.write(response)
        client.done()

    def _own_figures(self) -> Page:
        self._counters.connections = len(self.connections)
        records = status.Records(
            self._recorder.counts,
            self._spool.counts() if self._spool else {},
            self._carrier.counts() if self._carrier else {},
        )
        return status.metrics(self._feed, self._counters, records, self._mirror, self._fleet)

    def _all_figures(self) -> Page:
        page = self._own_figures()
        if self._figures is not None:
            return self._figures.joined(page)
        write_workers(page, 1, 1, 0)
        return page

    async def _ready(self, client: ClientConnection) -> None:
        workers = self._figures.workers() if self._figures is not None else {"configured": 1, "reporting": 1}
        records = status.recording(self._recorder.waiting, self._spool, self._carrier)
        fine, body = await status.ready(self._feed, self._fleet, workers, records, draining=self.draining)
        self._say(client, own_response(200 if fine else 503, body))

    def _sweep(self) -> None:
        now = monotonic()
        self._fleet.sweep(now)
        self._tide.look(len(self.connections), now)
        for connection in [one for one in self.connections if one.due_at <= now]:
            connection.expire()
        if self._figures is not None and now >= self._leave_at:
            self._leave_at = now + EVERY_S
            self._figures.leave(self._own_figures())
        self._sweeper = self.loop.call_later(self.limits.sweep_s, self._sweep)

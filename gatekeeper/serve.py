"""Everything in one process: gateway, API, worker and control loops as threads, the review page as a child."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Self

import uvicorn

from gatekeeper.adapters.splitfeed import SplitFeed
from gatekeeper.adapters.spool import DiskSpool, SpoolReader
from gatekeeper.api.app import make_api
from gatekeeper.errors import WorldError
from gatekeeper.flow.control import turn
from gatekeeper.flow.deliver import deliver_due
from gatekeeper.flow.intake import accept
from gatekeeper.flow.keys import first_key
from gatekeeper.flow.loop import Loop
from gatekeeper.flow.sweep import sweep
from gatekeeper.gateway.app import Gateway, Handle
from gatekeeper.gateway.limits import Limits
from gatekeeper.wiring import App, handlers, make_app
from gatekeeper.worker.embedded import EmbeddedWorker

if TYPE_CHECKING:
    from types import TracebackType

    from gatekeeper.ports import Waker
    from gatekeeper.settings import Settings

TURN_S, SWEEP_S, DELIVER_S, FEED_S, INTAKE_S = 0.2, 0.1, 0.5, 0.1, 0.05
JOBS_PER_SWEEP, ITEMS_PER_DELIVERY, LINES_PER_BATCH = 100, 20, 500
READY_S = 30.0
IN_PROCESS = "in-process"
"""The name under which the gateway of this process says what it applies."""


def control_loops(app: App, waker: Waker) -> list[Loop]:
    """Make the loops that every control-plane replica runs: turn rollouts, wake workers, deliver what is owed."""
    return [
        Loop("rollouts", lambda: bool(turn(app.unit, app.actuator, app.evalsets)) and None, TURN_S),
        Loop("sweeper", lambda: sweep(app.unit, waker, JOBS_PER_SWEEP), SWEEP_S),
        Loop("outbox", lambda: deliver_due(app.unit, app.alerts, app.clock, ITEMS_PER_DELIVERY), DELIVER_S),
    ]


class ApiThread:
    """Serve the control plane from a thread."""

    def __init__(self, app: App, host: str, port: int) -> None:
        """Prepare; `start` opens the socket."""
        config = uvicorn.Config(make_api(app), host=host, port=port, log_level="warning", access_log=False)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, name="api", daemon=True)
        self._host = host

    def start(self) -> str:
        """Listen; return the root URL.

        Raises:
            WorldError: the port is taken.
        """
        self._thread.start()
        until = time.monotonic() + READY_S
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > until:
                raise WorldError(f"the API cannot listen on {self._host}:{self._server.config.port}: is it taken?")
            time.sleep(0.01)
        port = self._server.servers[0].sockets[0].getsockname()[1]
        return f"http://{self._host}:{port}"

    def stop(self) -> None:
        """End after the requests in progress."""
        self._server.should_exit = True
        self._thread.join(READY_S)


class AllInOne:
    """Run gateway, API, worker and loops in this process until closed.

    api_url and gateway_url: roots, once started. new_key: the admin key of a store that had none, else None.
    """

    def __init__(self, settings: Settings) -> None:
        """Bring the database up to date and prepare; sockets open with `start`.

        Raises:
            StoreError: the database cannot be reached or migrated.
        """
        self.app = make_app(settings)
        self.app.store.upgrade()
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        self._settings = settings
        with self.app.unit() as unit:
            self.new_key = first_key(unit)
        self._feed = SplitFeed(settings.data_dir / "last-good-split.json")
        self._spool = DiskSpool(settings.data_dir / "spool")
        self._reader = SpoolReader(settings.data_dir / "spool")
        self._worker = EmbeddedWorker(self.app, handlers(settings))
        self._api = ApiThread(self.app, settings.host, settings.api_port)
        self._loops = [
            Loop("feed", self._follow, FEED_S),
            Loop("intake", self._take_in, INTAKE_S),
            *control_loops(self.app, self._worker.waker),
        ]
        self._gateway: Handle | None = None
        self.api_url = ""
        self.gateway_url = ""

    def start(self) -> Self:
        """Open the sockets and begin.

        Raises:
            WorldError: a port is taken.
        """
        settings = self._settings
        self._follow()
        gateway = Gateway(
            self._feed,
            self._spool,
            Limits(shadow_in_flight=settings.mirror_in_flight),
            show_release=settings.expose_release,
            show_arm=settings.expose_release,
            override_key=settings.override_key,
        )
        try:
            self._gateway = gateway.run_in_thread(settings.host, settings.gateway_port)
        except OSError as exc:
            raise WorldError(f"the gateway cannot listen on {settings.host}:{settings.gateway_port}: {exc}") from exc
        self.gateway_url = self._gateway.url
        self.api_url = self._api.start()
        self._worker.start()
        for loop in self._loops:
            loop.start()
        return self

    def close(self) -> None:
        """Drain the gateway, store what is spooled, end the threads."""
        if self._gateway is not None:
            self._gateway.stop()
        self._spool.close()
        for loop in self._loops:
            loop.stop()
        self._take_in()
        self._worker.stop()
        self._api.stop()
        self.app.close()

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()

    def _follow(self) -> None:
        with self.app.unit() as unit:
            self._feed.update(unit.splits.all())
            unit.splits.report_seen(IN_PROCESS, self._feed.orders())

    def _take_in(self) -> None:
        for batch in self._reader.batches(LINES_PER_BATCH):
            with self.app.unit() as unit:
                accept(unit, batch.exchanges)
            batch.commit()

"""A control plane over the store in memory, served by uvicorn on a free port, and typed clients for it."""

from __future__ import annotations

import socket
import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest
import uvicorn

from gatekeeper.adapters.actuators.gateway import GatewayActuator
from gatekeeper.adapters.alerts.webhook import Sink
from gatekeeper.adapters.clock import HandClock
from gatekeeper.adapters.memory import MemoryStore
from gatekeeper.api.app import make_api
from gatekeeper.client import Client
from gatekeeper.flow.deploy import deploy
from gatekeeper.flow.keys import mint
from gatekeeper.model.key import Scope
from gatekeeper.model.release import Deployment, Release
from gatekeeper.settings import Settings
from gatekeeper.wiring import App, make_app

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx


HOOK_SECRET = "whsec_" + "c2VjcmV0" * 5
HOOK_TOKEN = "hook-token-of-the-tests"  # noqa: S105 - opens nothing but these tests

POLICY = """\
policy: support-bot
metrics:
  refusal_rate: {max_increase: 1pp}
stages:
  - warmup: {requests: 5}
  - shadow: {mirror: 20%, max_wait: 2h}
  - canary: {weight: 10%, needs_approval: true, max_wait: 1h}
"""


@dataclass
class World:
    """Hold a running control plane, its store and a key of every scope."""

    app: App
    url: str = ""
    keys: dict[Scope, str] = field(default_factory=dict)
    policy: str = POLICY
    _clients: dict[Scope | None, Client] = field(default_factory=dict)

    @property
    def clock(self) -> HandClock:
        """Return the clock that both store and API read."""
        return self.app.clock

    def client(self, scope: Scope | None = Scope.ADMIN) -> Client:
        """Return the client with a key of this scope; None: without any."""
        if scope not in self._clients:
            self._clients[scope] = Client(self.url, self.keys[scope] if scope else "")
        return self._clients[scope]

    def http(self, scope: Scope | None = Scope.ADMIN) -> httpx.Client:
        """Return the bare HTTP client under a typed one."""
        return self.client(scope)._http  # noqa: SLF001 - tests send what the typed client never would

    def rollout(self) -> str:
        """Begin a rollout and return its id."""
        return self.client().create_rollout(service="support", policy=POLICY, candidate="new")["id"]

    def close(self) -> None:
        """Close what was handed out."""
        for client in self._clients.values():
            client.close()


def make_world() -> World:
    """Return a world with a service, its baseline `old`, a candidate `new`, and a key of every scope."""
    clock = HandClock()
    store = MemoryStore(clock)
    settings = Settings(hook_secret=HOOK_SECRET, hook_token=HOOK_TOKEN, webhook_allow_private=True)
    app = replace(
        make_app(settings),
        store=store,
        actuator=GatewayActuator(store.unit),
        alerts=Sink(clock, allow_private=True),
        clock=clock,
    )
    world = World(app)
    with app.unit() as unit:
        for scope in Scope:
            world.keys[scope] = mint(unit, scope.value, scope, "test")[1]
        for name in ("old", "new"):
            release = Release(model=name)
            deployment = Deployment(
                id=name, service="support", release_digest=release.digest, url=f"http://{name}", model=name
            )
            deploy(unit, deployment, release)
    return world


@pytest.fixture
def serve() -> Iterator[Callable[[App], str]]:
    """Give a function that serves an app's API on a free port and returns its URL."""
    running: list[tuple[App, uvicorn.Server, threading.Thread]] = []

    def begin(app: App) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        api = make_api(app, poll_s=0.02)
        server = uvicorn.Server(uvicorn.Config(api, log_level="critical", lifespan="off", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        running.append((app, server, thread))
        return "http://{}:{}".format(*listener.getsockname())

    yield begin
    for app, server, thread in running:
        server.should_exit = True
        thread.join()
        app.close()


@pytest.fixture
def world(serve: Callable[[App], str]) -> Iterator[World]:
    """Give a world whose API answers on a socket."""
    made = make_world()
    made.url = serve(made.app)
    yield made
    made.close()

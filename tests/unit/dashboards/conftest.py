"""A control plane over the store in memory with a rollout in it, served on a free port, for the review screens."""

from __future__ import annotations

import socket
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import uvicorn
from streamlit.testing.v1 import AppTest

from gatekeeper.adapters.actuators.gateway import GatewayActuator
from gatekeeper.adapters.clock import HandClock
from gatekeeper.adapters.memory import MemoryStore
from gatekeeper.api.app import make_api
from gatekeeper.client import Client
from gatekeeper.flow.control import turn
from gatekeeper.flow.deploy import deploy
from gatekeeper.flow.grade import grade
from gatekeeper.flow.keys import mint
from gatekeeper.model.arm import Arm
from gatekeeper.model.exchange import Exchange, Timing
from gatekeeper.model.key import Scope
from gatekeeper.model.release import Deployment, Release
from gatekeeper.settings import Settings
from gatekeeper.wiring import App, make_app

if TYPE_CHECKING:
    from collections.abc import Iterator

DASHBOARDS = Path(__file__).parents[3] / "dashboards"
SERVICE = "support"
POLICY = """\
policy: support-bot
metrics:
  refusal_rate: {max_increase: 2pp}
  json_validity: {watch: true}
  latency_ms: {watch: true}
stages:
  - shadow: {mirror: 20%, max_wait: 2h}
  - canary: {weight: 10%, needs_approval: true, max_wait: 1h}
"""
ANSWER, REFUSAL = "The answer is four.", "I'm sorry, but I can't help with that."


@dataclass
class World:
    """Hold a running control plane, a key of every scope, and one rollout."""

    app: App
    keys: dict[Scope, str]
    url: str = ""
    rollout_id: str = ""
    _sent: int = 0

    def client(self, scope: Scope = Scope.ADMIN) -> Client:
        """Return a client with a key of this scope; use it as a context."""
        return Client(self.url, self.keys[scope])

    def do(self, action: str, scope: Scope = Scope.ADMIN) -> None:
        """Act on the rollout, and let the world show it."""
        with self.client(scope) as client:
            client.act(self.rollout_id, action)
        self.settle()

    def settle(self) -> None:
        """Let a gateway apply the wanted split, and the control loop see it and look once."""
        with self.app.read() as unit:
            wanted = unit.rollouts.get(self.rollout_id).split_wanted
        self.app.actuator.write(wanted)
        with self.app.unit() as unit:
            unit.splits.report_seen("g1", {SERVICE: wanted.order})
        turn(self.app.unit, self.app.actuator)

    def feed(self, count: int, candidate: str = ANSWER, baseline: str = ANSWER) -> None:
        """Store and score mirrored pairs of the current stage, answered so, and look once."""
        with self.app.unit() as unit:
            rollout = unit.rollouts.get(self.rollout_id)
            pairs = range(self._sent, self._sent + count)
            self._sent += count
            labels = {"rollout_id": rollout.id, "stage": rollout.stage, "epoch": rollout.epoch}
            rows = unit.exchanges.add(
                [
                    exchange(pair, arm, answer, ts=self.app.clock.now(), **labels)
                    for pair in pairs
                    for arm, answer in ((Arm.BASELINE, baseline), (Arm.CANDIDATE, candidate))
                ]
            )
            grade(unit, {"rows": list(rows)})
        turn(self.app.unit, self.app.actuator)


def exchange(pair: int, arm: Arm, answer: str, **more: Any) -> Exchange:  # noqa: ANN401 - an exchange's own fields
    """Return one half of a mirrored pair."""
    return Exchange(
        id=f"{pair}-{arm}",
        arm=arm,
        pair_id=f"p{pair}",
        service=SERVICE,
        request={"model": SERVICE, "messages": [{"role": "user", "content": f"What is {pair} + 1?"}]},
        response={"choices": [{"message": {"role": "assistant", "content": answer}, "finish_reason": "stop"}]},
        timing=Timing(e2e_ms=100.0 + pair % 7),
        **more,
    )


@pytest.fixture
def world() -> Iterator[World]:
    """Give a control plane whose service has a rollout in its shadow stage, not looked at yet."""
    clock = HandClock()
    store = MemoryStore(clock)
    app = replace(make_app(Settings()), store=store, actuator=GatewayActuator(store.unit), clock=clock)
    with app.unit() as unit:
        world = World(app, {scope: mint(unit, scope.value, scope, "test")[1] for scope in Scope})
        for name in ("old", "new"):
            release = Release(model=name)
            url = f"http://{name}.invalid"
            deployment = Deployment(id=name, service=SERVICE, release_digest=release.digest, url=url, model=name)
            deploy(unit, deployment, release)
    listener = socket.create_server(("127.0.0.1", 0))
    world.url = "http://{}:{}".format(*listener.getsockname())
    config = uvicorn.Config(make_api(app), log_level="critical", lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    with world.client() as client:
        world.rollout_id = client.create_rollout(service=SERVICE, policy=POLICY, candidate="new")["id"]
    yield world
    server.should_exit = True
    thread.join()
    app.close()


@pytest.fixture(autouse=True)
def _as_streamlit_runs_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the pages find each other, as `streamlit run` does, and know of no control plane of this machine's."""
    monkeypatch.syspath_prepend(str(DASHBOARDS))
    monkeypatch.setenv("GATEKEEPER_API_URL", "http://127.0.0.1:9")
    monkeypatch.delenv("GATEKEEPER_API_KEY", raising=False)


@pytest.fixture
def review(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    """Give the review of the world's rollout, seen with an approver's key, not yet drawn."""
    monkeypatch.setenv("GATEKEEPER_API_URL", world.url)
    monkeypatch.setenv("GATEKEEPER_API_KEY", world.keys[Scope.APPROVER])
    page = AppTest.from_file(str(DASHBOARDS / "app.py"), default_timeout=30)
    page.run()
    page.switch_page("screens/review.py")
    page.query_params["rollout"] = world.rollout_id
    yield page
    page.session_state["client"][1].close()

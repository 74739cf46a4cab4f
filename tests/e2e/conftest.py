"""A whole world for end-to-end tests: engines, users, receivers, and gatekeeper as processes as people run it."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from gatekeeper.adapters.engines import sim
from gatekeeper.client import Client
from gatekeeper.demo import sim_answers
from gatekeeper.demo.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from gatekeeper.adapters.engines.sim import SimServer

PATIENCE_S = 150.0


class Process:
    """Run one gatekeeper command as its own process; its output is read as it comes."""

    def __init__(self, arguments: tuple[str, ...], environment: Mapping[str, str], log: Path) -> None:
        """Start it; output goes to the log."""
        self.log = log
        with log.open("ab") as sink:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "gatekeeper", *arguments],
                env={**os.environ, **environment},
                stdout=sink,
                stderr=sink,
                start_new_session=True,
            )

    def says(self, pattern: str) -> str:
        """Wait until the output matches; return the last match's first group."""
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            found = re.findall(pattern, self.log.read_text())
            if found:
                return str(found[-1])
            assert self._process.poll() is None, self.log.read_text()
            time.sleep(0.05)
        raise AssertionError(f"no {pattern!r} in\n{self.log.read_text()}")

    def end(self, number: int = signal.SIGKILL) -> None:
        """Send the whole group a signal and wait for its end."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, number)
        self._process.wait(60)


class World:
    """Start things, and end all of them with the test."""

    service = "assistant"
    model = "demo-chat"
    policy = """\
policy: e2e
error_budget: {false_rollback: 0.01, false_promotion: 0.05}
metrics:
  refusal_rate:  {max_increase: 6pp, detect: 8pp}
  json_validity: {max_decrease: 8pp, detect: 25pp}
  task_success:  {max_decrease: 8pp, detect: 12pp}
  error_rate:    {max_increase: 4pp}
stages:
  - warmup: {requests: 5}
  - shadow: {mirror: 100%, max_wait: 3m, on_undecided: rollback}
  - canary: {weight: 50%, max_wait: 3m, on_undecided: rollback}
"""
    staying = policy.replace("canary: {weight: 50%", "canary: {weight: 50%, needs_approval: true")
    """The same, but the canary goes on until somebody approves it."""

    def __init__(self, folder: Path) -> None:
        """Keep everything in this folder."""
        self.folder = folder
        self._endings: list[Callable[[], object]] = []

    def close(self) -> None:
        """End all that was started, the newest first."""
        for ending in reversed(self._endings):
            ending()

    def run(self, *arguments: str, **environment: str) -> Process:
        """Start a gatekeeper command with GATEKEEPER_* variables."""
        variables = {f"GATEKEEPER_{name.upper()}": value for name, value in environment.items()}
        log = self.folder / f"{arguments[0]}-{len(self._endings)}.log"
        process = Process(arguments, variables, log)
        self._endings.append(process.end)
        return process

    def serve(self, **environment: str) -> tuple[Process, str, str]:
        """Start `serve` on free ports with its data here; return it, its API's and its gateway's roots."""
        data = {"database_url": f"sqlite:///{self.folder / 'e2e.db'}", "data_dir": str(self.folder / "data")}
        ports = ("--api-port", "0", "--gateway-port", "0", "--no-ui")
        process = self.run("serve", *ports, **{**data, **environment})
        return process, process.says(r"API +(http://\S+)"), process.says(r"gateway (http://\S+)/v1")

    def engine(self, behaviour: str) -> SimServer:
        """Start a simulated engine of the demo's catalogue."""
        server = sim.start(
            behaviour,
            served_name=self.model,
            flags=sim_answers.flags(behaviour),
            log_path=self.folder / f"sim-{behaviour}-{len(self._endings)}.log",
        )
        self._endings.append(server.stop)
        server.ready()
        return server

    def users(self, gateway_url: str) -> Traffic:
        """Send users to a gateway, once it is ready, until the test ends or they are stopped."""
        self.when_ready(gateway_url)
        traffic = Traffic(gateway_url, self.service, seed=1, users=6, rest_s=0.02)
        self._endings.append(traffic.stop)
        traffic.start()
        return traffic

    def when_ready(self, gateway_url: str) -> None:
        """Wait until a gateway listens and knows its services."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"{gateway_url}/readyz").status_code == httpx.codes.OK:
                    return
            time.sleep(0.1)
        raise AssertionError(f"{gateway_url} is not ready")

    def client(self, api_url: str, key: str) -> Client:
        """Return a client of the API."""
        client = Client(api_url, key)
        self._endings.append(client.close)
        return client

    def deploy(self, client: Client, server_url: str, name: str, engine: str = "sim") -> str:
        """Register a deployment of a release named so; return its id."""
        deployment = client.create_deployment(
            service=self.service, url=server_url, model=self.model, engine=engine, release={"model": name}
        )
        return deployment.id

    def until(self, client: Client, rollout_id: str, test: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Wait until a rollout's screen passes a test; return it."""
        end = time.monotonic() + PATIENCE_S
        rollout: dict[str, Any] = {}
        while time.monotonic() < end:
            rollout = client.rollout(rollout_id)
            if test(rollout):
                return rollout
            time.sleep(0.1)
        raise AssertionError(f"still {rollout['state']}, stage {rollout['stage']}: {rollout['sentence']}")

    @staticmethod
    def ended(rollout: dict[str, Any]) -> bool:
        """Tell whether a rollout has ended and the world shows it."""
        return rollout["state"] != "running" and rollout["settled"]

    @staticmethod
    def in_canary(rollout: dict[str, Any]) -> bool:
        """Tell whether the canary has begun and its samples are being compared."""
        folded = rollout["arms"].get("candidate", {}).get("folded", 0)
        return rollout["stage"] == 2 and rollout["settled"] and folded > 0


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Give a world of the test's own."""
    made = World(tmp_path)
    yield made
    made.close()

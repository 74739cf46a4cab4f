"""The review screens in Chromium, over everything in one process, and exchanges sent as a gateway would."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from gatekeeper.client import Client
from gatekeeper.model.key import Scope
from gatekeeper.serve import AllInOne
from gatekeeper.settings import Settings
from gatekeeper.ui import Ui

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from playwright.sync_api import Browser, ConsoleMessage, Request

CHROMIUM = os.environ.get("GATEKEEPER_TEST_CHROMIUM", "/usr/bin/chromium")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE_S = 30.0
OWN = ("http://127.0.0.1:", "data:", "blob:")


@dataclass
class Desk:
    """Hold a running control plane, the screens' address, and keys: an operator's who begins, an approver's."""

    client: Client
    ui_url: str
    operator: Client
    approver_key: str

    def rollout(self, service: str, policy: str) -> str:
        """Begin a rollout of a service of its own, and wait until its first stage's split is seen."""
        for name in ("old", "new"):
            self.client.create_deployment(
                service=service, url="http://127.0.0.1:9", model=name, id=f"{service}-{name}", release={"model": name}
            )
        made = self.operator.create_rollout(service=service, policy=policy, candidate=f"{service}-new")
        self.until(made["id"], lambda rollout: rollout["settled"])
        return str(made["id"])

    def send(self, rollout_id: str, count: int, answers: Mapping[str, str], *, paired: bool, segment: str = "") -> None:
        """Send exchanges of the current stage, an answer by arm, and wait until they were looked at."""
        rollout = self.client.rollout(rollout_id)
        lines = [
            {
                "id": f"{rollout_id}-{rollout['stage']}-{number}-{arm}",
                "ts": time.time(),
                "arm": arm,
                "pair_id": f"{rollout_id}-{number}" if paired else None,
                "cluster_id": f"user-{number}-{arm}",
                "service": rollout["service"],
                "segment": segment or None,
                "request": {"messages": [{"role": "user", "content": f"What is {number} + 1?"}]},
                "response": {"choices": [{"message": {"content": answer}, "finish_reason": "stop"}]},
                "rollout_id": rollout_id,
                "stage": rollout["stage"],
                "epoch": rollout["epoch"],
            }
            for number in range(count)
            for arm, answer in answers.items()
        ]
        self.client.send_exchanges("\n".join(json.dumps(line) for line in lines).encode())
        self.until(rollout_id, lambda rollout: rollout["look"] > 0)

    def until(self, rollout_id: str, seen: Callable[[dict], bool]) -> dict:
        """Wait until the rollout looks so; return it."""
        ends = time.monotonic() + PATIENCE_S
        while not seen(rollout := self.client.rollout(rollout_id)):
            assert time.monotonic() < ends, rollout["sentence"]
            time.sleep(0.1)
        return rollout


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Give a control plane with its screens, which have no key of their own."""
    folder = tmp_path_factory.mktemp("desk")
    settings = Settings(
        database_url=f"sqlite:///{folder / 'desk.db'}", data_dir=folder / "data", api_port=0, gateway_port=0
    )
    with AllInOne(settings) as world, Client(world.api_url, world.new_key or "") as client, Ui(world.api_url, "") as ui:
        keys = {scope: client.create_key(scope.value, scope)["key"] for scope in (Scope.OPERATOR, Scope.APPROVER)}
        with Client(world.api_url, keys[Scope.OPERATOR]) as operator:
            ui.ready()
            assert ui.url
            yield Desk(client, ui.url, operator, keys[Scope.APPROVER])


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Give a browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


@dataclass
class Watched:
    """Hold a page, what left or would have left this host, and the errors its scripts raised.

    refused: what the browser refused to load, as its console tells.
    """

    page: Page
    strays: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def note(self, request: Request) -> None:
        """Keep a request that goes anywhere but to this host."""
        if not request.url.startswith(OWN):
            self.strays.append(request.url)

    def hear(self, message: ConsoleMessage) -> None:
        """Keep what the browser says about an address that is not this host's."""
        if ".invalid" in message.text:
            self.refused.append(message.text)

    def open(self, desk: Desk, rollout_id: str) -> Page:
        """Open a review, give the approver's key, and wait for the rollout."""
        self.page.goto(f"{desk.ui_url}/review?rollout={rollout_id}")
        box = self.page.get_by_label("API key", exact=True)
        box.fill(desk.approver_key)
        box.press("Enter")
        self.page.get_by_test_id("stMetric").first.wait_for()
        return self.page


@pytest.fixture
def watched(chromium: Browser) -> Iterator[Watched]:
    """Give a fresh page; whatever was done with it, nothing left this host and no script failed."""
    context = chromium.new_context(viewport={"width": 1280, "height": 1200})
    context.set_default_timeout(PATIENCE_S * 1000)
    expect.set_options(timeout=PATIENCE_S * 1000)  # the page refreshes each 5 s: the default is no longer than that
    seen = Watched(context.new_page())
    seen.page.on("request", seen.note)
    seen.page.on("console", seen.hear)
    seen.page.on("pageerror", lambda error: seen.errors.append(str(error)))
    yield seen
    context.close()
    assert seen.strays == []
    assert seen.refused == []
    assert seen.errors == []

"""An alert in mid-canary takes the candidate's traffic away, and a signed webhook tells of it."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from standardwebhooks import Webhook

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import World

pytestmark = pytest.mark.serial

TOKEN = "a-token-for-the-alertmanager-of-this-test"  # noqa: S105 - opens nothing but this test


class Receiver:
    """Take webhooks on a local port."""

    def __init__(self) -> None:
        """Listen."""
        self.taken: list[tuple[dict[str, str], bytes]] = []
        taken = self.taken

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                """Keep the headers and the body."""
                body = self.rfile.read(int(self.headers["content-length"]))
                taken.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


def alert(service: str) -> dict[str, Any]:
    """Return an Alertmanager v4 payload with one firing alert."""
    labels = {"alertname": "CandidateErrors", "severity": "critical", "service": service}
    one = {
        "status": "firing",
        "labels": labels,
        "annotations": {"summary": "errors are up"},
        "startsAt": "2026-11-21T09:00:00Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example/graph",
        "fingerprint": "a1b2c3d4e5f60718",
    }
    return {
        "version": "4",
        "groupKey": '{}:{alertname="CandidateErrors"}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "gatekeeper",
        "groupLabels": {"alertname": "CandidateErrors"},
        "commonLabels": labels,
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example",
        "alerts": [one],
    }


def test_an_alert_in_mid_canary_rolls_back_once_and_tells(world: World, receiver: Receiver) -> None:
    process, api_url, gateway_url = world.serve(hook_token=TOKEN, webhook_allow_private="true")
    client = world.client(api_url, process.says(r"(gk_live_\S+)"))
    hook = client.create_webhook(receiver.url, events=("rollout.rolled_back",))
    world.deploy(client, world.engine("baseline").url, "baseline")
    good = world.deploy(client, world.engine("good").url, "good")
    world.users(gateway_url)
    rollout = client.create_rollout(service=world.service, policy=world.staying, candidate=good)
    world.until(client, rollout["id"], world.in_canary)
    post = f"{api_url}/v1/hooks/alertmanager"

    stranger = httpx.post(post, json=alert(world.service))
    assert stranger.status_code == 401
    assert client.rollout(rollout["id"])["state"] == "running"

    headers = {"authorization": f"Bearer {TOKEN}"}
    assert httpx.post(post, json=alert(world.service), headers=headers).status_code == 200
    rolled = world.until(client, rollout["id"], world.ended)
    assert rolled["state"] == "rolled_back"
    assert rolled["split_seen"]["candidate_bp"] == 0
    before = _asked_of_candidate(gateway_url)
    time.sleep(1.0)
    assert _asked_of_candidate(gateway_url) == before

    assert httpx.post(post, json=alert(world.service), headers=headers).status_code == 200
    _, entries = client.audit(rollout["id"])
    assert [entry.event for entry in entries].count("rollout.rolled_back") == 1

    until = time.monotonic() + 20
    while not receiver.taken and time.monotonic() < until:
        time.sleep(0.05)
    (headers, body), *more = receiver.taken
    assert not more
    told = Webhook(hook["secret"]).verify(body, headers)
    assert told["type"] == "rollout.rolled_back"
    assert told["data"]["rollout_id"] == rollout["id"]
    assert json.loads(body) == told


def _asked_of_candidate(gateway_url: str) -> float:
    text = httpx.get(f"{gateway_url}/metrics").text
    lines = [line for line in text.splitlines() if 'arm="candidate"' in line and "requests" in line]
    assert lines, text
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines)

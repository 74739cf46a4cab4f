"""The whole rollout with every role a process of its own: PostgreSQL, Redis or RabbitMQ, two gateways."""

from __future__ import annotations

import signal
import socket
import time
from typing import TYPE_CHECKING

import pytest

from gatekeeper.adapters.broker import make_celery
from gatekeeper.errors import WorldError
from gatekeeper.model.key import Scope

if TYPE_CHECKING:
    from conftest import World

pytestmark = [pytest.mark.serial, pytest.mark.services]


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def start(world: World, postgres_url: str, broker_url: str) -> tuple[str, list[str], str]:
    """Start api, worker and two gateways; return the API's root, the gateways' roots and the admin key."""
    make_celery(broker_url).control.purge()  # a run that was killed left messages about jobs of its own database
    shared = {"database_url": postgres_url, "broker_url": broker_url}
    port = free_port()
    api = world.run("api", "--port", str(port), **shared)
    key = api.says(r"(gk_live_\S+)")
    api_url = f"http://127.0.0.1:{port}"
    world.run("worker", "--concurrency", "1", **shared)
    ingest = _when_up(world, api_url, key)
    gateways = []
    for number in range(2):
        folder = str(world.folder / f"gateway-{number}")
        gateway = world.run("gateway", "--port", "0", api_url=api_url, api_key=ingest, data_dir=folder)
        gateways.append(gateway.says(r"gateway on (http://\S+)"))
    return api_url, gateways, key


def _when_up(world: World, api_url: str, key: str) -> str:
    client = world.client(api_url, key)
    for _ in range(300):
        try:
            return str(client.create_key("gateways", Scope.INGEST)["key"])
        except WorldError:
            time.sleep(0.1)
    return str(client.create_key("gateways", Scope.INGEST)["key"])


@pytest.mark.parametrize("broker", ["redis", "amqp"])
def test_a_good_candidate_is_promoted_and_a_bad_one_rolled_back(
    world: World, request: pytest.FixtureRequest, postgres_url: str, broker: str
) -> None:
    broker_url = request.getfixturevalue(f"{broker}_url")
    api_url, gateways, key = start(world, postgres_url, broker_url)
    client = world.client(api_url, key)
    world.deploy(client, world.engine("baseline").url, "baseline")
    good = world.deploy(client, world.engine("good").url, "good")
    bad = world.deploy(client, world.engine("breaks-json").url, "breaks-json")
    for gateway_url in gateways:
        world.users(gateway_url)
    rolled = client.create_rollout(service=world.service, policy=world.policy, candidate=bad)
    rolled = world.until(client, rolled["id"], world.ended)
    assert rolled["state"] == "rolled_back", rolled["sentence"]
    assert "json_validity" in rolled["reason"]
    promoted = client.create_rollout(service=world.service, policy=world.policy, candidate=good)
    promoted = world.until(client, promoted["id"], world.ended)
    assert promoted["state"] == "promoted", promoted["sentence"]


def test_a_gateway_serves_on_while_the_control_plane_is_gone(world: World, postgres_url: str, redis_url: str) -> None:
    shared = {"database_url": postgres_url, "broker_url": redis_url}
    port = free_port()
    api = world.run("api", "--port", str(port), **shared)
    key = api.says(r"(gk_live_\S+)")
    api_url = f"http://127.0.0.1:{port}"
    ingest = _when_up(world, api_url, key)
    client = world.client(api_url, key)
    world.deploy(client, world.engine("baseline").url, "baseline")
    data = str(world.folder / "gateway")
    gateway = world.run("gateway", "--port", "0", api_url=api_url, api_key=ingest, data_dir=data)
    gateway_url = gateway.says(r"gateway on (http://\S+)")
    traffic = world.users(gateway_url)
    _wait_for_answers(traffic, 5)
    api.end()
    gateway.end(signal.SIGTERM)
    traffic.stop()
    gateway = world.run("gateway", "--port", "0", api_url=api_url, api_key=ingest, data_dir=data)
    gateway_url = gateway.says(r"gateway on (http://\S+)")
    again = world.users(gateway_url)
    _wait_for_answers(again, 20)
    assert again.counts.failed == 0


def _wait_for_answers(traffic: object, count: int) -> None:
    until = time.monotonic() + 60
    while traffic.counts.answered < count:
        assert time.monotonic() < until, traffic.counts
        time.sleep(0.05)

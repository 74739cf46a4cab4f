"""A gate run by the server: evalset, workers, engines over HTTP; as a rollout's first stage, and of its own."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import World

    from gatekeeper.client import Client

pytestmark = pytest.mark.serial

EVALSETS = Path(__file__).parents[2] / "evalsets"
POLICY = """\
policy: gated
metrics:
  refusal_rate: {max_increase: 3pp, detect: 7pp, critical: true}
  task_success: {max_decrease: 8pp, detect: 12pp}
stages:
  - gate: {evalset: evalsets/demo-chat, max_wait: 3m, on_undecided: rollback}
  - canary: {weight: 50%}
"""


def test_the_gate_stage_lets_the_good_one_meet_users_and_rolls_the_refusing_one_back_before(world: World) -> None:
    process, api_url, gateway_url = world.serve(evalsets_dir=str(EVALSETS))
    client = world.client(api_url, process.says(r"(gk_live_\S+)"))
    world.deploy(client, world.engine("baseline").url, "baseline")
    bad = world.deploy(client, world.engine("over-refuses").url, "over-refuses")
    good = world.deploy(client, world.engine("good").url, "good")
    world.when_ready(gateway_url)

    refused = client.create_rollout(service=world.service, policy=POLICY, candidate=bad)
    refused = world.until(client, refused["id"], world.ended)
    assert (refused["state"], refused["stage"]) == ("rolled_back", 0), refused["sentence"]
    assert "refusal_rate" in refused["reason"]

    begun = client.create_rollout(service=world.service, policy=POLICY, candidate=good)
    begun = world.until(client, begun["id"], lambda seen: seen["stage"] == 1 and seen["settled"])
    assert begun["split_seen"]["candidate_bp"] == 5_000

    beside = client.create_gate(service=world.service, policy=POLICY, candidate=bad)
    ended = _until_ended(client, beside["id"])
    assert (ended["state"], ended["exit_code"]) == ("failed", 1), ended["reason"]
    assert client.rollout(begun["id"])["state"] == "running"


def _until_ended(client: Client, gate_id: str) -> dict[str, Any]:
    until = time.monotonic() + 60.0
    found = client.gate(gate_id)
    while found["state"] == "running" and time.monotonic() < until:
        time.sleep(0.2)
        found = client.gate(gate_id)
    return found

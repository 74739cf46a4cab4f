"""The whole rollout in one process on SQLite: promoted, rolled back, and over a kill -9."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING, Any

import pytest

from gatekeeper.adapters.store.unit import SqlStore

if TYPE_CHECKING:
    from conftest import World

pytestmark = pytest.mark.serial

IN_FLIGHT = 6
"""One a user: what was answered in the last millisecond before a kill may not be on disk yet."""


def test_a_good_candidate_is_promoted_and_a_bad_one_rolled_back(world: World) -> None:
    process, api_url, gateway_url = world.serve()
    client = world.client(api_url, process.says(r"(gk_live_\S+)"))
    world.deploy(client, world.engine("baseline").url, "baseline")
    good = world.deploy(client, world.engine("good").url, "good")
    traffic = world.users(gateway_url)
    promoted = client.create_rollout(service=world.service, policy=world.policy, candidate=good)
    promoted = world.until(client, promoted["id"], world.ended)
    assert promoted["state"] == "promoted", promoted["sentence"]
    assert promoted["split_seen"]["baseline"]["url"] == promoted["split_wanted"]["baseline"]["url"]
    assert next(s for s in client.services() if s.name == world.service).deployment_id == good

    bad = world.deploy(client, world.engine("over-refuses").url, "over-refuses")
    rolled = client.create_rollout(service=world.service, policy=world.policy, candidate=bad)
    rolled = world.until(client, rolled["id"], world.ended)
    assert rolled["state"] == "rolled_back", rolled["sentence"]
    assert "refusal_rate" in rolled["reason"]
    assert rolled["split_seen"]["candidate"] is None
    traffic.stop()
    assert traffic.counts.failed == 0
    _, entries = client.audit(promoted["id"])
    events = [entry.event for entry in entries]
    assert events == ["rollout.created", *["rollout.stage_changed"] * 2, "rollout.promoted"]


def test_a_kill_in_mid_canary_loses_nothing(world: World) -> None:
    process, api_url, gateway_url = world.serve()
    key = process.says(r"(gk_live_\S+)")
    client = world.client(api_url, key)
    world.deploy(client, world.engine("baseline").url, "baseline")
    good = world.deploy(client, world.engine("good").url, "good")
    traffic = world.users(gateway_url)
    rollout = client.create_rollout(service=world.service, policy=world.staying, candidate=good)
    before = world.until(client, rollout["id"], world.in_canary)
    process.end(signal.SIGKILL)
    traffic.stop()

    process, api_url, gateway_url = world.serve()
    client = world.client(api_url, key)
    again = client.rollout(rollout["id"])
    assert (again["stage"], again["epoch"], again["state"]) == (2, before["epoch"], "running")
    more = world.users(gateway_url)
    waits = world.until(client, rollout["id"], lambda seen: "waits for an approval" in seen["sentence"])
    assert _folded(waits) > _folded(before)
    client.act(rollout["id"], "promote", "the kill was survived")
    ended = world.until(client, rollout["id"], world.ended)
    assert ended["state"] == "promoted"
    more.stop()
    answered = traffic.counts.answered + more.counts.answered
    _wait_until_still(world, client, rollout["id"])
    process.end(signal.SIGTERM)
    _everything_adds_up(world, rollout["id"], answered)


def _folded(rollout: dict[str, Any]) -> int:
    return sum(arm["folded"] for arm in rollout["counts"]["stages"].get("2", {}).values())


def _wait_until_still(world: World, client: Any, rollout_id: str) -> None:  # noqa: ANN401 - the typed client
    world.until(client, rollout_id, lambda seen: seen["counts"]["unscored"] == 0)
    time.sleep(1.0)


def _everything_adds_up(world: World, rollout_id: str, answered: int) -> None:
    """Hold: one sample an exchange, each folded once, and no answered request missing but those in flight."""
    store = SqlStore(f"sqlite:///{world.folder / 'e2e.db'}")
    with store.unit(readonly=True) as unit:
        counts = unit.samples.counts(rollout_id)
        engine = unit.exchanges._work.connection  # noqa: SLF001 - the test counts rows that no port counts
        exchanges = engine.exec_driver_sql("SELECT count(*) FROM exchanges").scalar()
        users = engine.exec_driver_sql("SELECT count(*) FROM exchanges WHERE id NOT LIKE '%/shadow'").scalar()
        samples = engine.exec_driver_sql("SELECT count(*) FROM samples").scalar()
        tallies = {stage: unit.tallies.get(rollout_id, stage, 1) for stage in (1, 2)}
    store.dispose()
    assert counts["unscored"] == 0
    assert samples == exchanges
    assert users >= answered - IN_FLIGHT
    for stage, tally in tallies.items():
        folded = sum(arm["folded"] for arm in counts["stages"][stage].values())
        assert tally is not None
        assert tally["samples"] == folded

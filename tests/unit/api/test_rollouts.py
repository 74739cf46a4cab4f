"""Rollouts over HTTP, through the typed client."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from gatekeeper.client import Client
from gatekeeper.decide.chain import verify
from gatekeeper.errors import (
    AccessError,
    ConflictError,
    ForbiddenError,
    InputError,
    NotFoundError,
    PolicyError,
    WorldError,
)
from gatekeeper.flow.act import act
from gatekeeper.model.key import Scope

if TYPE_CHECKING:
    from conftest import World

    from gatekeeper.model.rollout import Rollout

FAULTY = """\
policy: x
metrics:
  refusal_rat: {max_increase: 1pp}
  ttft_ms.p95: {max_increase: 10 apples}
stages:
  - canary: {weight: 300%}
  - shadow: {mirrr: 20%}
  - bake: {wait: soon}
"""


def settle(world: World, rollout_id: str) -> Rollout:
    """Let a gateway apply the wanted split, and the control loop see it."""
    with world.app.read() as unit:
        rollout = unit.rollouts.get(rollout_id)
    world.app.actuator.write(rollout.split_wanted)
    epoch, version = rollout.split_wanted.order
    asked = {"gateway": "g1", "seen": f"support:{epoch}.{version}"}
    assert world.http(Scope.INGEST).get("/v1/splits", params=asked).status_code == 200
    return act(world.app.unit, world.app.actuator, rollout)


def test_created_rollout_shows_all_a_screen_needs(world: World):
    screen = world.client(Scope.OPERATOR).create_rollout(service="support", policy=world.policy, candidate="new")
    assert screen["state"] == "running"
    assert [(stage["kind"], stage["state"]) for stage in screen["stages"]] == [
        ("warmup", "current"),
        ("shadow", "waiting"),
        ("canary", "waiting"),
    ]
    assert screen["split_seen"] is None
    assert not screen["settled"]
    assert screen["sentence"].startswith("Hold: waits until the gateways show stage 1")
    assert screen["report"] is None
    assert screen["counts"] == {"stages": {}, "unscored": 0}
    shown = world.client(Scope.VIEWER).rollout(screen["id"])
    assert shown == screen


def test_list_filters_and_leaves_the_policy_out(world: World):
    rollout_id = world.rollout()
    client = world.client(Scope.VIEWER)
    assert [row["id"] for row in client.rollouts()] == [rollout_id]
    assert "policy_text" not in client.rollouts()[0]
    assert client.rollouts(service="other") == []
    assert client.rollouts(state="promoted") == []


def test_five_faults_come_at_once_with_their_places_and_nothing_is_stored(world: World):
    with pytest.raises(PolicyError) as caught:
        world.client().create_rollout(service="support", policy=FAULTY, candidate="new", policy_file="p.yaml")
    faults = caught.value.faults
    assert {fault.line for fault in faults} == {3, 4, 6, 7, 8}
    assert all(fault.column and fault.message and fault.file == "p.yaml" for fault in faults)
    assert world.client().rollouts() == []
    with pytest.raises(PolicyError):
        world.client(Scope.VIEWER).validate_policy(FAULTY)
    assert world.client(Scope.VIEWER).validate_policy(world.policy)["valid"]


def test_faults_of_other_kinds(world: World):
    client = world.client()
    with pytest.raises(NotFoundError, match="nobody"):
        client.rollout("nobody")
    with pytest.raises(NotFoundError, match="known: new, old"):
        client.create_rollout(service="support", policy=world.policy, candidate="newer")
    with pytest.raises(InputError, match="baseline already"):
        client.create_rollout(service="support", policy=world.policy, candidate="old")
    with pytest.raises(InputError, match="service"):
        client._call("POST", "/v1/rollouts", json={"policy": world.policy, "candidate": "new"})  # noqa: SLF001 - a bad body
    with pytest.raises(ForbiddenError, match="operator"):
        world.client(Scope.VIEWER).create_rollout(service="support", policy=world.policy, candidate="new")
    with pytest.raises(AccessError, match="API key"):
        world.client(None).rollouts()
    world.rollout()
    with pytest.raises(ConflictError, match="running"):
        world.rollout()


def test_an_idempotency_key_makes_one_rollout_and_one_transition(world: World):
    client = world.client(Scope.OPERATOR)
    asked = {"service": "support", "policy": world.policy, "candidate": "new", "idempotency_key": "once"}
    first, again = client.create_rollout(**asked), client.create_rollout(**asked)
    assert first["id"] == again["id"]
    with pytest.raises(ConflictError, match="Idempotency-Key"):
        client.create_rollout(**{**asked, "policy": world.policy + "# changed\n"})
    for _ in range(2):
        paused = client.act(first["id"], "pause", "lunch", idempotency_key="lunch")
    assert paused["version"] == 1
    assert paused["paused"]


def test_if_match_refuses_who_looked_at_an_older_version(world: World):
    rollout_id = world.rollout()
    client = world.client(Scope.OPERATOR)
    assert client.act(rollout_id, "pause", if_match=0)["version"] == 1
    with pytest.raises(ConflictError, match="version 1, not 0"):
        client.act(rollout_id, "resume", if_match=0)
    answer = world.http().post(f"/v1/rollouts/{rollout_id}/resume", headers={"if-match": "the newest"})
    assert answer.status_code == 422
    assert world.http().get(f"/v1/rollouts/{rollout_id}").headers["etag"] == '"1"'


def test_rollback_is_final_and_the_audit_says_who_and_why(world: World):
    rollout_id = world.rollout()
    screen = world.client(Scope.APPROVER).rollback(rollout_id, "users complain")
    assert screen["state"] == "rolled_back"
    assert screen["sentence"].startswith("Rolled back: ")
    assert "users complain" in screen["reason"]
    assert [stage["state"] for stage in screen["stages"]] == ["failed", "skipped", "skipped"]
    assert world.client().rollback(rollout_id)["version"] == screen["version"]
    with pytest.raises(ConflictError, match="ended"):
        world.client().act(rollout_id, "promote")
    version, entries = world.client(Scope.VIEWER).audit(rollout_id)
    assert verify(entries, version) == []
    assert entries[-1].actor.startswith("approver (")
    assert entries[-1].body == {"reason": "users complain"}


def test_promote_skip_and_abort(world: World):
    rollout_id = world.rollout()
    assert world.client(Scope.APPROVER).act(rollout_id, "skip")["stage"] == 1
    promoted = world.client(Scope.APPROVER).act(rollout_id, "promote", "hotfix")
    assert [stage["state"] for stage in promoted["stages"]] == ["done", "done", "skipped"]
    assert {service.name: service.deployment_id for service in world.client().services()} == {"support": "new"}
    world.client().serve_by("support", "old")
    second = world.rollout()
    assert world.client(Scope.OPERATOR).act(second, "abort")["state"] == "aborted"


def test_approval_must_come_from_somebody_else(world: World):
    rollout_id = world.rollout()
    admin, approver = world.client(), world.client(Scope.APPROVER)
    for _ in range(2):
        admin.act(rollout_id, "skip")
    with pytest.raises(ConflictError, match="somebody else"):
        admin.approve(rollout_id)
    assert approver.approve(rollout_id)["approved_stage"] == 2


def test_before_the_first_look_the_report_holds_and_says_why(world: World):
    rollout_id = world.rollout()
    report = world.client(Scope.VIEWER).report(rollout_id)
    assert report.verdict == "hold"
    assert report.reasons == ("nothing was measured in this stage yet",)
    assert world.client().pairs(rollout_id) == []
    assert world.client().reports(rollout_id) == []
    assert world.client().samples(rollout_id) == {"counts": {"stages": {}, "unscored": 0}, "waiting": []}


def test_watch_tells_each_change_and_ends_with_the_rollout(world: World):
    rollout_id = world.rollout()
    told: list[dict] = []
    first = threading.Event()

    def follow() -> None:
        for state in world.client(Scope.VIEWER).watch(rollout_id):
            told.append(state)
            first.set()

    watcher = threading.Thread(target=follow)
    watcher.start()
    assert first.wait(10)
    settle(world, rollout_id)
    world.client().rollback(rollout_id, "enough")
    settle(world, rollout_id)
    watcher.join(10)
    assert not watcher.is_alive()
    assert told[0]["state"] == "running"
    assert told[-1]["state"] == "rolled_back"
    assert told[-1]["settled"]


def test_watching_a_rollout_that_is_not_there_or_a_plane_that_is_away(world: World):
    with pytest.raises(NotFoundError):
        list(world.client().watch("nobody"))
    with Client("http://127.0.0.1:9") as client, pytest.raises(WorldError, match="does not answer"):
        list(client.watch("r", patience_s=0))


def test_metrics_count_rollouts(world: World):
    world.rollout()
    text = world.http(Scope.VIEWER).get("/metrics").text
    assert 'gatekeeper_rollouts{state="running"} 1' in text
    assert "gatekeeper_rollouts_unsettled 1" in text
    assert 'gatekeeper_outbox_items{state="dead"} 0' in text


def test_health(world: World):
    assert world.http(None).get("/healthz").json() == {"status": "ok"}
    assert world.http(None).get("/readyz").json() == {"status": "ready"}
    paths = world.http(Scope.VIEWER).get("/openapi.json").json()["paths"]
    assert "/v1/rollouts/{rollout_id}/rollback" in paths

"""Webhooks in: a firing alert or a signed event rolls back, once; strangers and garbage do nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gatekeeper.adapters import signatures
from gatekeeper.model.key import Scope

if TYPE_CHECKING:
    import httpx
    from conftest import World

ALERTS, GENERIC = "/v1/hooks/alertmanager", "/v1/hooks/generic"


def alert(status: str = "firing", **labels: str) -> dict[str, Any]:
    named = {"alertname": "ErrorRateHigh", "service": "support"} | labels
    return {
        "status": status,
        "labels": {name: value for name, value in named.items() if value},
        "annotations": {"summary": "5 % of answers fail"},
        "startsAt": "2026-01-01T00:00:00Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus/graph",
        "fingerprint": "f00d",
    }


def payload(*alerts: dict[str, Any], **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON value
    return {
        "version": "4",
        "groupKey": '{}:{service="support"}',
        "truncatedAlerts": 0,
        "status": "firing" if any(one["status"] == "firing" for one in alerts) else "resolved",
        "receiver": "gatekeeper",
        "commonLabels": {},
        "commonAnnotations": {},
        "alerts": list(alerts),
    } | more


def token(text: str) -> dict[str, str]:
    return {"authorization": f"Bearer {text}"}


def post(world: World, body: object, headers: dict[str, str] | None = None) -> httpx.Response:
    return world.http(None).post(ALERTS, json=body, headers=headers or token(world.app.settings.hook_token))


def state(world: World, rollout_id: str) -> str:
    return world.client().rollout(rollout_id)["state"]


def test_without_the_token_nothing_happens(world: World):
    rollout_id = world.rollout()
    for headers in ({"x": "y"}, token("wrong"), token(world.keys[Scope.VIEWER]), token(world.keys[Scope.INGEST])):
        answer = post(world, payload(alert()), headers)
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
    assert state(world, rollout_id) == "running"


@pytest.mark.parametrize("scope", [None, Scope.OPERATOR])
def test_a_firing_alert_rolls_back_once(world: World, scope: Scope | None):
    rollout_id = world.rollout()
    headers = token(world.keys[scope]) if scope else None
    answer = post(world, payload(alert()), headers)
    assert answer.status_code == 200
    assert answer.json()["rolled_back"] == [rollout_id]
    screen = world.client().rollout(rollout_id)
    assert screen["state"] == "rolled_back"
    assert "alert ErrorRateHigh fires: 5 % of answers fail" in screen["sentence"]
    assert screen["split_wanted"]["candidate_bp"] == screen["split_wanted"]["mirror_bp"] == 0
    again = post(world, payload(alert()), headers)
    assert (again.status_code, again.json()["rolled_back"]) == (200, [])
    assert again.json()["events"][0]["outcome"] == "duplicate"
    assert world.client().rollout(rollout_id)["version"] == screen["version"]
    _, entries = world.client().audit(rollout_id)
    assert [entry.event for entry in entries] == ["rollout.created", "rollout.rolled_back"]
    assert entries[-1].actor == "webhook:alertmanager"


def test_resolved_undoes_nothing_and_starts_nothing(world: World):
    rollout_id = world.rollout()
    assert post(world, payload(alert("resolved"))).json()["events"][0]["outcome"] == "resolved"
    assert state(world, rollout_id) == "running"
    post(world, payload(alert()))
    post(world, payload(alert("resolved", severity="page")))
    assert state(world, rollout_id) == "rolled_back"


MATCHES = [
    ({"service": "other"}, "nothing_running"),
    ({"service": ""}, "unmatched"),
    ({"service": "", "gatekeeper_rollout": "r-nobody"}, "nothing_running"),
    ({"service": "", "gatekeeper_service": "support"}, "rolled_back"),
    ({"service": "other", "gatekeeper_service": "support"}, "rolled_back"),
]


def test_labels_name_the_target(world: World):
    for number, (labels, outcome) in enumerate(MATCHES):
        rollout_id = world.rollout()
        answer = post(world, payload(alert(**labels), groupKey=str(number)))
        assert answer.status_code == 200
        assert answer.json()["events"][0]["outcome"] == outcome
        assert state(world, rollout_id) == ("rolled_back" if outcome == "rolled_back" else "running")
        world.client().rollback(rollout_id)


def test_a_label_may_name_the_rollout_itself(world: World):
    rollout_id = world.rollout()
    assert post(world, payload(alert(rollout_id=rollout_id))).json()["rolled_back"] == [rollout_id]


def test_alerts_cut_off_count_as_firing_by_their_common_labels(world: World):
    rollout_id = world.rollout()
    common = {"alertname": "ErrorRateHigh", "service": "support"}
    body = payload(alert("resolved"), status="firing", truncatedAlerts=7, commonLabels=common)
    assert post(world, body).json()["rolled_back"] == [rollout_id]


NONSENSE = [
    b"",
    b"[]",
    b"{",
    b"\xff",
    b'{"version": "3", "alerts": []}',
    b'{"version": "4"}',
    b'{"version": "4", "alerts": [1]}',
    b'{"version": "4", "alerts": [{"status": "firing", "labels": {"service": 1}}]}',
    b'{"version": "4", "alerts": [{"status": "fires"}]}',
    b'{"version": "4", "alerts": [{"status": "firing", "x": NaN}]}',
    b'{"version": "4", "alerts": [], "x": ' + b"[" * 100 + b"]" * 100 + b"}",
    b'{"version": "4", "alerts": ' + b"[" * 100_000,
]


def test_what_cannot_be_understood_is_a_422(world: World):
    for content in NONSENSE:
        answer = world.http(None).post(ALERTS, content=content, headers=token(world.app.settings.hook_token))
        assert answer.status_code == 422, (content[:80], answer.text)
        assert answer.headers["content-type"] == "application/problem+json"


def test_an_unknown_source_names_those_there_are(world: World):
    answer = world.http(None).post("/v1/hooks/pigeon", json={})
    assert answer.status_code == 404
    assert "known: alertmanager, generic" in answer.json()["detail"]


def signed(world: World, plain: object, event_id: str = "msg_1", wait_s: float = 0.0) -> httpx.Response:
    body = json.dumps(plain)
    headers = signatures.sign(world.app.settings.hook_secret, event_id, world.clock.now() + wait_s, body)
    return world.http(None).post(GENERIC, content=body, headers=headers)


def test_a_signed_event_rolls_back_once(world: World):
    rollout_id = world.rollout()
    asked = {"type": "rollback", "service": "support", "reason": "pager"}
    assert signed(world, asked).json()["rolled_back"] == [rollout_id]
    assert signed(world, asked, wait_s=10).json()["events"][0]["outcome"] == "duplicate"
    assert state(world, rollout_id) == "rolled_back"


def test_a_signed_event_may_name_the_rollout(world: World):
    rollout_id = world.rollout()
    assert signed(world, {"type": "rollback", "rollout_id": rollout_id}).json()["rolled_back"] == [rollout_id]


def test_a_signed_body_must_still_make_sense(world: World):
    for plain in ({}, {"type": "promote", "service": "support"}, {"type": "rollback"}, [], "rollback"):
        assert signed(world, plain).status_code == 422, plain


def test_an_old_or_future_signature_is_refused(world: World):
    rollout_id = world.rollout()
    for wait_s in (-301, 301, -100_000):
        assert signed(world, {"type": "rollback", "service": "support"}, wait_s=wait_s).status_code == 401
    assert state(world, rollout_id) == "running"


TAMPERED = {
    "no id": {"webhook-id": None},
    "another id": {"webhook-id": "msg_2"},
    "no timestamp": {"webhook-timestamp": None},
    "another timestamp": {"webhook-timestamp": "1700000001"},
    "float timestamp": {"webhook-timestamp": "1700000000.5"},
    "nan timestamp": {"webhook-timestamp": "nan"},
    "infinite timestamp": {"webhook-timestamp": "inf"},
    "huge timestamp": {"webhook-timestamp": "9" * 400},
    "negative timestamp": {"webhook-timestamp": "-1700000000"},
    "no signature": {"webhook-signature": None},
    "no version": {"webhook-signature": "abc"},
    "other version": {"webhook-signature": "v2,AAAA"},
    "not base64": {"webhook-signature": "v1,***"},
    "commas": {"webhook-signature": "v1,,,"},
    "empty": {"webhook-signature": "v1,"},
    "two wrong": {"webhook-signature": "v1,AAAA v1,BBBB"},
}


def test_tampered_headers_are_refused(world: World):
    body = b'{"type": "rollback", "service": "support"}'
    headers = signatures.sign(world.app.settings.hook_secret, "msg_1", world.clock.now(), body.decode())
    for what, change in TAMPERED.items():
        changed = {name: value for name, value in (headers | change).items() if value is not None}
        assert world.http(None).post(GENERIC, content=body, headers=changed).status_code == 401, what
    assert world.http(None).post(GENERIC, content=body, headers=headers).status_code == 200


def test_a_changed_body_is_refused(world: World):
    headers = signatures.sign(world.app.settings.hook_secret, "msg_1", world.clock.now(), '{"type": "rollback"}')
    for body in (b'{"type": "rollback", "service": "support"}', b"", b"\xff\xfe"):
        assert world.http(None).post(GENERIC, content=body, headers=headers).status_code == 401


header = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=60).map(
    str.strip
)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(event_id=header, stamp=header, signature=header, authorization=header, body=st.binary(max_size=60))
def test_garbage_is_never_a_server_error(
    world: World, event_id: str, stamp: str, signature: str, authorization: str, body: bytes
):
    headers = {
        "webhook-id": event_id,
        "webhook-timestamp": stamp,
        "webhook-signature": signature,
        "authorization": authorization,
    }
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    for path in (ALERTS, GENERIC, "/v1/rollouts"):
        assert world.http(None).post(path, content=body, headers=raw).status_code in {400, 401}

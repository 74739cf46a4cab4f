"""What can be rolled out, and what gateways send and ask."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from msgspec import structs

from gatekeeper.captures.frames import MEDIA_TYPE, frames_of
from gatekeeper.captures.raw import RawExchange
from gatekeeper.errors import ConflictError, InputError, NotFoundError, UnknownNameError
from gatekeeper.model.arm import Arm
from gatekeeper.model.key import Scope
from gatekeeper.model.release import Release

if TYPE_CHECKING:
    from conftest import World


def test_a_release_is_known_by_its_content(world: World):
    client = world.client(Scope.OPERATOR)
    release = Release(model="m", engine="vllm", engine_flags={"max-model-len": "512"})
    assert client.create_release(release) == client.create_release(release) == release.digest
    assert client.release(release.digest[:10]) == release
    assert release in client.releases()
    with pytest.raises(NotFoundError, match="0 releases"):
        client.release("ffffffffffff")
    with pytest.raises(UnknownNameError, match=r"unknown engine 'vlm'; known: .*vllm"):
        client.create_release(Release(model="m", engine="vlm"))


def test_the_first_deployment_of_a_service_serves_it(world: World):
    client = world.client(Scope.OPERATOR)
    first = client.create_deployment(service="chat", url="http://127.0.0.1:9001/v1/", model="a")
    assert first.url == "http://127.0.0.1:9001"
    second = client.create_deployment(service="chat", url="http://127.0.0.1:9002", model="b", id="chat-b")
    served = {service.name: service.deployment_id for service in client.services()}
    assert served["chat"] == first.id
    assert {deployment.id for deployment in client.deployments("chat")} == {first.id, second.id}
    with world.app.read() as unit:
        split = next(split for split in unit.splits.all() if split.service == "chat")
    assert split.baseline.model == "a"
    assert client.serve_by("chat", "chat-b").deployment_id == "chat-b"
    with world.app.read() as unit:
        assert next(split for split in unit.splits.all() if split.service == "chat").baseline.model == "b"


@pytest.mark.parametrize("url", ["ftp://x", "127.0.0.1:8000", "http://", "http://h/?q=1", "http://[::1"])
def test_a_deployment_needs_a_server_s_root(world: World, url: str):
    with pytest.raises(InputError, match="root of a server"):
        world.client().create_deployment(service="chat", url=url, model="a")


def test_a_deployment_says_how_many_replicas_it_has_or_nothing(world: World):
    asked = {"service": "chat", "url": "http://127.0.0.1:1", "model": "a"}
    assert world.client().create_deployment(**asked, id="one").replicas is None
    assert world.client().create_deployment(**asked, id="two", replicas=3).replicas == 3
    assert {one.id: one.replicas for one in world.client().deployments("chat")} == {"one": None, "two": 3}
    with pytest.raises(InputError, match="replicas"):
        world.client().create_deployment(**asked, id="three", replicas=0)


def test_deployments_do_not_change_under_their_id(world: World):
    client = world.client()
    asked = {"service": "chat", "url": "http://127.0.0.1:1", "model": "a", "id": "one"}
    assert client.create_deployment(**asked) == client.create_deployment(**asked)
    with pytest.raises(ConflictError, match="other content"):
        client.create_deployment(**{**asked, "model": "b"})
    with pytest.raises(NotFoundError, match="no release"):
        client.create_deployment(**{**asked, "id": "two", "release_digest": "0" * 64})
    with pytest.raises(InputError, match="url"):
        client._call("POST", "/v1/deployments", json={"service": "chat", "model": "a"})  # noqa: SLF001 - a bad body
    world.rollout()
    with pytest.raises(ConflictError, match="running"):
        client.serve_by("support", "new")


def exchange(number: int, **more: str) -> bytes:
    plain = {"id": f"e{number}", "ts": 1.0, "arm": "baseline", "service": "support", **more}
    return json.dumps(plain).encode()


def test_a_batch_sent_twice_is_stored_once(world: World):
    client = world.client(Scope.INGEST)
    lines = b"\n".join(exchange(number) for number in range(450)) + b"\n\n"
    assert client.send_exchanges(lines) == {"received": 450, "new": 450, "refused": []}
    assert client.send_exchanges(lines) == {"received": 450, "new": 0, "refused": []}
    with world.app.read() as unit:
        assert unit.jobs.counts()["pending"] == 3


def test_a_bad_line_is_named_and_holds_back_none_of_the_others(world: World):
    bad = [
        b"{",
        b"[1]",
        b'{"id": "x"}',
        exchange(2).replace(b"1.0", b"NaN"),
        b"\xff",
        b"[" * 5000,
        exchange(4, arm="x"),
    ]
    answer = world.client(Scope.INGEST).send_exchanges(b"\n".join([exchange(1), *bad, exchange(3)]))
    assert (answer["received"], answer["new"]) == (9, 2)
    assert [line["line"] for line in answer["refused"]] == [2, 3, 4, 5, 6, 7, 8]
    assert "gatekeeper_exchange_lines_refused_total 7" in world.http(Scope.VIEWER).get("/metrics").text


def test_a_gateway_s_captures_are_read_here_and_stored_once(world: World):
    http = world.http(Scope.INGEST)
    asked, answered = b'{"model": "support"}', b'{"choices": [{"index": 0, "message": {"content": "yes"}}]}'
    good = RawExchange("c1", 1.0, Arm.BASELINE, "support", "", -1, 0, path="/v1/chat/completions")
    good = structs.replace(good, request=asked, status=200, pieces=[answered], times=[2.0], began=1.0, ended=2.0)
    bad = [structs.replace(good, id=""), structs.replace(good, id="c2", began=float("nan"))]
    unread = structs.replace(good, id="c3", coding="br", rollout_id="r", stage=1)
    body = frames_of([good, *bad, unread]) + b"\0\0\0\1\x01"
    sent = {"content": body, "headers": {"content-type": MEDIA_TYPE}}
    answer = http.post("/v1/exchanges", **sent).json()
    assert (answer["received"], answer["new"]) == (5, 2)
    assert [one["line"] for one in answer["refused"]] == [2, 3, 5]
    assert http.post("/v1/exchanges", **sent).json()["new"] == 0
    with world.app.read() as unit:
        kept = {one.id: one for one in unit.exchanges.get((1, 2))}
    assert kept["c1"].response == json.loads(answered)
    assert kept["c1"].timing.e2e_ms == 1000.0
    assert kept["lost/c3"].lost == 1
    torn = http.post("/v1/exchanges", content=body[:-3], headers={"content-type": MEDIA_TYPE})
    assert torn.status_code == 422


def test_splits_carry_an_etag_and_note_what_a_gateway_applies(world: World):
    http = world.http(Scope.INGEST)
    first = http.get("/v1/splits", params={"gateway": "g1", "seen": ""})
    assert [split["service"] for split in first.json()["splits"]] == ["support"]
    etag = first.headers["etag"]
    asked = {"gateway": "g1", "seen": "support:3.4,other:1.2"}
    same = http.get("/v1/splits", params=asked, headers={"if-none-match": etag})
    assert (same.status_code, same.content) == (304, b"")
    with world.app.read() as unit:
        assert unit.splits.seen("support", 60) == (3, 4)
    for seen in ("support", "support:1", "support:a.b", ":1.2", "support:1.-2"):
        assert http.get("/v1/splits", params={"gateway": "g1", "seen": seen}).status_code == 422


def test_an_oversized_body_is_refused(world: World):
    answer = world.http().post("/v1/rollouts", content=b"x" * (2 * 1024 * 1024 + 1))
    assert answer.status_code == 413
    chunks = (b"x" * 65536 for _ in range(40))
    assert world.http().post("/v1/rollouts", content=chunks).status_code in {400, 413}


def test_evalsets_that_a_gate_can_name_are_told(world: World):
    http = world.http(Scope.VIEWER)
    assert {"name": "reasoning"} in http.get("/v1/evalsets").json()["evalsets"]
    found = http.get("/v1/evalsets/reasoning").json()
    assert found["samples"] >= 150
    assert len(found["digest"]) == 64
    unknown = http.get("/v1/evalsets/nope")
    assert unknown.status_code == 404
    assert "there: " in unknown.json()["detail"]


def test_a_gate_is_begun_and_told_and_its_faults_store_nothing(world: World):
    operator = world.client(Scope.OPERATOR)
    for name, port in (("before", 9001), ("after", 9002)):
        operator.create_deployment(service="chat", url=f"http://127.0.0.1:{port}", model="m", id=name)
    http = world.http(Scope.OPERATOR)
    asked = {"service": "chat", "candidate": "after", "policy": {"metrics": {"task_success": {"max_decrease": "5pp"}}}}
    begun = http.post("/v1/gates", json=asked | {"evalset": "reasoning"})
    assert begun.status_code == 202
    found = http.get(begun.headers["location"]).json()
    assert (found["state"], found["exit_code"], found["evalset"]) == ("running", None, "reasoning")
    assert found["answers"] >= 300
    assert [one["id"] for one in http.get("/v1/gates").json()["gates"]] == [found["id"]]
    assert http.post("/v1/gates", json=asked).status_code == 422
    assert http.post("/v1/gates", json=asked | {"evalset": "nope"}).status_code == 404
    assert http.post("/v1/gates", json=asked | {"evalset": "reasoning", "candidate": "before"}).status_code == 422
    assert len(http.get("/v1/gates").json()["gates"]) == 1

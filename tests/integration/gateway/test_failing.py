"""The candidate's failures are charged to it and not felt; the baseline's are shown; copies weigh nothing."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from gatekeeper.adapters.memory_world import MemorySpool
from gatekeeper.model.arm import Arm

if TYPE_CHECKING:
    from collections.abc import Callable

    from gatekeeper.model.split import Split


STREAM = {"model": "bot", "stream": True, "messages": []}
PLAIN = {"model": "bot", "messages": []}
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
TOKEN = b'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n'


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def hang(_: socket.socket, __: bytes) -> None:
    time.sleep(1.5)


def head_then_hang(conn: socket.socket, _: bytes) -> None:
    conn.sendall(HEAD)
    time.sleep(1.5)


def reset(conn: socket.socket, _: bytes) -> None:
    conn.close()


def garbage(conn: socket.socket, _: bytes) -> None:
    conn.sendall(b"SSH-2.0-OpenSSH\r\n\r\n")


def fault(conn: socket.socket, _: bytes) -> None:
    conn.sendall(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\ndown")


def cut(conn: socket.socket, _: bytes) -> None:
    conn.sendall(HEAD + chunk(TOKEN))
    time.sleep(0.02)
    conn.close()


@pytest.mark.parametrize("body", [STREAM, PLAIN])
@pytest.mark.parametrize(
    ("script", "kind"),
    [
        (hang, "timeout"),
        (head_then_hang, "timeout"),
        (reset, "connect"),
        (garbage, "bad_response"),
        (fault, "http_5xx"),
    ],
)
def test_a_failing_candidate_is_rescued_and_charged(
    upstream: Callable[..., Any],
    gateway: Callable[..., Any],
    split: Callable[..., Split],
    script: Callable[..., None],
    kind: str,
    body: dict[str, Any],
):
    running = gateway(
        split(upstream(), upstream(script), candidate_bp=10_000), first_byte_s=0.15, answer_s=0.15, breaker_failures=99
    )
    answer = httpx.post(f"{running.url}/v1/chat/completions", json=body)
    assert answer.status_code == 200
    assert answer.json()["choices"][0]["message"]["content"] == "yes"
    assert answer.headers["x-gatekeeper-arm"] == "baseline"
    failed, rescue = running.recorded()
    assert (failed.arm, failed.error.kind, failed.stage, failed.response) == (Arm.CANDIDATE, kind, 2, None)
    assert (rescue.arm, rescue.error, rescue.stage) == (Arm.BASELINE, None, -1)
    assert failed.id == f"{rescue.id}/failed"


def test_a_candidate_that_is_not_there_is_rescued_then_left_alone_for_a_while(
    upstream: Callable[..., Any], gateway: Callable[..., Any], split: Callable[..., Split]
):
    gone = upstream(fault)
    running = gateway(split(upstream(), gone, candidate_bp=10_000), breaker_failures=3, breaker_open_s=0.4)
    with httpx.Client() as client:
        for _ in range(8):
            assert client.post(f"{running.url}/v1/chat/completions", json=PLAIN).status_code == 200
        assert len(gone.requests) == 3
        assert "gatekeeper_gateway_breaker_open{" in client.get(f"{running.url}/metrics").text
        time.sleep(0.45)
        for _ in range(3):
            client.post(f"{running.url}/v1/chat/completions", json=PLAIN)
    assert len(gone.requests) == 4
    charged = [one for one in running.recorded() if one.arm is Arm.CANDIDATE]
    assert [one.error.kind for one in charged] == ["http_5xx"] * 11


def test_a_failing_baseline_is_never_rescued(
    upstream: Callable[..., Any], gateway: Callable[..., Any], split: Callable[..., Split]
):
    candidate = upstream()
    running = gateway(split(upstream(fault), candidate))
    answer = httpx.post(f"{running.url}/v1/chat/completions", json=PLAIN)
    assert (answer.status_code, answer.content) == (503, b"down")
    assert candidate.requests == []
    assert [one.error.kind for one in running.recorded()] == ["http_5xx"]


@pytest.mark.parametrize(("script", "status", "code"), [(hang, 504, "timeout"), (reset, 502, "connect")])
def test_a_baseline_that_gives_no_answer_is_said_so_in_openais_words(
    upstream: Callable[..., Any],
    gateway: Callable[..., Any],
    split: Callable[..., Split],
    script: Callable[..., None],
    status: int,
    code: str,
):
    running = gateway(split(upstream(script)), answer_s=0.1)
    answer = httpx.post(f"{running.url}/v1/chat/completions", json=PLAIN)
    assert answer.status_code == status
    assert answer.json()["error"]["code"] == code
    assert answer.headers["x-request-id"]


def test_a_stream_that_breaks_is_seen_to_break(
    upstream: Callable[..., Any], gateway: Callable[..., Any], split: Callable[..., Split]
):
    running = gateway(split(upstream(), upstream(cut), candidate_bp=10_000))
    with (
        pytest.raises(httpx.RemoteProtocolError),
        httpx.stream("POST", f"{running.url}/v1/chat/completions", json=STREAM) as answer,
    ):
        answer.read()
    (broken,) = running.recorded()
    assert broken.error.kind == "stream_broken"
    assert broken.timing.ttft_ms is not None


def test_silence_in_the_middle_of_a_stream_ends_it(
    upstream: Callable[..., Any], gateway: Callable[..., Any], split: Callable[..., Split]
):
    def script(conn: socket.socket, _: bytes) -> None:
        conn.sendall(HEAD + chunk(TOKEN))
        time.sleep(1.0)

    running = gateway(split(upstream(script)), between_s=0.1)
    begun = time.monotonic()
    with (
        pytest.raises(httpx.RemoteProtocolError),
        httpx.stream("POST", f"{running.url}/v1/chat/completions", json=STREAM) as answer,
    ):
        answer.read()
    assert time.monotonic() - begun < 0.6
    assert running.recorded()[0].error.kind == "timeout"


def test_mirrored_requests_are_marked_and_paired(
    upstream: Callable[..., Any], gateway: Callable[..., Any], split: Callable[..., Split]
):
    candidate = upstream()
    running = gateway(split(upstream(), candidate, mirror_bp=10_000))
    for _ in range(3):
        httpx.post(f"{running.url}/v1/chat/completions", json=PLAIN)
    time.sleep(0.1)
    exchanges = running.recorded()
    assert len(candidate.requests) == 3
    assert all(b"x-gatekeeper-shadow: 1" in request for request in candidate.requests)
    assert all(json.loads(request.partition(b"\r\n\r\n")[2])["model"] == "cand" for request in candidate.requests)
    pairs = [{one.arm for one in exchanges if one.pair_id == pair} for pair in {one.pair_id for one in exchanges}]
    assert pairs == [{Arm.BASELINE, Arm.CANDIDATE}] * 3
    assert len({one.id for one in exchanges}) == 6


@pytest.mark.parametrize("script", [hang, reset, fault])
def test_a_bad_shadow_is_not_felt(
    upstream: Callable[..., Any], gateway: Callable[..., Any], split: Callable[..., Split], script: Callable[..., None]
):
    running = gateway(
        split(upstream(), upstream(script), mirror_bp=10_000),
        shadow_first_byte_s=0.3,
        shadow_in_flight=4,
        breaker_failures=999,
    )
    slowest_s = 0.0
    with httpx.Client() as client:
        for _ in range(30):
            begun = time.monotonic()
            assert client.post(f"{running.url}/v1/chat/completions", json=PLAIN).status_code == 200
            slowest_s = max(slowest_s, time.monotonic() - begun)
        time.sleep(0.4)
        figures = client.get(f"{running.url}/metrics").text
    assert slowest_s < 0.15
    exchanges = running.recorded()
    shadows = [one for one in exchanges if one.arm is Arm.CANDIDATE]
    paired = [one for one in exchanges if one.arm is Arm.BASELINE and one.pair_id is not None]
    assert len(shadows) == len(paired)
    assert all(one.error is not None for one in shadows)
    if script is hang:
        assert 4 <= len(shadows) < 30
        dropped = next(line for line in figures.splitlines() if 'result="dropped_full"' in line)
        assert int(dropped.split()[-1]) == 30 - len(shadows)


def test_a_client_that_leaves_cancels_its_upstream_and_its_copy(
    upstream: Callable[..., Any], gateway: Callable[..., Any], split: Callable[..., Split]
):
    def trickle(conn: socket.socket, _: bytes) -> None:
        conn.sendall(HEAD)
        for _ in range(200):
            conn.sendall(chunk(TOKEN))
            time.sleep(0.01)

    baseline, candidate = upstream(trickle), upstream(hang)
    running = gateway(split(baseline, candidate, mirror_bp=10_000))
    with httpx.stream("POST", f"{running.url}/v1/chat/completions", json=STREAM) as answer:
        next(answer.iter_raw())
    assert baseline.closed.wait(1)
    (left,) = running.recorded()
    assert (left.arm, left.error.kind, left.pair_id) == (Arm.BASELINE, "client_closed", None)


COMPLETED = {"type": "response.completed", "response": {"object": "response", "output": [], "status": "completed"}}


@pytest.mark.parametrize(
    ("path", "last"),
    [
        ("chat/completions", [TOKEN, b"data: [DO", b"NE]\n\n"]),
        ("chat/completions", [TOKEN.replace(b"\n", b"\r\n"), b"data: [DONE]\r\n\r\n"]),
        ("responses", [b"event: response.completed\ndata: " + json.dumps(COMPLETED).encode() + b"\n\n"]),
    ],
)
def test_a_client_that_leaves_when_the_stream_has_said_that_it_is_over_has_lost_nothing(
    upstream: Callable[..., Any], gateway: Callable[..., Any], split: Callable[..., Split], path: str, last: list[bytes]
):
    def unending(conn: socket.socket, _: bytes) -> None:
        conn.sendall(HEAD)
        for part in last:
            conn.sendall(chunk(part))
            time.sleep(0.02)
        time.sleep(1.5)

    def later(conn: socket.socket, _: bytes) -> None:
        time.sleep(0.3)
        conn.sendall(HEAD + chunk(b"".join(last)) + chunk(b""))

    baseline, candidate = upstream(unending), upstream(later)
    running = gateway(split(baseline, candidate, mirror_bp=10_000))
    with httpx.stream("POST", f"{running.url}/v1/{path}", json=STREAM) as answer:
        heard = b""
        for data in answer.iter_raw():
            heard += data
            if heard.endswith(last[-1][-8:]):
                break
    assert baseline.closed.wait(5)
    time.sleep(0.4)
    exchanges = {one.arm: one for one in running.recorded()}
    assert [exchanges[arm].error for arm in (Arm.BASELINE, Arm.CANDIDATE)] == [None, None]
    assert exchanges[Arm.BASELINE].pair_id == exchanges[Arm.CANDIDATE].pair_id is not None
    assert exchanges[Arm.BASELINE].timing.e2e_ms < 1_000


def test_a_new_split_is_followed_at_once_and_an_old_one_never(
    upstream: Callable[..., Any], gateway: Callable[..., Any], split: Callable[..., Split]
):
    one, two = upstream(), upstream()
    running = gateway(split(one, two))
    with httpx.Client() as client:

        def arm() -> str:
            return client.post(f"{running.url}/v1/chat/completions", json=PLAIN).headers["x-gatekeeper-arm"]

        assert arm() == "baseline"
        running.feed.update([split(one, two, version=2, candidate_bp=10_000)])
        assert arm() == "candidate"
        running.feed.update([split(one, two, epoch=2, version=0)])
        assert arm() == "baseline"
        running.feed.update([split(one, two, version=9, candidate_bp=10_000)])
        assert arm() == "baseline"
    assert running.feed.orders() == {"bot": (2, 0)}


def test_draining_lets_streams_end_and_takes_nobody_new(
    upstream: Callable[..., Any], gateway: Callable[..., Any], split: Callable[..., Split]
):
    def script(conn: socket.socket, _: bytes) -> None:
        conn.sendall(HEAD)
        for _ in range(10):
            conn.sendall(chunk(TOKEN))
            time.sleep(0.04)
        conn.sendall(chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n")

    running = gateway(split(upstream(script)))
    with httpx.Client() as client:
        client.get(f"{running.url}/healthz")
        with httpx.stream("POST", f"{running.url}/v1/chat/completions", json=STREAM) as answer:
            pieces = answer.iter_raw()
            next(pieces)
            running.handle.stop(5)
            assert sum(piece.count(b"content") for piece in pieces) == 9
        with pytest.raises(httpx.ConnectError):
            client.get(f"{running.url}/healthz")
    assert [one.error for one in running.exchanges] == [None]


def test_models_readiness_and_unknown_models(
    upstream: Callable[..., Any], gateway: Callable[..., Any], split: Callable[..., Split]
):
    server = upstream()
    running = gateway(split(server), split(server, service="other"))
    with httpx.Client(base_url=running.url) as client:
        assert [one["id"] for one in client.get("/v1/models").json()["data"]] == ["bot", "other"]
        assert client.get("/readyz").status_code == 200
        unknown = client.post("/v1/chat/completions", json={"model": "nope"})
        assert unknown.status_code == 404
        assert "known: bot, other" in unknown.json()["error"]["message"]
        assert client.post("/v1/chat/completions", json={}).status_code == 400
        assert client.post("/v1/chat/completions", content=b"[").status_code == 400
        assert client.get("/v1/chat/completions").status_code == 405
        assert client.post("/v1/nothing").status_code == 404
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as closed:
        server.url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    nobody = gateway(split(server))
    assert httpx.get(f"{nobody.url}/readyz").json()["services"]["bot"]["baseline"].startswith("unreachable")
    empty = gateway()
    assert httpx.get(f"{empty.url}/readyz").status_code == 503
    assert httpx.post(f"{empty.url}/v1/chat/completions", json=PLAIN).status_code == 503


def test_readiness_says_how_recording_goes_and_does_not_hang_on_it(
    upstream: Callable[..., Any], gateway: Callable[..., Any], split: Callable[..., Split]
):
    spool = MemorySpool()
    running = gateway(split(upstream()), spool=spool)
    told = httpx.get(f"{running.url}/readyz").json()["recording"]
    assert told == {"waiting": 0, "spool": "fine", "control_plane": None}
    spool.failure = "no space left on device"
    answer = httpx.get(f"{running.url}/readyz")
    assert answer.status_code == 200
    assert answer.json()["recording"]["spool"] == "no space left on device"


def test_order_of_splits_is_shown(
    upstream: Callable[..., Any], gateway: Callable[..., Any], split: Callable[..., Split]
):
    running = gateway(split(upstream(), epoch=3, version=7))
    figures = httpx.get(f"{running.url}/metrics").text
    assert 'gatekeeper_gateway_split_epoch{service="bot"} 3' in figures
    assert 'gatekeeper_gateway_split_version{service="bot"} 7' in figures

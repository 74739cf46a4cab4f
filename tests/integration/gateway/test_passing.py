"""What is passed on: bytes as they are, at once, with the one model name replaced."""

from __future__ import annotations

import json
import random
import socket
import time
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable

    from gatekeeper.model.split import Split


BODY = {"messages": [{"role": "user", "content": 'say "model": "bot"'}], "model": "bot", "metadata": {"model": "bot"}}
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def test_body_and_headers_arrive_as_sent_with_only_the_model_replaced(
    upstream: Callable[..., Any], gateway: Callable[..., Any], split: Callable[..., Split]
):
    server = upstream()
    running = gateway(split(server))
    raw = json.dumps(BODY, indent=1).encode()
    answer = httpx.post(
        f"{running.url}/v1/chat/completions?api-version=1",
        content=raw,
        headers={
            "authorization": "Bearer sk-1",
            "x-custom": "kept",
            "connection": "x-dropped",
            "x-dropped": "1",
            "x-gatekeeper-key": "k",
            "x-request-id": "mine-1",
        },
    )
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /v1/chat/completions?api-version=1 HTTP/1.1\r\n")
    assert body == raw.replace(b'],\n "model": "bot"', b'],\n "model": "base"')
    lower = head.lower()
    assert b"authorization: bearer sk-1" in lower
    assert b"x-custom: kept" in lower
    assert b"x-request-id: mine-1" in lower
    assert b"x-dropped" not in lower
    assert b"x-gatekeeper" not in lower
    assert lower.count(b"host: ") == 1
    assert answer.headers["x-request-id"] == "mine-1"
    assert answer.headers["x-gatekeeper-release"] == "rel-b"
    assert answer.headers["x-gatekeeper-arm"] == "baseline"


def test_a_chunked_request_is_taken_whole(
    upstream: Callable[..., Any], gateway: Callable[..., Any], split: Callable[..., Split], say: Callable[..., bytes]
):
    server = upstream()
    raw = json.dumps(BODY).encode()
    pieces = b"".join(chunk(raw[i : i + 7]) for i in range(0, len(raw), 7)) + b"0\r\n\r\n"
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    heard = say(gateway(split(server)).address, head + pieces[:40], pieces[40:], pause_s=0.02)
    assert heard.startswith(b"HTTP/1.1 200 OK")
    assert json.loads(server.requests[0].partition(b"\r\n\r\n")[2]) == {**BODY, "model": "base"}


def test_any_chunking_of_any_stream_is_byte_equal(
    upstream: Callable[..., Any], gateway: Callable[..., Any], split: Callable[..., Split]
):
    rng = random.Random(4)  # noqa: S311 - a seeded test
    streams: dict[str, tuple[bytes, str]] = {}

    def script(conn: socket.socket, request: bytes) -> None:
        data, framing = streams[json.loads(request.partition(b"\r\n\r\n")[2])["user"]]
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
        if framing == "length":
            conn.sendall(head + b"Content-Length: %d\r\n\r\n" % len(data))
        elif framing == "close":
            conn.sendall(head + b"Connection: close\r\n\r\n")
        else:
            conn.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n")
        place = 0
        while place < len(data):
            size = rng.choice((1, 2, 3, 17, 400, 5000))
            piece = data[place : place + size]
            conn.sendall(chunk(piece) if framing == "chunked" else piece)
            place += size
        if framing == "chunked":
            conn.sendall(b"0\r\n\r\n")
        if framing == "close":
            conn.shutdown(socket.SHUT_RDWR)

    running = gateway(split(upstream(script)))
    with httpx.Client() as client:
        for number in range(60):
            end = rng.choice(("\n", "\r\n", "\r"))
            events = [
                rng.choice(
                    (
                        ": ping",
                        "event: x",
                        "data: {}",
                        'data: {"choices":[{"delta":{"content":"é用户😀"}}]}',
                        "data: [DONE]",
                        "id: 7",
                    )
                )
                for _ in range(rng.randrange(30))
            ]
            data = (end * 2).join(events).encode() + rng.choice((b"", b"\n\n", b"\xff\xfe", b"x" * 70_000))
            streams[str(number)] = (data, rng.choice(("chunked", "length", "close")))
            body = {"model": "bot", "user": str(number), "stream": True}
            assert client.post(f"{running.url}/v1/chat/completions", json=body).content == data
    assert len(running.recorded()) == 60


def test_a_stream_is_not_held_back(
    upstream: Callable[..., Any], gateway: Callable[..., Any], split: Callable[..., Split]
):
    def script(conn: socket.socket, _: bytes) -> None:
        conn.sendall(HEAD)
        for number in range(5):
            conn.sendall(chunk(b'data: {"choices":[{"delta":{"content":"%d"}}]}\n\n' % number))
            time.sleep(0.05)
        conn.sendall(chunk(b'data: {"choices":[],"usage":{"completion_tokens":5}}\n\ndata: [DONE]\n\n') + b"0\r\n\r\n")

    running = gateway(split(upstream(script)))
    moments = []
    body = {"model": "bot", "stream": True, "stream_options": {"include_usage": True}}
    with httpx.stream("POST", f"{running.url}/v1/chat/completions", json=body) as answer:
        moments += [time.monotonic() for _ in answer.iter_raw()]
    assert len(moments) == 6
    gaps = [later - earlier for earlier, later in pairwise(moments[:5])]
    assert all(0.03 < gap < 0.2 for gap in gaps)
    timing = running.recorded()[0].timing
    assert 0 <= timing.ttft_ms < 40
    assert 45 < timing.tpot_ms < 80
    assert 30 < timing.itl_p50_ms <= timing.itl_p95_ms <= timing.itl_max_ms < 200
    assert timing.e2e_ms > 240


def test_requests_share_connections_on_both_sides(
    upstream: Callable[..., Any], gateway: Callable[..., Any], split: Callable[..., Split]
):
    peers = set()

    def script(conn: socket.socket, _: bytes) -> None:
        peers.add(conn.getpeername())
        conn.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{"choices":[]}')

    running = gateway(split(upstream(script)))
    with httpx.Client() as client:
        for _ in range(20):
            assert client.post(f"{running.url}/v1/chat/completions", json={"model": "bot"}).status_code == 200
    assert len(peers) == 1


def test_a_stale_kept_connection_is_not_felt(
    upstream: Callable[..., Any], gateway: Callable[..., Any], split: Callable[..., Split], whole: Callable[..., bytes]
):
    def script(conn: socket.socket, _: bytes) -> None:
        conn.sendall(whole({"choices": []}))
        time.sleep(0.02)
        conn.close()

    running = gateway(split(upstream(script)))
    with httpx.Client() as client:
        for pause_s in (0.0, 0.1, 0.0, 0.019, 0.021, 0.02):
            assert client.post(f"{running.url}/v1/chat/completions", json={"model": "bot"}).status_code == 200
            time.sleep(pause_s)


def test_pipelined_requests_are_answered_in_order(
    upstream: Callable[..., Any],
    gateway: Callable[..., Any],
    split: Callable[..., Split],
    say: Callable[..., bytes],
    whole: Callable[..., bytes],
):
    def script(conn: socket.socket, request: bytes) -> None:
        user = json.loads(request.partition(b"\r\n\r\n")[2])["user"]
        time.sleep(0.05 if user == "0" else 0)
        conn.sendall(whole({"choices": [], "user": user}))

    def request(number: int, extra: bytes = b"") -> bytes:
        body = json.dumps({"model": "bot", "user": str(number)}).encode()
        return b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n%bContent-Length: %d\r\n\r\n%b" % (
            extra,
            len(body),
            body,
        )

    running = gateway(split(upstream(script)))
    burst = b"".join(request(number) for number in range(5)) + request(5, b"Connection: close\r\n")
    heard = say(running.address, burst)
    assert [heard.find(b'"user": "%d"' % number) > 0 for number in range(6)] == [True] * 6
    places = [heard.find(b'"user": "%d"' % number) for number in range(6)]
    assert places == sorted(places)
    assert heard.endswith(b"}")


def test_an_http_1_0_client_gets_a_plain_body(
    upstream: Callable[..., Any], gateway: Callable[..., Any], split: Callable[..., Split], say: Callable[..., bytes]
):
    def script(conn: socket.socket, _: bytes) -> None:
        conn.sendall(HEAD + chunk(b"data: 1\n\n") + chunk(b"data: 2\n\n") + b"0\r\n\r\n")

    body = b'{"model":"bot","stream":true}'
    heard = say(
        gateway(split(upstream(script))).address,
        b"POST /v1/chat/completions HTTP/1.0\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body),
    )
    assert heard.partition(b"\r\n\r\n")[2] == b"data: 1\n\ndata: 2\n\n"


def test_a_slow_client_holds_the_upstream_back_and_gets_everything(
    upstream: Callable[..., Any], gateway: Callable[..., Any], split: Callable[..., Split]
):
    size = 24 << 20

    def script(conn: socket.socket, _: bytes) -> None:
        conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        for _ in range(24):
            conn.sendall(b"x" * (1 << 20))

    running = gateway(split(upstream(script)))
    body = b'{"model":"bot"}'
    with socket.create_connection(running.address, timeout=10) as conn:
        conn.sendall(
            b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
        )
        time.sleep(0.2)
        got = len(conn.recv(1 << 16, socket.MSG_WAITALL).partition(b"\r\n\r\n")[2])
        while got < size and (piece := conn.recv(1 << 20)):
            got += len(piece)
    assert got == size

"""Usage is measured of every stream; a client that did not ask for it sees nothing of that."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from gatekeeper.gateway.app import Gateway

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from gatekeeper.model.split import Split

STREAM = {"model": "bot", "stream": True, "messages": []}
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
TOKENS = b'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n' * 2
STOP = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
USAGE = b'data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}\n\n'
DONE = b"data: [DONE]\n\n"


def asked(request: bytes) -> bool:
    return bool((json.loads(request.partition(b"\r\n\r\n")[2]).get("stream_options") or {}).get("include_usage"))


def answer(conn: socket.socket, request: bytes) -> None:
    body = TOKENS + STOP + (USAGE if asked(request) else b"") + DONE
    conn.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    for piece in (body[:150], body[150:]):
        conn.sendall(b"%x\r\n%b\r\n" % (len(piece), piece))
        time.sleep(0.01)
    conn.sendall(b"0\r\n\r\n")


def with_length(conn: socket.socket, request: bytes) -> None:
    body = TOKENS + STOP + (USAGE if asked(request) else b"") + DONE
    conn.sendall(HEAD + b"Content-Length: %d\r\n\r\n%b" % (len(body), body))


@pytest.mark.parametrize("script", [answer, with_length])
def test_usage_is_measured_and_not_shown(
    upstream: Callable[..., Any], gateway: Callable[..., Any], split: Callable[..., Split], script: Callable[..., None]
):
    server, shadow = upstream(script), upstream(script)
    running = gateway(split(server, shadow, mirror_bp=10_000))
    with httpx.Client(headers={"accept-encoding": "gzip"}) as client:
        for _ in range(2):
            heard = client.post(f"{running.url}/v1/chat/completions", json=STREAM)
            assert heard.content == TOKENS + STOP + DONE
        time.sleep(0.1)
    assert all(asked(request) and b"accept-encoding" not in request for request in server.requests + shadow.requests)
    exchanges = running.recorded()
    assert len(exchanges) == 4
    assert all(one.response["usage"]["completion_tokens"] == 2 for one in exchanges)
    assert all("stream_options" not in one.request for one in exchanges)


@pytest.mark.parametrize("options", [{"include_usage": True}, {"include_usage": False}, None, {}])
def test_a_client_that_says_something_of_its_own_gets_just_that(
    upstream: Callable[..., Any],
    gateway: Callable[..., Any],
    split: Callable[..., Split],
    options: dict[str, bool] | None,
):
    server = upstream(answer)
    running = gateway(split(server))
    body = json.dumps({**STREAM, "model": "base", "stream_options": options}).encode()
    heard = httpx.post(f"{running.url}/v1/chat/completions", content=body.replace(b'"base"', b'"bot"'))
    assert (USAGE in heard.content) is bool(options and options["include_usage"])
    assert server.requests[0].endswith(body)
    assert b"accept-encoding" in server.requests[0].lower()


def test_an_engine_that_does_not_know_it_is_asked_without_it(
    upstream: Callable[..., Any], gateway: Callable[..., Any], split: Callable[..., Split], whole: Callable[..., bytes]
):
    def strict(conn: socket.socket, request: bytes) -> None:
        if asked(request):
            conn.sendall(whole({"error": {"message": "extra fields not permitted"}}, "422 Unprocessable Entity"))
        else:
            answer(conn, request)

    server = upstream(strict)
    running = gateway(split(server))
    with httpx.Client() as client:
        for _ in range(3):
            heard = client.post(f"{running.url}/v1/chat/completions", json=STREAM)
            assert (heard.status_code, heard.content) == (200, TOKENS + STOP + DONE)
    assert [asked(request) for request in server.requests] == [True, False, False, False]
    exchanges = running.recorded()
    assert [one.error for one in exchanges] == [None] * 3
    assert all(one.unmeasured["completion_tokens"] for one in exchanges)


def test_a_request_that_is_wrong_either_way_is_answered_as_the_engine_says(
    upstream: Callable[..., Any], gateway: Callable[..., Any], split: Callable[..., Split], whole: Callable[..., bytes]
):
    server = upstream(lambda conn, _: conn.sendall(whole({"error": {"message": "bad"}}, "400 Bad Request")))
    running = gateway(split(server))
    for _ in range(2):
        assert httpx.post(f"{running.url}/v1/chat/completions", json=STREAM).json() == {"error": {"message": "bad"}}
    assert [asked(request) for request in server.requests] == [True, False] * 2


def test_plain_answers_and_other_endpoints_are_not_asked(
    upstream: Callable[..., Any], gateway: Callable[..., Any], split: Callable[..., Split]
):
    server = upstream()
    running = gateway(split(server))
    for path, body in (("chat/completions", {"model": "bot"}), ("responses", STREAM)):
        httpx.post(f"{running.url}/v1/{path}", json=body)
    assert not any(asked(request) for request in server.requests)


def test_it_can_be_switched_off(upstream: Callable[..., Any], split: Callable[..., Split]):
    from gatekeeper.adapters.splitfeed import SplitFeed  # noqa: PLC0415 - built here, not by the fixture

    server = upstream(answer)
    handle = Gateway(SplitFeed(initial=[split(server)]), ask_usage=False).run_in_thread()
    httpx.post(f"{handle.url}/v1/chat/completions", json=STREAM)
    handle.stop(1)
    assert not asked(server.requests[0])

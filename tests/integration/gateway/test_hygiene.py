"""What two servers could read in two ways is refused, and the connection closed; nothing of it goes upstream."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from gatekeeper.model.split import Split


POST = b"POST /v1/chat/completions HTTP/1.1\r\n"
BODY = b'{"model":"bot"}'
GOOD = POST + b"Host: x\r\nContent-Length: 15\r\n\r\n" + BODY

REFUSED = {
    "CL and TE": (POST + b"Host: x\r\nContent-Length: 15\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "TE and CL": (POST + b"Host: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 15\r\n\r\n0\r\n\r\n", 400),
    "no Host": (POST + b"Content-Length: 15\r\n\r\n" + BODY, 400),
    "two Hosts": (POST + b"Host: x\r\nHost: y\r\nContent-Length: 15\r\n\r\n" + BODY, 400),
    "empty Host": (POST + b"Host: \r\nContent-Length: 15\r\n\r\n" + BODY, 400),
    "a Host with a path": (POST + b"Host: x/y\r\nContent-Length: 15\r\n\r\n" + BODY, 400),
    "obs-fold": (POST + b"Host: x\r\nX-A: b\r\n c\r\nContent-Length: 15\r\n\r\n" + BODY, 400),
    "bare LF": (b"POST /v1/chat/completions HTTP/1.1\nHost: x\nContent-Length: 15\n\n" + BODY, 400),
    "bare LF in a header": (POST + b"Host: x\nContent-Length: 15\r\n\r\n" + BODY, 400),
    "bare CR in a header": (POST + b"Host: x\r\nX-A: a\rb\r\n\r\n", 400),
    "NUL in a header": (POST + b"Host: x\r\nX-A: a\0b\r\n\r\n", 400),
    "space before the colon": (POST + b"Host : x\r\nContent-Length: 15\r\n\r\n" + BODY, 400),
    "two lengths": (POST + b"Host: x\r\nContent-Length: 15\r\nContent-Length: 15\r\n\r\n" + BODY, 400),
    "a list of lengths": (POST + b"Host: x\r\nContent-Length: 15, 15\r\n\r\n" + BODY, 400),
    "a signed length": (POST + b"Host: x\r\nContent-Length: +15\r\n\r\n" + BODY, 400),
    "a length that is no number": (POST + b"Host: x\r\nContent-Length: 1e1\r\n\r\n" + BODY, 400),
    "TE of something else": (POST + b"Host: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400),
    "two TEs": (POST + b"Host: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "TE in HTTP/1.0": (b"POST /v1/chat/completions HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "a bad chunk size": (POST + b"Host: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
    "a huge chunk size": (POST + b"Host: x\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", 400),
    "a chunk longer than said": (POST + b"Host: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n", 400),
    "CRLF in the path": (b"POST /v1/chat/completions\r\nX: y HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "space in the path": (b"POST /v1/chat /completions HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "upgrade": (POST + b"Host: x\r\nConnection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 0\r\n\r\n", 400),
    "CONNECT": (b"CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "HTTP/2 preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "HTTP/0.9": (b"GET /healthz\r\n\r\n", 400),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    "a huge header": (POST + b"Host: x\r\nX-A: " + b"a" * 70_000, 431),
    "a huge header, whole": (POST + b"Host: x\r\nX-A: " + b"a" * 40_000 + b"\r\n\r\n", 431),
    "a huge target": (b"POST /" + b"a" * 40_000, 431),
    "too many headers": (POST + b"Host: x\r\n" + b"X-A: b\r\n" * 101 + b"\r\n", 431),
    "a huge trailer": (
        POST + b"Host: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: " + b"a" * 40_000 + b"\r\n\r\n",
        431,
    ),
    "a length over the cap": (POST + b"Host: x\r\nContent-Length: 100000\r\n\r\n", 413),
    "chunks over the cap": (
        POST + b"Host: x\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1000\r\n" + b"a" * 4096 + b"\r\n",
        413,
    ),
}


@pytest.fixture
def front(upstream: Callable[..., Any], gateway: Callable[..., Any], split: Callable[..., Split]):
    server = upstream()
    return server, gateway(split(server), body_bytes=4000, request_s=0.3, idle_s=0.3)


@pytest.mark.parametrize("case", REFUSED)
def test_it_is_refused_and_the_connection_closed(front: tuple[Any, Any], say: Callable[..., bytes], case: str):
    server, running = front
    sent, status = REFUSED[case]
    heard = say(running.address, sent, silence_s=2)
    assert heard.startswith(b"HTTP/1.1 %d " % status), heard
    assert b'"error"' in heard
    assert b"connection: close" in heard
    assert heard.count(b"HTTP/1.1 ") == 1
    assert not heard.endswith(b"<silence>")
    assert server.requests == []


@pytest.mark.parametrize("case", ["CL and TE", "two Hosts", "obs-fold", "a bad chunk size", "TLS"])
def test_it_is_refused_behind_a_good_request_too(front: tuple[Any, Any], say: Callable[..., bytes], case: str):
    server, running = front
    sent, status = REFUSED[case]
    heard = say(running.address, GOOD + sent, silence_s=2)
    assert heard.startswith(b"HTTP/1.1 200 OK")
    assert b"HTTP/1.1 %d " % status in heard
    assert heard.count(b"HTTP/1.1 ") == 2
    assert len(server.requests) == 1


def test_a_smuggled_request_is_no_request(front: tuple[Any, Any], say: Callable[..., bytes]):
    server, running = front
    inner = b"POST /v1/embeddings HTTP/1.1\r\nHost: y\r\nContent-Length: 2\r\n\r\n{}"
    outer = POST + b"Host: x\r\nContent-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n%b" % (
        len(inner),
        inner,
    )
    assert say(running.address, outer).count(b"HTTP/1.1 ") == 1
    assert server.requests == []


def test_absolute_targets_and_strange_paths_are_not_routed(front: tuple[Any, Any]):
    _, running = front
    with httpx.Client(base_url=running.url) as client:
        for path in ("/v1/chat/completions/", "/v1//chat/completions", "/v1/chat/%63ompletions", "/V1/models", "/"):
            assert client.post(path, content=BODY).status_code == 404


@pytest.mark.parametrize("start", [POST + b"Host: x\r\n", POST + b"Host: x\r\nContent-Length: 15\r\n\r\n", GOOD[:-1]])
def test_a_slow_client_is_answered_408(front: tuple[Any, Any], say: Callable[..., bytes], start: bytes):
    _, running = front
    begun = time.monotonic()
    heard = say(running.address, start)
    assert heard.startswith(b"HTTP/1.1 408 ")
    assert 0.25 < time.monotonic() - begun < 1.5


def test_an_idle_connection_is_closed(front: tuple[Any, Any], say: Callable[..., bytes]):
    _, running = front
    assert say(running.address, b"") == b""
    assert say(running.address, GOOD).startswith(b"HTTP/1.1 200 OK")


def test_a_client_that_asks_first_is_told_to_go_on(front: tuple[Any, Any], say: Callable[..., bytes]):
    _, running = front
    head = POST + b"Host: x\r\nExpect: 100-continue\r\nContent-Length: 15\r\n\r\n"
    heard = say(running.address, head, BODY, pause_s=0.05)
    assert heard.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK")


def test_a_head_may_come_byte_by_byte(front: tuple[Any, Any], say: Callable[..., bytes]):
    server, running = front
    heard = say(running.address, *(GOOD[i : i + 1] for i in range(len(GOOD))), pause_s=0.001)
    assert heard.startswith(b"HTTP/1.1 200 OK")
    assert len(server.requests) == 1

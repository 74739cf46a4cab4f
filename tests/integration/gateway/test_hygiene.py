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
CHUNKED = POST + b"Host: x\r\nTransfer-Encoding: chunked\r\n\r\n"

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
    "TE behind a vertical tab": (POST + b"Host: x\r\nTransfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n", 400),
    "TE in quotes": (POST + b'Host: x\r\nTransfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n', 400),
    "TE folded": (POST + b"Host: x\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", 400),
    "TE and a space": (POST + b"Host: x\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400),
    "a line without a colon": (POST + b"Host: x\r\nX-A\r\n\r\n", 400),
    "a header without a name": (POST + b"Host: x\r\n: a\r\n\r\n", 400),
    "a header's name in two words": (POST + b"Host: x\r\nX A: b\r\n\r\n", 400),
    "a first header that is folded": (POST + b" X-A: b\r\nHost: x\r\n\r\n", 400),
    "a negative length": (POST + b"Host: x\r\nContent-Length: -1\r\n\r\n", 400),
    "a length beyond 64 bits": (POST + b"Host: x\r\nContent-Length: 18446744073709551616\r\n\r\n", 400),
    "a length in hexadecimal": (POST + b"Host: x\r\nContent-Length: 0xf\r\n\r\n" + BODY, 400),
    "an empty length": (POST + b"Host: x\r\nContent-Length: \r\n\r\n", 400),
    "two lengths that differ": (POST + b"Host: x\r\nContent-Length: 15\r\nContent-Length: 0\r\n\r\n" + BODY, 400),
    "two Hosts in one": (POST + b"Host: x, y\r\nContent-Length: 15\r\n\r\n" + BODY, 400),
    "a Host with a user": (POST + b"Host: x@y\r\nContent-Length: 15\r\n\r\n" + BODY, 400),
    "a signed chunk size": (CHUNKED + b"+5\r\nabcde\r\n0\r\n\r\n", 400),
    "a chunk size with 0x": (CHUNKED + b"0x5\r\nabcde\r\n0\r\n\r\n", 400),
    "an empty chunk size": (CHUNKED + b"\r\nabcde\r\n0\r\n\r\n", 400),
    "space before a chunk size": (CHUNKED + b" 5\r\nabcde\r\n0\r\n\r\n", 400),
    "bare LF behind a chunk size": (CHUNKED + b"5\nabcde\r\n0\r\n\r\n", 400),
    "bare LF behind a chunk": (CHUNKED + b"5\r\nabcde\n0\r\n\r\n", 400),
    "bare LF in a chunk extension": (CHUNKED + b"5;a\nb\r\nabcde\r\n0\r\n\r\n", 400),
    "bare LF at the end of chunks": (CHUNKED + b"0\n\n", 400),
    "bare LF in a trailer": (CHUNKED + b"0\r\nX: a\n\r\n", 400),
    "CR in the path": (b"POST /v1/chat\r/completions HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "LF in the path": (b"POST /v1/chat\n/completions HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "NUL in the path": (b"POST /v1/chat\0/completions HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "tabs for spaces": (b"POST\t/v1/chat/completions\tHTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "a method in lower case": (b"post /v1/chat/completions HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "spaces before the method": (b"  POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "HTTP/1.2": (b"POST /v1/chat/completions HTTP/1.2\r\nHost: x\r\n\r\n", 400),
    "HTTP/3": (b"POST /v1/chat/completions HTTP/3\r\nHost: x\r\n\r\n", 400),
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
    return server, gateway(split(server), body_bytes=4000, head_s=0.3, body_s=0.5, idle_s=0.3)


@pytest.mark.parametrize("case", REFUSED)
def test_it_is_refused_and_the_connection_closed(front: tuple[Any, Any], say: Callable[..., bytes], case: str):
    server, running = front
    sent, status = REFUSED[case]
    heard = say(running.address, sent)
    assert heard.startswith(b"HTTP/1.1 %d " % status), heard
    assert b'"error"' in heard
    assert b"connection: close" in heard
    assert heard.count(b"HTTP/1.1 ") == 1
    assert not heard.endswith(b"<silence>")
    assert server.requests == []


@pytest.mark.parametrize("case", REFUSED)
def test_it_is_refused_behind_a_good_request_too(front: tuple[Any, Any], say: Callable[..., bytes], case: str):
    server, running = front
    sent, status = REFUSED[case]
    heard = say(running.address, GOOD + sent)
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


@pytest.mark.parametrize(
    ("start", "part", "least_s"),
    [
        (POST + b"Host: x\r\n", b"head", 0.25),
        (POST + b"Host: x\r\nContent-Length: 15\r\n\r\n", b"body", 0.45),
        (GOOD[:-1], b"body", 0.45),
    ],
)
def test_a_slow_client_is_answered_408(
    front: tuple[Any, Any], say: Callable[..., bytes], start: bytes, part: bytes, least_s: float
):
    _, running = front
    begun = time.monotonic()
    heard = say(running.address, start)
    assert heard.startswith(b"HTTP/1.1 408 ")
    assert b"the request's " + part in heard
    assert time.monotonic() - begun > least_s


@pytest.mark.parametrize("trickle", [b"X-A: b\r\n", b"a"])
def test_a_trickle_does_not_buy_time(
    upstream: Callable[..., Any],
    gateway: Callable[..., Any],
    split: Callable[..., Split],
    say: Callable[..., bytes],
    trickle: bytes,
):
    running = gateway(split(upstream()), head_s=0.3, linger_s=5.0)
    heard = say(running.address, POST + b"Host: x\r\n", *[trickle] * 40, pause_s=0.02)
    assert heard.startswith(b"HTTP/1.1 408 ")


def test_an_idle_connection_is_closed(front: tuple[Any, Any], say: Callable[..., bytes]):
    _, running = front
    assert say(running.address, b"") == b""
    assert say(running.address, GOOD).startswith(b"HTTP/1.1 200 OK")


def test_a_client_that_asks_first_is_told_to_go_on(front: tuple[Any, Any], say: Callable[..., bytes]):
    _, running = front
    head = POST + b"Host: x\r\nExpect: 100-continue\r\nContent-Length: 15\r\n\r\n"
    heard = say(running.address, head, BODY, pause_s=0.05)
    assert heard.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK")


def test_a_head_may_come_byte_by_byte(
    upstream: Callable[..., Any], gateway: Callable[..., Any], split: Callable[..., Split], say: Callable[..., bytes]
):
    server = upstream()
    running = gateway(split(server), idle_s=0.5)
    heard = say(running.address, *(GOOD[i : i + 1] for i in range(len(GOOD))), pause_s=0.001)
    assert heard.startswith(b"HTTP/1.1 200 OK")
    assert len(server.requests) == 1


def test_a_head_that_is_known_hides_nothing_that_follows_it(front: tuple[Any, Any], say: Callable[..., bytes]):
    server, running = front
    known = POST + b"Host: x\r\nX-Request-Id: %b\r\nContent-Length: %d\r\n\r\n%b"
    longer = b'{"model":"bot","user":"someone"}'
    parts = (
        known % (b"one", 15, BODY),
        known % (b"two", len(longer), longer) + known % (b"three", 15, BODY),
        known % (b"four", len(longer), longer[:9]),
        longer[9:] + known % (b"five", 15, BODY) + POST,
        b"Host: x\r\nContent-Length: 15\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    )
    heard = say(running.address, *parts, pause_s=0.02)
    assert heard.count(b"HTTP/1.1 200 OK") == 5
    assert heard.count(b"HTTP/1.1 400 ") == 1
    sent = [request.partition(b"\r\n\r\n") for request in server.requests]
    assert [body for _, _, body in sent] == [
        with_model.replace(b'"bot"', b'"base"') for with_model in (BODY, longer, BODY, longer, BODY)
    ]
    for number, (head, _, _) in zip((b"one", b"two", b"three", b"four", b"five"), sent, strict=True):
        assert b"\r\nx-request-id: %b" % number in head


@pytest.mark.parametrize("sent", [b"\r\n\r\n", b"\r\n"])
def test_empty_lines_before_a_request_teach_nothing(front: tuple[Any, Any], say: Callable[..., bytes], sent: bytes):
    server, running = front
    assert say(running.address, sent + GOOD, sent + GOOD, pause_s=0.02).count(b"HTTP/1.1 200 OK") == 2
    assert say(running.address, sent + REFUSED["two Hosts"][0]).startswith(b"HTTP/1.1 400 ")
    assert len(server.requests) == 2


def test_a_known_head_is_held_to_the_same_caps(front: tuple[Any, Any], say: Callable[..., bytes]):
    _, running = front
    heard = say(running.address, GOOD, GOOD.replace(b": 15", b": 4001"), pause_s=0.02)
    assert b"HTTP/1.1 413 " in heard
    heard = say(running.address, GOOD, GOOD[:-1], pause_s=0.02)
    assert b"HTTP/1.1 408 " in heard
    assert say(running.address, GOOD, GOOD * 40, pause_s=0.02).count(b"HTTP/1.1 429 ") == 1

"""500 generated exchanges, sent directly and through the gateway: bytes and headers are equal but for a listed few.

The upstream's headers that name the connection it shares with the gateway (hop by hop, and how the body is framed) are
the gateway's own towards the client; `x-request-id`, `x-gatekeeper-release` and `x-gatekeeper-arm` are added. Of the
request, the model's value is replaced, the gateway's own headers are taken out, and a stream whose client says nothing
of `stream_options` asks for usage and for no compression, unless that is refused.
"""

from __future__ import annotations

import gzip
import http.client
import json
import random
import socket
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from gatekeeper.model.split import Split

EXCHANGES = 500
BATCHES = 5
REFUSED = 400
OURS = {b"x-request-id", b"x-gatekeeper-release", b"x-gatekeeper-arm"}
FRAMING = {b"connection", b"keep-alive", b"transfer-encoding", b"content-length", b"trailer"}
PATHS = ("chat/completions", "completions", "responses", "embeddings")
STATUSES = (
    *["200 OK"] * 3,
    "201 Created",
    "400 Bad Request",
    "404 Not Found",
    "429 Too Many Requests",
    "500 Internal Server Error",
    "503 ",
)
HEADERS = [
    b"X-A:  b  ",
    b"x-a: c",
    b"X-Empty:",
    b"Set-Cookie: a=1",
    b"Set-Cookie: b=2",
    b"Server: vllm",
    b"X-Utf: \xc3\xa9",
    b"Cache-Control: no-cache",
    b"Date: Thu, 01 Jan 1970 00:00:00 GMT",
    b"OpenAI-Processing-Ms: 7",
]
DELTAS: list[dict[str, Any]] = [
    {"role": "assistant", "content": ""},
    {"content": "é用户😀"},
    {"content": "data: x\n\ndata: [DONE]\n\n"},
    {"reasoning_content": "hm"},
    {"refusal": "I cannot"},
    {"tool_calls": [{"index": 0, "id": "c1", "function": {"name": "add", "arguments": '{"a"'}}]},
    {"tool_calls": [{"index": 1, "function": {"arguments": ":1}"}}]},
    {},
]


def event(rng: random.Random) -> str:
    kind = rng.randrange(12)
    if kind == 0:
        return rng.choice((": ping", "event: x\nid: 7\nretry: 5", "data", "data:", ":"))
    if kind == 1:
        return "data: " + json.dumps({"error": {"message": "overloaded", "code": 503}})
    if kind == 2:
        return "data: " + rng.choice(("{", "[DONE]", "null", "[]", '"usage"', '{"choices":[],"usage":null}'))
    if kind == 3:
        return "data: " + "x" * rng.choice((10, 9_000, 70_000))
    part: dict[str, Any] = {"index": rng.randrange(3), "delta": rng.choice(DELTAS), "finish_reason": None}
    if rng.random() < 0.2:
        part["logprobs"] = {"content": [{"token": "é", "logprob": -0.1, "bytes": [195, 169], "top_logprobs": []}]}
    if rng.random() < 0.1:
        part["finish_reason"] = rng.choice(("stop", "length", "tool_calls"))
    chunk = {"id": "c", "object": "chat.completion.chunk", "choices": [part]}
    if rng.random() < 0.1:
        chunk["usage"] = {"completion_tokens": 3}
    return "data: " + json.dumps(chunk, ensure_ascii=rng.random() < 0.5)


def body(rng: random.Random, *, streamed: bool) -> bytes:
    if not streamed:
        choice = {"index": 0, "message": {"role": "assistant", "content": "é" * rng.randrange(3_000)}}
        answer = {"id": "c", "choices": [choice] * rng.randint(1, 3), "usage": {"completion_tokens": 9}}
        data = json.dumps(answer, indent=rng.choice((None, 2)), ensure_ascii=rng.random() < 0.5).encode()
        return rng.choice((data, data, b"", b"{", b"\xff\xfe\0"))
    end = rng.choice(("\n", "\r\n", "\r"))
    events = [event(rng).replace("\n", end) for _ in range(rng.randrange(25))]
    return (end * 2).join(events).encode() + rng.choice((b"", (end * 2).encode(), b"data: cut", b"\xff\xfe"))


def framed(rng: random.Random, data: bytes, framing: str) -> bytes:
    if framing != "chunked":
        return data
    pieces = []
    while data:
        size = rng.choice((1, 2, 3, 17, 400, 5_000))
        piece, data = data[:size], data[size:]
        extension = rng.choice((b"", b"", b";a=b"))
        pieces.append(b"%X%b\r\n%b\r\n" % (len(piece), extension, piece))
    return b"".join(pieces) + rng.choice((b"0\r\n\r\n", b"0\r\nX-Trailer: 1\r\n\r\n"))


def response(rng: random.Random, *, streamed: bool) -> tuple[bytes, bool]:
    """Return a whole response, and whether it ends with the connection."""
    interim = rng.choice((b"", b"", b"", b"HTTP/1.1 100 Continue\r\nX-I: 1\r\n\r\n"))
    if rng.random() < 0.04:
        return interim + b"HTTP/1.1 204 No Content\r\nX-A: b\r\n\r\n", False
    data = body(rng, streamed=streamed)
    framing = rng.choice(("chunked", "chunked", "length", "close"))
    lines = [b"Content-Type: " + (b"text/event-stream; charset=utf-8" if streamed else b"application/json")]
    lines += rng.sample(HEADERS, rng.randrange(8))
    if rng.random() < 0.15:
        data = gzip.compress(data, mtime=0)
        lines.append(b"Content-Encoding: gzip")
    if framing == "chunked":
        lines.append(b"Transfer-Encoding: chunked")
    else:
        lines.append(b"Content-Length: %d" % len(data) if framing == "length" else b"Connection: close")
    rng.shuffle(lines)
    status = rng.choice(STATUSES).encode()
    head = b"HTTP/1.1 %b\r\n%b\r\n\r\n" % (status, b"\r\n".join(lines))
    return interim + head + framed(rng, data, framing), framing == "close"


def request(rng: random.Random, number: int, *, streamed: bool) -> tuple[bytes, dict[str, Any]]:
    """Return a whole request for the exchange, and its body as JSON."""
    plain: dict[str, Any] = {
        "model": "bot",
        "user": str(number),
        "n": 2,
        "messages": [{"content": 'say "model": "é😀"'}],
    }
    if streamed:
        plain["stream"] = True
    if rng.random() < 0.3:
        plain["stream_options"] = rng.choice(({"include_usage": True}, {"include_usage": False}, None))
    data = json.dumps(plain, ensure_ascii=rng.random() < 0.5, indent=rng.choice((None, 1))).encode()
    lines = [b"Host: x", b"Authorization: Bearer sk", b"X-Custom:  kept ", b"x-custom: twice", b"Accept-Encoding: gzip"]
    rng.shuffle(lines)
    if rng.random() < 0.3:
        lines.append(b"Transfer-Encoding: chunked")
        sent = framed(rng, data, "chunked")
    else:
        lines.append(b"Content-Length: %d" % len(data))
        sent = data
    path = rng.choice(PATHS).encode()
    return b"POST /v1/%b?a=%%20b HTTP/1.1\r\n%b\r\n\r\n%b" % (path, b"\r\n".join(lines), sent), plain


def hear(conn: socket.socket) -> tuple[int, bytes, list[tuple[bytes, bytes]], bytes]:
    """Return (status, reason, headers, body) of the next response that is not interim, by another parser."""
    heard = http.client.HTTPResponse(conn, method="POST")
    heard.begin()
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in heard.headers.raw_items()]
    data = heard.read()
    heard.close()
    return heard.status, heard.reason.encode("latin-1"), headers, data


def ask(address: tuple[str, int], data: bytes) -> tuple[int, bytes, list[tuple[bytes, bytes]], bytes]:
    with socket.create_connection(address, timeout=30) as conn:
        conn.sendall(data)
        return hear(conn)


def without(headers: list[tuple[bytes, bytes]], names: set[bytes]) -> list[tuple[bytes, bytes]]:
    return [(name, value.strip()) for name, value in headers if name not in names]


def received(raw: bytes) -> tuple[bytes, list[tuple[bytes, bytes]], bytes]:
    """Return (request line, headers, body) as the upstream got them."""
    head, _, data = raw.partition(b"\r\n\r\n")
    line, *rest = head.split(b"\r\n")
    pairs = [each.partition(b":") for each in rest]
    return line, [(name.lower(), value) for name, _, value in pairs], data


@pytest.mark.parametrize("batch", range(BATCHES))
def test_it_makes_no_difference(
    upstream: Callable[..., Any], gateway: Callable[..., Any], split: Callable[..., Split], batch: int
):
    answers: dict[str, tuple[bytes, bool, int]] = {}

    def script(conn: socket.socket, raw: bytes) -> None:
        data, closes, seed = answers[json.loads(raw.partition(b"\r\n\r\n")[2])["user"]]
        rng = random.Random(seed)  # noqa: S311 - the same cuts for both
        for _ in range(rng.randrange(4)):
            size = rng.randrange(1, len(data))
            conn.sendall(data[:size])
            data = data[size:] or b""
            if len(data) < 2:
                break
        conn.sendall(data)
        if closes:
            conn.shutdown(socket.SHUT_RDWR)

    server = upstream(script)
    host, _, port = server.url.removeprefix("http://").partition(":")
    running = gateway(split(server))
    for number in range(batch * EXCHANGES // BATCHES, (batch + 1) * EXCHANGES // BATCHES):
        rng = random.Random(number)  # noqa: S311 - the same exchanges at every run
        streamed = rng.random() < 0.6
        sent, plain = request(rng, number, streamed=streamed)
        answers[str(number)] = (*response(rng, streamed=streamed), number)
        direct_body = json.dumps(plain).encode()
        direct = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (len(direct_body), direct_body)
        expected, seen = ask((host, int(port)), direct), ask(running.address, sent)
        assert seen[:2] == expected[:2], number
        assert without(seen[2], FRAMING | OURS) == without(expected[2], FRAMING | OURS), number
        assert seen[3] == expected[3], number
        line, headers, data = received(server.requests[-1])
        assert line == sent.partition(b"\r\n")[0], number
        asked = streamed and "stream_options" not in plain and b"completions" in line and seen[0] != REFUSED
        dropped = {b"host", b"content-length", b"transfer-encoding", b"x-request-id"}
        sent_headers = received(sent)[1]
        assert without(headers, dropped) == without(sent_headers, dropped | ({b"accept-encoding"} if asked else set()))
        options = {"stream_options": {"include_usage": True}} if asked else {}
        assert json.loads(data) == {**plain, "model": "base", **options}, number
    assert len(running.recorded()) == EXCHANGES // BATCHES

"""Inputs for the fuzzer: good messages of both sides, and what a hostile or broken peer makes of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

BODY = b'{"model":"bot"}'
POST = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"

REQUESTS = (
    POST + b"Content-Length: 15\r\n\r\n" + BODY,
    POST + b"content-length:15\r\nX-A:  b \t\r\nx-empty:\r\n\r\n" + BODY,
    POST + CHUNKED + b"\r\nf\r\n" + BODY + b"\r\n0\r\n\r\n",
    POST + CHUNKED + b'\r\n5;a=b\r\n{"mod\r\n0a;c="d"\r\nel":"bot"}\r\n0\r\nX-T: 1\r\n\r\n',
    POST + b"Expect: 100-continue\r\nContent-Length: 15\r\n\r\n" + BODY,
    POST + b"Connection: close\r\nContent-Length: 15\r\n\r\n" + BODY,
    b"GET /v1/models?x=1 HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
    b"GET /healthz HTTP/1.0\r\n\r\n",
    b"POST /v1/completions HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\n{}",
)

RESPONSES = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ndata\r\n5;x=y\r\n: a\r\n\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nA\r\n0123456789\r\n0\r\nX-T: 1\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nto the end",
    b"HTTP/1.0 200 OK\r\n\r\nto the end",
    b"HTTP/1.1 204 No Content\r\n\r\n",
    b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1",
    b"HTTP/1.1 503 \r\nRetry-After: 1\r\nContent-Length: 4\r\n\r\ndown",
)

_WORDS = (
    *(b"\r\n", b"\n", b"\r", b"\r\n\r\n", b" ", b"\t", b"\0", b"\x0b", b"\x80", b":", b",", b";", b"0\r\n\r\n", b"-1"),
    *(b"+5", b"0x5", b"1e1", b"f" * 16, b"18446744073709551616", b"\r\n folded", b"TRACE ", b"http://y/", b"HTTP/1.0"),
    b"HTTP/2.0",
    b"HTTP/1.1 200 OK\r\n\r\n",
    b"GET /evil HTTP/1.1\r\nHost: z\r\n\r\n",
    b"Host: y\r\n",
    b"Expect: 100-continue\r\n",
    b"Connection: close\r\n",
    b"Connection: upgrade\r\nUpgrade: h2c\r\n",
    b"Content-Length: 5\r\n",
    b"Content-Length: 5, 5\r\n",
    b"Content-Length : 5\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: chunked, chunked\r\n",
    b"Transfer-Encoding: identity\r\n",
    b"Transfer-Encoding:\x0bchunked\r\n",
    b"Transfer-Encoding\r\n: chunked\r\n",
)
_NUMBER = re.compile(rb"\d+")


def mutate(rng: Random, data: bytes, seeds: tuple[bytes, ...]) -> bytes:
    """Return the message with one to four things done to it."""
    for _ in range(rng.randint(1, 4)):
        data = rng.choice(_WAYS)(rng, data, seeds)
    return data


def cuts(rng: Random, data: bytes) -> list[bytes]:
    """Return the bytes in reads: whole, byte by byte, or as it falls."""
    if not data:
        return []
    way = rng.randrange(4)
    if way == 0:
        return [data]
    if way == 1:
        return [data[place : place + 1] for place in range(len(data))]
    places = sorted(rng.sample(range(1, len(data)), min(rng.randint(0, 6), len(data) - 1)))
    return [data[start:end] for start, end in zip([0, *places], [*places, len(data)], strict=True)]


def _flip(rng: Random, data: bytes, _: tuple[bytes, ...]) -> bytes:
    if not data:
        return data
    place = rng.randrange(len(data))
    return data[:place] + bytes([rng.randrange(256)]) + data[place + 1 :]


def _drop(rng: Random, data: bytes, _: tuple[bytes, ...]) -> bytes:
    start = rng.randint(0, len(data))
    return data[:start] + data[start + rng.randint(1, 8) :]


def _insert(rng: Random, data: bytes, _: tuple[bytes, ...]) -> bytes:
    place = rng.randint(0, len(data))
    return data[:place] + rng.choice(_WORDS) + data[place:]


def _insert_line(rng: Random, data: bytes, _: tuple[bytes, ...]) -> bytes:
    lines = data.split(b"\r\n")
    lines.insert(rng.randint(0, len(lines)), rng.choice(_WORDS).removesuffix(b"\r\n"))
    return b"\r\n".join(lines)


def _repeat(rng: Random, data: bytes, _: tuple[bytes, ...]) -> bytes:
    start = rng.randint(0, len(data))
    piece = data[start : start + rng.choice((1, 4, 30, 200))]
    return data[:start] + piece * rng.choice((2, 3, 50)) + data[start:]


def _number(rng: Random, data: bytes, _: tuple[bytes, ...]) -> bytes:
    found = list(_NUMBER.finditer(data))
    if not found:
        return data
    at = rng.choice(found)
    other = rng.choice((b"0", b"1", b"14", b"16", b"00015", b"99999999999", b"-15", b" 15", b"f", b""))
    return data[: at.start()] + other + data[at.end() :]


def _join(rng: Random, data: bytes, seeds: tuple[bytes, ...]) -> bytes:
    return data + rng.choice(seeds)


def _splice(rng: Random, data: bytes, seeds: tuple[bytes, ...]) -> bytes:
    other = rng.choice(seeds)
    return data[: rng.randint(0, len(data))] + other[rng.randint(0, len(other)) :]


_WAYS = (_flip, _drop, _insert, _insert, _insert_line, _insert_line, _repeat, _number, _join, _join, _splice)

"""Many streams at once, read whole by plain sockets, to compare every byte."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from generator import KEY, MODEL

if TYPE_CHECKING:
    from collections.abc import Sequence

_END = b"0\r\n\r\n"
_AT_ONCE = 64
"""Connections being opened."""
_LONGEST = 1 << 20


async def read(url: str, number: int) -> Sequence[bytes]:
    """Open the streams all together and return each one's body; b"" where it broke or was no 200."""
    gate = asyncio.Semaphore(_AT_ONCE)
    return await asyncio.gather(*(_one(url, user, gate) for user in range(number)))


async def _one(url: str, user: int, gate: asyncio.Semaphore) -> bytes:
    where = urlsplit(url)
    body = json.dumps(
        {
            "model": MODEL,
            "user": f"user-{user}",
            "stream": True,
            "stream_options": {"include_usage": True},
            "messages": [{"role": "user", "content": "hello"}],
        },
        separators=(",", ":"),
    ).encode()
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: {where.netloc}\r\nAuthorization: Bearer {KEY}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    try:
        async with gate:
            reader, writer = await asyncio.open_connection(where.hostname, where.port, limit=_LONGEST)
        writer.write(head.encode() + body)
        answered = await reader.readuntil(b"\r\n\r\n")
        chunked = await reader.readuntil(_END)
        writer.close()
    except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        return b""
    return _unchunked(chunked) if answered.startswith(b"HTTP/1.1 200") else b""


def _unchunked(data: bytes) -> bytes:
    """Return a chunked body's content."""
    parts, at = [], 0
    while True:
        line = data.index(b"\r\n", at)
        size = int(data[at:line], 16)
        if size == 0:
            return b"".join(parts)
        parts.append(data[line + 2 : line + 2 + size])
        at = line + 2 + size + 2

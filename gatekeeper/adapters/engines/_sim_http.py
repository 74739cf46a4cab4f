"""The least HTTP/1.1 a test engine needs, close enough to the socket to misbehave on purpose."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter

SIMULATED = "x-gatekeeper-simulated: 1"
TRICKLE_BYTES = 7
TRICKLE_S = 0.002


@dataclass(frozen=True, slots=True)
class Request:
    """Hold one request as it was read."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


async def read_request(reader: StreamReader) -> Request | None:
    """Read the connection's next request; None when the client has gone."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    first, *lines = head.rstrip("\r\n").split("\r\n")
    method, path, _ = first.split(" ", 2)
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if "chunked" in headers.get("transfer-encoding", ""):
        body = await _read_chunks(reader)
    else:
        body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(method, path.partition("?")[0], headers, body)


async def _read_chunks(reader: StreamReader) -> bytes:
    parts = []
    while size := int((await reader.readline()).partition(b";")[0], 16):
        parts.append(await reader.readexactly(size))
        await reader.readline()
    await reader.readline()
    return b"".join(parts)


class Reply:
    """Write one response, whole or as server-sent events; trickling cuts it into small pieces with pauses."""

    def __init__(self, writer: StreamWriter, *, trickle: bool) -> None:
        """Keep the connection and its manners."""
        self._writer = writer
        self._trickle = trickle

    async def whole(self, status: int, payload: dict[str, Any] | str) -> None:
        """Send a JSON object, or plain text, with its length."""
        kind = "text/plain" if isinstance(payload, str) else "application/json"
        data = (payload if isinstance(payload, str) else json.dumps(payload)).encode()
        await self._send(_head(status, kind, f"content-length: {len(data)}") + data)

    async def begin_events(self) -> None:
        """Send the head of a stream of events."""
        await self._send(_head(HTTPStatus.OK, "text/event-stream; charset=utf-8", "transfer-encoding: chunked"))

    async def event(self, data: dict[str, Any] | str) -> None:
        """Send one event, as a chunk of its own."""
        line = f"data: {data if isinstance(data, str) else json.dumps(data, separators=(',', ':'))}\n\n".encode()
        await self._send(b"%x\r\n%b\r\n" % (len(line), line))

    async def end_events(self) -> None:
        """Send the stream's last chunk."""
        await self._send(b"0\r\n\r\n")

    async def _send(self, data: bytes) -> None:
        if not self._trickle:
            self._writer.write(data)
            await self._writer.drain()
            return
        for start in range(0, len(data), TRICKLE_BYTES):
            self._writer.write(data[start : start + TRICKLE_BYTES])
            await self._writer.drain()
            await asyncio.sleep(TRICKLE_S)


def _head(status: int, kind: str, length: str) -> bytes:
    reason = HTTPStatus(status).phrase
    return f"HTTP/1.1 {status} {reason}\r\ncontent-type: {kind}\r\n{SIMULATED}\r\n{length}\r\n\r\n".encode()

"""Memory is given back once after a flood, and connections that are lost leave nothing for the garbage collector."""

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING, cast

from gatekeeper.gateway.heads import Heads
from gatekeeper.gateway.http import own_response
from gatekeeper.gateway.limits import Limits
from gatekeeper.gateway.outbox import Outbox
from gatekeeper.gateway.server import ClientConnection
from gatekeeper.gateway.tide import CALM_S, FLOOD, Tide, trim

if TYPE_CHECKING:
    from gatekeeper.gateway.http import Request, RequestHead


def test_memory_is_given_back_once_after_each_flood():
    given: list[int] = []
    tide = Tide(lambda: given.append(1))
    for connections in (0, FLOOD - 1, 0, FLOOD, FLOOD // 2, FLOOD // 4, 3, 0, 10 * FLOOD, 3 * FLOOD, 2 * FLOOD, 0):
        for now in (0.0, CALM_S):
            tide.look(connections, now)
    assert len(given) == 3


def test_a_flood_that_comes_again_is_not_over():
    given: list[int] = []
    tide = Tide(lambda: given.append(1))
    for now, connections in enumerate([FLOOD, 0, FLOOD, 0, FLOOD]):
        tide.look(connections, now * CALM_S * 0.9)
    assert given == []


def test_the_c_library_is_asked_where_it_can_do_it():
    trim()


class Front:
    """Answer every request at once."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Have no connections."""
        self.limits, self.loop, self.draining = Limits(), loop, False
        self.heads: Heads[RequestHead] = Heads()
        self.connections: set[ClientConnection] = set()
        self.outbox = Outbox(loop)

    def answer(self, request: Request, client: ClientConnection) -> None:
        """Answer."""
        assert request.body == b"{}"
        client.write(own_response(200, b"{}"))
        client.done()

    def refused(self, status: int) -> None:
        """Expect none."""
        raise AssertionError(status)


async def _ask_and_leave() -> None:
    loop = asyncio.get_running_loop()
    front = Front(loop)
    server = await loop.create_server(lambda: cast("asyncio.Protocol", ClientConnection(front)), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    for _ in range(2):
        writer.write(b"POST /v1/x HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
        await reader.readexactly(2)
    writer.close()
    await writer.wait_closed()
    for _ in range(1_000):
        if front.connections:
            await asyncio.sleep(0.001)
    server.close()
    await server.wait_closed()


def test_a_connection_that_is_lost_leaves_no_circle():
    gc.collect()
    gc.disable()
    try:
        asyncio.run(_ask_and_leave())
        left = [thing for thing in gc.get_objects() if type(thing) is ClientConnection]
    finally:
        gc.enable()
    assert left == []

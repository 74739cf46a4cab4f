"""How clients come in: plain or by TLS, directly or behind a balancer that says who they are."""

from __future__ import annotations

import asyncio
import logging
import socket
from dataclasses import dataclass
from ssl import SSLContext
from typing import TYPE_CHECKING, Protocol, cast

from gatekeeper.gateway.proxy_header import ProxyHeaderError, parse
from gatekeeper.gateway.server import ClientConnection

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gatekeeper.gateway.front import Front

log = logging.getLogger(__name__)
_BACKLOG = 2048
_PAUSE_S = 1.0
"""How long nothing is accepted after the system had no socket left to give."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Say how clients come in.

    tls: with the server's certificate; None for plain text. proxy_protocol: connections begin with a PROXY header.
    """

    tls: SSLContext | None = None
    proxy_protocol: bool = False

    @property
    def scheme(self) -> str:
        """Return the scheme of the gateway's URL."""
        return "http" if self.tls is None else "https"


class Listener(Protocol):
    """Be a server's sockets."""

    @property
    def sockets(self) -> Sequence[socket.socket]:
        """Return what is listened on."""

    def close(self) -> None:
        """Accept no more."""


async def listen(
    front: Front, door: Door, host: str, port: int, *, reuse_port: bool, refused: Callable[[], None]
) -> Listener:
    """Listen on the running loop. refused: called for each connection that has no PROXY header where one is due.

    Raises:
        OSError: the address cannot be listened on.
    """
    if door.proxy_protocol:
        return _BehindBalancer(front, door, _bound(host, port, reuse_port=reuse_port), refused)
    wait_s = front.limits.handshake_s if door.tls is not None else None
    return await front.loop.create_server(
        lambda: cast("asyncio.Protocol", ClientConnection(front)),
        host,
        port,
        backlog=_BACKLOG,
        reuse_port=reuse_port or None,
        ssl=door.tls,
        ssl_handshake_timeout=wait_s,
    )


def _bound(host: str, port: int, *, reuse_port: bool) -> socket.socket:
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    sock = socket.create_server(address[:2], family=family, backlog=_BACKLOG, reuse_port=reuse_port)
    sock.setblocking(False)  # noqa: FBT003 - the standard library's signature
    return sock


class _BehindBalancer:
    """Accept connections, read each one's PROXY header and nothing behind it, then let it in."""

    def __init__(self, front: Front, door: Door, sock: socket.socket, refused: Callable[[], None]) -> None:
        self._front = front
        self._door = door
        self._sock = sock
        self._refused = refused
        self._admitting: set[asyncio.Task[None]] = set()
        self._accepting = front.loop.create_task(self._accept())

    @property
    def sockets(self) -> Sequence[socket.socket]:
        return (self._sock,)

    def close(self) -> None:
        self._accepting.cancel()
        for task in list(self._admitting):
            task.cancel()
        self._sock.close()

    async def _accept(self) -> None:
        loop = self._front.loop
        while True:
            try:
                conn, address = await loop.sock_accept(self._sock)
            except OSError as exc:
                log.warning("no connection accepted for %g s: %s", _PAUSE_S, exc)
                await asyncio.sleep(_PAUSE_S)
                continue
            task = loop.create_task(self._admit(conn, str(address[0])))
            self._admitting.add(task)
            task.add_done_callback(self._admitting.discard)

    async def _admit(self, conn: socket.socket, balancer: str) -> None:
        """Let a connection in, under its client's address; one without a header is closed without a word."""
        loop, tls, wait_s = self._front.loop, self._door.tls, self._front.limits.handshake_s
        try:
            async with asyncio.timeout(wait_s):
                peer = await self._read_header(conn)
        except (ProxyHeaderError, OSError):
            self._refused()
            conn.close()
            return
        except asyncio.CancelledError:
            conn.close()
            raise
        try:
            conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await loop.connect_accepted_socket(
                lambda: cast("asyncio.Protocol", ClientConnection(self._front, peer or balancer)),
                conn,
                ssl=tls,
                ssl_handshake_timeout=wait_s if tls is not None else None,
            )
        except OSError:
            conn.close()

    async def _read_header(self, conn: socket.socket) -> str | None:
        data = b""
        while isinstance(wanted := parse(data), int):
            got = await self._front.loop.sock_recv(conn, wanted)
            if not got:
                raise ProxyHeaderError("the connection ended within its PROXY header")
            data += got
        return wanted

"""Origins: where an endpoint's URL leads, and the connections kept to it."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from time import monotonic
from typing import TYPE_CHECKING, cast
from urllib.parse import SplitResult, urlsplit

from gatekeeper.errors import InputError
from gatekeeper.gateway.heads import Heads
from gatekeeper.gateway.outbox import Outbox
from gatekeeper.gateway.tls import refusal
from gatekeeper.gateway.upstream import Connection

if TYPE_CHECKING:
    from gatekeeper.gateway.http import Head
    from gatekeeper.gateway.limits import Limits

_PORTS = {"http": 80, "https": 443}


def check_url(url: str) -> SplitResult:
    """Return an endpoint's URL in its parts.

    Raises:
        InputError: the URL is no http(s) root.
    """
    try:
        parts = urlsplit(url)
        fine = parts.scheme in _PORTS and parts.hostname and parts.port != 0
    except ValueError:
        fine = False
    if not fine or parts.query or parts.fragment or parts.username:
        raise InputError(f"endpoint {url!r}: expected http(s)://host[:port][/path]")
    return parts


class Pool:
    """Keep connections to one origin, the last used first.

    origin: the prefix of its paths, and its host. knows_usage: the engine has not yet shown that it refuses
    `stream_options`.
    """

    def __init__(
        self, url: str, limits: Limits, loop: asyncio.AbstractEventLoop, tls: ssl.SSLContext | None = None
    ) -> None:
        """Read the URL; nothing is opened yet. tls: checks certificates, None: with the system's authorities.

        Raises:
            InputError: the URL is no http(s) root.
        """
        parts = check_url(url)
        self.origin = (parts.path.rstrip("/").encode(), parts.netloc.encode())
        self._address = (parts.hostname or "", parts.port or _PORTS[parts.scheme])
        self._tls = (tls or ssl.create_default_context()) if parts.scheme == "https" else None
        self._limits = limits
        self._loop = loop
        self.heads: Heads[Head] = Heads()
        self.outbox = Outbox(loop)
        self._idle: list[Connection] = []
        self._made: set[Connection] = set()
        self.knows_usage = True

    def take(self) -> Connection | None:
        """Return a kept connection; None when there is none."""
        while self._idle:
            connection = self._idle.pop()
            if connection.transport is not None and not connection.transport.is_closing():
                return connection
        return None

    async def connect(self) -> Connection:
        """Open a connection.

        Raises:
            OSError: it could not be opened in time (TimeoutError) or at all.
        """
        try:
            async with asyncio.timeout(self._limits.connect_s):
                connection = Connection(self)
                await self._loop.create_connection(
                    lambda: cast("asyncio.Protocol", connection), *self._address, ssl=self._tls
                )
        except ssl.SSLError as exc:
            raise ConnectionError(refusal(exc, self._address[0])) from exc
        self._made.add(connection)
        return connection

    def give_back(self, connection: Connection) -> None:
        """Keep a connection whose call has ended."""
        if len(self._idle) < self._limits.upstream_idle_connections:
            connection.idle_since = monotonic()
            self._idle.append(connection)
        else:
            connection.close()

    def forget(self, connection: Connection) -> None:
        """Drop a connection that was lost."""
        self._made.discard(connection)
        with contextlib.suppress(ValueError):
            self._idle.remove(connection)

    def sweep(self, now: float) -> None:
        """Close what was idle for too long."""
        while self._idle and now - self._idle[0].idle_since > self._limits.upstream_idle_s:
            self._idle.pop(0).close()

    def close(self) -> None:
        """Cut every connection, also those in use."""
        for connection in list(self._made):
            connection.close()
        self._idle.clear()

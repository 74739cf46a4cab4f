"""POSTs of large bodies to one URL over a kept connection: a body goes to the socket as it is, in one call.

A body that lies in a file goes there without coming by here (`sendfile`), where the connection is plain.
"""

from __future__ import annotations

from base64 import b64encode
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from urllib.parse import SplitResult


class FilePart(NamedTuple):
    """Be a body that is a part of a file. start: its offset there. size: in bytes."""

    path: Path
    start: int
    size: int

    def read(self) -> bytes:
        """Return it."""
        with self.path.open("rb") as file:
            file.seek(self.start)
            return file.read(self.size)


class Poster:
    """POST to a URL, through the proxy that the environment names for it, if any; for one thread."""

    def __init__(self, url: str, headers: Mapping[str, str], timeout_s: float) -> None:
        """Read the URL; nothing is opened yet. timeout_s: for each wait on the socket."""
        parts = urlsplit(url)
        self._headers = dict(headers)
        self._timeout_s = timeout_s
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._parts = parts
        proxies = getproxies()
        proxy = proxies.get(parts.scheme) or proxies.get("all")
        through = proxy is not None and not proxy_bypass(parts.netloc.rpartition("@")[2])
        self._proxy = urlsplit(proxy) if through and proxy is not None else None
        if self._proxy is not None and parts.scheme == "http":
            self._target = url
            self._headers |= _login(self._proxy)
        self._tls = httpx.create_ssl_context() if parts.scheme == "https" else None
        self._connection: HTTPConnection | None = None

    def post(self, body: bytes | FilePart) -> tuple[int, bytes]:
        """Return the answer's status and body. A kept connection that turns out to be closed is opened again.

        Raises:
            OSError: there was no whole answer.
        """
        kept = self._connection is not None
        connection = self._connection = self._connection or self._made()
        try:
            return self._ask(connection, body)
        except (OSError, HTTPException, ValueError) as exc:
            self.close()
            if kept and isinstance(exc, (ConnectionError, HTTPException)):
                return self.post(body)
            raise OSError(repr(exc)) from exc

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _ask(self, connection: HTTPConnection, body: bytes | FilePart) -> tuple[int, bytes]:
        with suppress(BrokenPipeError, ConnectionResetError):  # who takes no more may have answered already
            if isinstance(body, bytes):
                connection.request("POST", self._target, body, self._headers)
            else:
                self._send_file(connection, body)
        answer = connection.getresponse()
        return answer.status, answer.read()

    def _send_file(self, connection: HTTPConnection, part: FilePart) -> None:
        connection.putrequest("POST", self._target)
        for name, value in self._headers.items():
            connection.putheader(name, value)
        connection.putheader("content-length", str(part.size))
        connection.endheaders()
        with part.path.open("rb") as file:
            sent = connection.sock.sendfile(file, part.start, part.size)
        if sent != part.size:
            raise OSError(f"{part.path} ends {part.size - sent} bytes too early")

    def _made(self) -> HTTPConnection:
        first = self._proxy or self._parts
        host, port = first.hostname or "", first.port or (443 if first.scheme == "https" else 80)
        if self._tls is None:
            return HTTPConnection(host, port, timeout=self._timeout_s)
        made = HTTPSConnection(host, port, timeout=self._timeout_s, context=self._tls)
        if self._proxy is not None:
            made.set_tunnel(self._parts.hostname or "", self._parts.port or 443, _login(self._proxy))
        return made


def _login(proxy: SplitResult) -> dict[str, str]:
    if not proxy.username:
        return {}
    login = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"proxy-authorization": f"Basic {b64encode(login.encode()).decode()}"}

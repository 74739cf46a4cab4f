"""A scripted upstream on a raw socket, and gateways in front of it."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from gatekeeper.adapters.splitfeed import SplitFeed
from gatekeeper.gateway.app import Gateway, Handle
from gatekeeper.gateway.limits import Limits
from gatekeeper.model.exchange import Exchange
from gatekeeper.model.split import Endpoint, Split

if TYPE_CHECKING:
    from collections.abc import Iterator


ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "yes"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 5, "completion_tokens": 1, "total_tokens": 6},
}


OPTIONS = ("spool", "override_key", "door", "upstream_tls")


@pytest.fixture
def whole() -> Callable[..., bytes]:
    """Build a whole response: payload, status, extra header lines."""
    return _whole


def _whole(payload: object, status: str = "200 OK", extra: str = "") -> bytes:
    body = json.dumps(payload).encode()
    return (
        f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n{extra}Content-Length: {len(body)}\r\n\r\n".encode()
        + body
    )


def receive_request(conn: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        got = conn.recv(65536)
        if not got:
            return b""
        data += got
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    missing = (int(lengths[0]) if lengths else 0) - len(body)
    while missing > 0:
        got = conn.recv(missing)
        data += got
        missing -= len(got)
    return data


@dataclass
class Upstream:
    """Answer each request with `script(connection, request)`, a thread for each connection; remember the requests."""

    script: Callable[[socket.socket, bytes], None]
    requests: list[bytes] = field(default_factory=list)
    closed: threading.Event = field(default_factory=threading.Event)
    url: str = ""
    wrap: Callable[[socket.socket], socket.socket] | None = None

    def serve(self) -> socket.socket:
        """Listen on a free port."""
        listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        return listener

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                conn, _ = listener.accept()
            except OSError:
                return
            conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._talk, args=(conn,), daemon=True).start()

    def _talk(self, conn: socket.socket) -> None:
        with contextlib.suppress(OSError), contextlib.closing(self.wrap(conn) if self.wrap else conn) as talking:
            while request := receive_request(talking):
                self.requests.append(request)
                self.script(talking, request)
        conn.close()
        self.closed.set()


@pytest.fixture
def upstream() -> Iterator[Callable[..., Upstream]]:
    """Make upstreams; the default one answers every request with ANSWER."""
    listeners = []

    def make(script: Callable[[socket.socket, bytes], None] | None = None) -> Upstream:
        made = Upstream(script or (lambda conn, _: conn.sendall(_whole(ANSWER))))
        listeners.append(made.serve())
        return made

    yield make
    for listener in listeners:
        listener.close()


@pytest.fixture
def split() -> Callable[..., Split]:
    """Build a split between upstreams; more fields by name."""
    return _split


def _split(baseline: Upstream, candidate: Upstream | None = None, **fields: object) -> Split:
    plain = {"service": "bot", "epoch": 1, "version": 1, "salt": "s", "rollout_id": "r", "stage": 2, **fields}
    return Split(
        baseline=Endpoint(url=baseline.url, model="base", release="rel-b"),
        candidate=Endpoint(url=candidate.url, model="cand", release="rel-c") if candidate else None,
        **plain,
    )


@pytest.fixture
def say() -> Callable[..., bytes]:
    """Send raw bytes to a gateway, and return everything it says until it closes or is silent."""

    def send(address: tuple[str, int], *parts: bytes, silence_s: float = 10.0, pause_s: float = 0.0) -> bytes:
        with socket.create_connection(address, timeout=silence_s) as conn:
            with contextlib.suppress(ConnectionError):  # it may have answered, and closed, before the last part
                for part in parts:
                    conn.sendall(part)
                    time.sleep(pause_s)
            heard = b""
            try:
                while got := conn.recv(65536):
                    heard += got
            except TimeoutError:
                return heard + b"<silence>"
            except ConnectionResetError:
                return heard + b"<reset>"
            return heard

    return send


@dataclass
class Running:
    """Hold a gateway under test with its feed and what it recorded."""

    handle: Handle
    feed: SplitFeed
    exchanges: list[Exchange]

    @property
    def url(self) -> str:
        """Return the gateway's root."""
        return self.handle.url

    @property
    def address(self) -> tuple[str, int]:
        """Return where its socket is."""
        host, _, port = self.url.partition("://")[2].partition(":")
        return host, int(port)

    def recorded(self) -> list[Exchange]:
        """Stop the gateway, and return everything that it recorded."""
        self.handle.stop(2)
        return self.exchanges


@pytest.fixture
def gateway() -> Iterator[Callable[..., Running]]:
    """Start gateways for splits, with the gateway's own options and limits by name."""
    running: list[Running] = []

    def make(*splits: Split, catch_all: str | None = None, **given: Any) -> Running:  # noqa: ANN401 - of two callables
        feed = SplitFeed(initial=splits)
        exchanges: list[Exchange] = []
        options = {name: given.pop(name) for name in OPTIONS if name in given}
        bounds = Limits(**{"sweep_s": 0.02, "linger_s": 0.3, **given})
        made = Gateway(
            feed,
            limits=bounds,
            catch_all=catch_all,
            show_release=True,
            show_arm=True,
            takers=[exchanges.append],
            **options,
        )
        running.append(Running(made.run_in_thread(), feed, exchanges))
        return running[-1]

    yield make
    for one in running:
        one.handle.stop(0.5)

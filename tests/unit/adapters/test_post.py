"""Posting: connections are kept and opened again, an early answer is read, and the environment's proxy is used."""

from __future__ import annotations

import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest

from gatekeeper.adapters._post import FilePart, Poster

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FINE = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"
NO_MORE = b"HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class Receiver:
    """Answer each connection's requests by a list of answers, then close it; b"": without an answer."""

    def __init__(self, *answers: list[bytes]) -> None:
        """Listen."""
        self.heads: list[bytes] = []
        self.bodies: list[bytes] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._thread = threading.Thread(target=self._run, args=(answers,), daemon=True)
        self._thread.start()

    def _run(self, connections: tuple[list[bytes], ...]) -> None:
        for answers in connections:
            conn = self._listening.accept()[0]
            with conn:
                for answer in answers:
                    data = b""
                    while b"\r\n\r\n" not in data:
                        data += conn.recv(65536)
                    head, _, body = data.partition(b"\r\n\r\n")
                    self.heads.append(head)
                    size = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                    while len(body) < size and (more := conn.recv(65536)):
                        body += more
                    self.bodies.append(body)
                    conn.sendall(answer)

    def close(self) -> None:
        """Listen no more."""
        self._listening.close()
        self._thread.join(10)


@pytest.fixture
def receiver(request: pytest.FixtureRequest) -> Iterator[Receiver]:
    made = Receiver(*request.param)
    yield made
    made.close()


@pytest.mark.parametrize("receiver", [([FINE, FINE], [FINE])], indirect=True)
def test_a_connection_is_kept_and_opened_again(receiver: Receiver):
    poster = Poster(f"{receiver.url}/v1/x?a=b", {"authorization": "Bearer k"}, 5.0)
    assert [poster.post(b"body") for _ in range(3)] == [(200, b"{}")] * 3
    poster.close()
    assert all(head.startswith(b"POST /v1/x?a=b HTTP/1.1\r\n") for head in receiver.heads)
    assert all(b"Bearer k" in head and b"Content-Length: 4" in head for head in receiver.heads)


@pytest.mark.parametrize("receiver", [([FINE, FINE], [FINE])], indirect=True)
def test_a_part_of_a_file_is_a_body(receiver: Receiver, tmp_path: Path):
    path = tmp_path / "file"
    path.write_bytes(b"123" + b"x" * 2_000_000 + b"456")
    poster = Poster(receiver.url, {"a": "b"}, 5.0)
    assert [poster.post(FilePart(path, 3, size)) for size in (2_000_000, 4, 1)] == [(200, b"{}")] * 3
    assert all(
        b"content-length: %d" % len(body) in head for body, head in zip(receiver.bodies, receiver.heads, strict=True)
    )
    assert receiver.bodies == [b"x" * 2_000_000, b"xxxx", b"x"]
    poster.close()


@pytest.mark.parametrize("receiver", [([b""],)], indirect=True)
def test_a_file_that_ends_too_early_is_an_error_of_the_system(receiver: Receiver, tmp_path: Path):
    path = tmp_path / "file"
    path.write_bytes(b"123")
    poster = Poster(receiver.url, {}, 5.0)
    with pytest.raises(OSError, match="2 bytes too early"):
        poster.post(FilePart(path, 0, 5))
    poster.close()
    until = time.monotonic() + 10
    while not receiver.bodies and time.monotonic() < until:
        time.sleep(0.005)
    assert receiver.bodies == [b"123"]


@pytest.mark.parametrize("receiver", [([NO_MORE],)], indirect=True)
def test_an_answer_before_the_bodys_end_is_an_answer(receiver: Receiver):
    poster = Poster(receiver.url, {}, 5.0)
    assert poster.post(b"body")[0] == 413
    poster.close()


@pytest.mark.parametrize("receiver", [([b""],)], indirect=True)
def test_no_answer_is_an_error_of_the_system(receiver: Receiver):
    poster = Poster(receiver.url, {}, 5.0)
    with pytest.raises(OSError, match="RemoteDisconnected"):
        poster.post(b"body")
    receiver.close()
    with pytest.raises(OSError, match="refused"):
        poster.post(b"body")


@pytest.mark.parametrize("receiver", [([FINE],)], indirect=True)
def test_the_environments_proxy_is_asked(receiver: Receiver, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("http_proxy", receiver.url.replace("//", "//u:p%20@"))
    poster = Poster("http://plane.example/v1/x", {}, 5.0)
    assert poster.post(b"") == (200, b"{}")
    poster.close()
    assert receiver.heads[0].startswith(b"POST http://plane.example/v1/x HTTP/1.1\r\n")
    assert b"proxy-authorization: Basic dTpwIA==" in receiver.heads[0]

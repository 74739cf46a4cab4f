"""Webhooks out: a real receiver verifies what arrives; private addresses, redirects and slow names are refused."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from standardwebhooks.webhooks import Webhook

from gatekeeper.adapters.alerts import _addresses
from gatekeeper.adapters.alerts.webhook import Sink, check_url
from gatekeeper.adapters.clock import HandClock
from gatekeeper.errors import GoneError, InputError, WorldError
from gatekeeper.model.action import OutboxItem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SECRET = "whsec_" + "c2VjcmV0" * 5


@dataclass
class Receiver:
    """Answer as told, and keep what came."""

    url: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    came: list[tuple[dict[str, str], str]] = field(default_factory=list)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    kept = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            kept.came.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(kept.status)
            for name, value in kept.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        kept.url = f"http://127.0.0.1:{server.server_port}/hook?a=b"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield kept
        server.shutdown()
        thread.join()


def item(url: str) -> OutboxItem:
    payload = {"type": "rollout.rolled_back", "data": {"reason": "ü"}}
    return OutboxItem(
        kind="webhook", key="k", body={"url": url, "secret": SECRET, "event_id": "evt_1", "payload": payload}
    )


def test_a_receiver_verifies_what_arrives(receiver: Receiver):
    with Sink(HandClock(time.time()), allow_private=True) as sink:
        assert sink.send(item(receiver.url)) is None
    headers, body = receiver.came[0]
    assert Webhook(SECRET).verify(body, headers)["type"] == "rollout.rolled_back"
    assert headers["webhook-id"] == "evt_1"
    assert headers["host"] == receiver.url.split("/")[2]


def test_each_attempt_has_the_same_id_and_a_fresh_timestamp(receiver: Receiver):
    clock = HandClock(time.time())
    with Sink(clock, allow_private=True) as sink:
        sink.send(item(receiver.url))
        clock.advance(5)
        sink.send(item(receiver.url))
    (first, _), (second, _) = receiver.came
    assert first["webhook-id"] == second["webhook-id"]
    assert int(second["webhook-timestamp"]) - int(first["webhook-timestamp"]) == 5
    assert first["webhook-signature"] != second["webhook-signature"]


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 404, 500, 503])
def test_all_but_2xx_is_a_failure_and_redirects_are_not_followed(receiver: Receiver, status: int):
    receiver.status, receiver.headers = status, {"location": "http://169.254.169.254/"}
    with Sink(HandClock(), allow_private=True) as sink, pytest.raises(WorldError, match=str(status)):
        sink.send(item(receiver.url))
    assert len(receiver.came) == 1


def test_410_is_for_good(receiver: Receiver):
    receiver.status = 410
    with Sink(HandClock(), allow_private=True) as sink, pytest.raises(GoneError):
        sink.send(item(receiver.url))


@pytest.mark.parametrize(
    ("text", "asked_s"),
    [("120", 120.0), ("999999999", 86_400.0), ("Tue, 14 Nov 2023 22:15:20 GMT", 120.0)],
)
def test_retry_after_is_read(receiver: Receiver, text: str, asked_s: float):
    receiver.status, receiver.headers = 429, {"retry-after": text}
    with Sink(HandClock(1_700_000_000.0), allow_private=True) as sink:
        assert sink.send(item(receiver.url)) == asked_s


@pytest.mark.parametrize("text", ["soon", "-5", "0", "", "Tue, 14 Nov 2000 22:15:20 GMT", "1" * 5000])
def test_a_retry_after_that_says_nothing_leaves_the_schedule(receiver: Receiver, text: str):
    receiver.status, receiver.headers = 503, {"retry-after": text}
    with Sink(HandClock(1_700_000_000.0), allow_private=True) as sink:
        try:
            assert sink.send(item(receiver.url)) == 86_400.0
        except WorldError:
            assert not text.startswith("111")


def test_nobody_there_is_a_world_error():
    with Sink(HandClock(), allow_private=True) as sink, pytest.raises(WorldError):
        sink.send(item("http://127.0.0.1:9/"))


PRIVATE = """
127.0.0.1 127.255.255.254 10.0.0.1 172.16.0.1 192.168.1.1 169.254.169.254 0.0.0.0 100.64.0.1 224.0.0.1 239.1.1.1
240.0.0.1 255.255.255.255 192.0.0.192 192.0.0.8 192.88.99.1 168.63.129.16 198.18.0.1 192.0.2.1 ::1 :: fe80::1
fe80::1%eth0 fc00::1 fd00::1 fec0::1 ff02::1 ff0e::1 64:ff9b::7f00:1 64:ff9b:1::1 2002:7f00:1:: 2001::1 2001:db8::1
::ffff:127.0.0.1 ::ffff:10.0.0.1 ::7f00:1
"""


@pytest.mark.parametrize("address", [text for line in PRIVATE.splitlines() for text in line.split(" ") if text])
def test_addresses_that_are_not_public_are_refused(address: str):
    assert not _addresses.is_public(address)
    with (
        Sink(HandClock(), resolver=lambda _host, _port: ["93.184.215.14", address]) as sink,
        pytest.raises(WorldError, match="not a public address"),
    ):
        sink.send(item("https://receiver.example/"))


@pytest.mark.parametrize("address", ["93.184.215.14", "8.8.8.8", "2606:2800:21f:cb07::1", "::ffff:8.8.8.8"])
def test_public_addresses_are_good(address: str):
    assert _addresses.is_public(address)


@pytest.mark.parametrize("host", ["127.1", "0x7f000001", "2130706433", "localhost", "[::1]", "[::ffff:127.0.0.1]"])
def test_loopback_under_another_name_is_refused(host: str):
    with Sink(HandClock()) as sink, pytest.raises(WorldError, match="not a public address"):
        sink.send(item(f"https://{host}/"))


def test_the_checked_address_is_the_one_called(receiver: Receiver):
    asked: list[str] = []

    def rebind(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["169.254.169.254"]

    url = receiver.url.replace("127.0.0.1", "receiver.example")
    resolver: Callable[[str, int], list[str]] = rebind
    with Sink(HandClock(), allow_private=True, resolver=resolver) as sink:
        assert sink.send(item(url)) is None
    assert asked == ["receiver.example"]
    assert receiver.came[0][0]["host"].startswith("receiver.example:")


URLS = ("http://receiver.example/", "ftp://x/", "//x/", "https://", "https://u:p@x/", "https://[::1", "https://x:0/")


@pytest.mark.parametrize("url", [*URLS, "https://x:99999/"])
def test_urls_are_https_to_a_host(url: str):
    with pytest.raises(InputError):
        check_url(url, allow_private=False)
    with Sink(HandClock()) as sink, pytest.raises(WorldError, match="cannot be called"):
        sink.send(item(url))

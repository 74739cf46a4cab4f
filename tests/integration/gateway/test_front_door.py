"""How clients come in (TLS, PROXY headers), and whose certificates upstreams may show."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import ssl
import subprocess
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from gatekeeper.errors import InputError
from gatekeeper.gateway.listen import Door
from gatekeeper.gateway.tls import Certificate, trusting

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gatekeeper.model.split import Split

BODY = json.dumps({"model": "bot", "messages": []}).encode()
REQUEST = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b" % (
    len(BODY),
    BODY,
)
LINE = b"PROXY TCP4 203.0.113.7 192.0.2.1 4000 443\r\n"
BINARY = b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xcb\x00\x71\x09\xc0\x00\x02\x01\x0f\xa0\x01\xbb"
pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl here")


class Authority:
    """Sign certificates with openssl."""

    def __init__(self, folder: Path) -> None:
        """Make its own certificate and key."""
        self.folder = folder
        self.pem = folder / "ca.pem"
        self._openssl(
            "req", "-x509", "-subj", "/CN=test authority", "-keyout", "ca.key", "-out", "ca.pem", "-days", "2"
        )

    def sign(self, name: str, host: str = "DNS:localhost,IP:127.0.0.1") -> tuple[Path, Path]:
        """Return a new certificate and its key."""
        self._openssl(
            *("req", "-x509", "-subj", f"/CN={name}", "-addext", f"subjectAltName={host}", "-days", "2"),
            *("-CA", "ca.pem", "-CAkey", "ca.key", "-keyout", f"{name}.key", "-out", f"{name}.pem"),
            *("-addext", "basicConstraints=critical,CA:FALSE"),
        )
        return self.folder / f"{name}.pem", self.folder / f"{name}.key"

    def _openssl(self, *words: str) -> None:
        curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc") if words[0] == "req" else ()
        subprocess.run(["openssl", *words, *curve], cwd=self.folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Make an authority of this test's own."""
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def certificate(authority: Authority) -> Certificate:
    """Load a certificate that it signed."""
    return Certificate(*authority.sign("front"))


def common_name(address: tuple[str, int], ca: Path) -> str:
    context = ssl.create_default_context(cafile=ca)
    with (
        socket.create_connection(address, 5) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as conn,
    ):
        assert conn.version() in ("TLSv1.2", "TLSv1.3")
        (((_, name),),) = conn.getpeercert()["subject"]
        return str(name)


def talk(address: tuple[str, int], data: bytes, ca: Path | None = None) -> bytes:
    """Send bytes, then a request (by TLS with a CA); return everything that is said."""
    with socket.create_connection(address, 5) as plain:
        plain.sendall(data)
        if ca is None:
            return hear(plain)
        with ssl.create_default_context(cafile=ca).wrap_socket(plain, server_hostname="localhost") as conn:
            return hear(conn)


def hear(conn: socket.socket) -> bytes:
    """Send the request; return everything that is said."""
    heard = b""
    with contextlib.suppress(ConnectionResetError, BrokenPipeError):
        conn.sendall(REQUEST)
        while got := conn.recv(65536):
            heard += got
    return heard


def test_clients_talk_tls_also_streamed(
    upstream: Callable[..., Any],
    gateway: Callable[..., Any],
    split: Callable[..., Split],
    authority: Authority,
    certificate: Certificate,
):
    tokens = b"".join(b'data: {"choices":[{"delta":{"content":"%d"}}]}\n\n' % i for i in range(5_000))
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: %d\r\n\r\n" % len(tokens)
    running = gateway(split(upstream(lambda conn, _: conn.sendall(head + tokens))), door=Door(tls=certificate.context))
    assert running.url.startswith("https://")
    trusted = ssl.create_default_context(cafile=authority.pem)
    with httpx.Client(verify=trusted) as client:
        for _ in range(3):
            assert client.post(f"{running.url}/v1/chat/completions", content=BODY).content == tokens
    assert b"200" not in talk(running.address, b"")
    assert len(running.recorded()) == 3


def test_a_renewed_certificate_is_shown_and_a_faulty_one_is_not(
    upstream: Callable[..., Any], gateway: Callable[..., Any], split: Callable[..., Split], authority: Authority
):
    first, renewed = authority.sign("first"), authority.sign("renewed")
    pair = [authority.folder / "live.pem", authority.folder / "live.key"]
    for source, target in zip(first, pair, strict=True):
        shutil.copy(source, target)
    live = Certificate(*pair)
    running = gateway(split(upstream()), door=Door(tls=live.context))
    assert common_name(running.address, authority.pem) == "first"
    shutil.copy(renewed[0], pair[0])
    with pytest.raises(InputError, match="key values mismatch"):
        live.reload()
    assert common_name(running.address, authority.pem) == "first"
    shutil.copy(renewed[1], pair[1])
    live.reload()
    assert common_name(running.address, authority.pem) == "renewed"


def test_faulty_files_are_named(authority: Authority, tmp_path: Path):
    cert, key = authority.sign("named")
    garbage = tmp_path / "garbage.pem"
    garbage.write_text("nothing", encoding="ascii")
    with pytest.raises(InputError, match=r"gone\.pem with the key .*named\.key: No such file"):
        Certificate(tmp_path / "gone.pem", key)
    with pytest.raises(InputError, match=r"garbage\.pem with the key .*named\.key: "):
        Certificate(garbage, key)
    with pytest.raises(InputError, match=r"named\.pem: "):
        Certificate(cert)
    with pytest.raises(InputError, match=r"upstream CA .*garbage\.pem: "):
        trusting(garbage)


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize(
    ("header", "peer"),
    [(LINE, "203.0.113.7"), (BINARY, "203.0.113.9"), (b"PROXY UNKNOWN\r\n", "127.0.0.1")],
)
def test_the_clients_address_is_the_one_that_the_balancer_tells(
    upstream: Callable[..., Any],
    gateway: Callable[..., Any],
    split: Callable[..., Split],
    authority: Authority,
    certificate: Certificate,
    header: bytes,
    peer: str,
    tls: bool,  # noqa: FBT001 - a parameter of the test
):
    door = Door(tls=certificate.context if tls else None, proxy_protocol=True)
    running = gateway(split(upstream()), door=door)
    heard = talk(running.address, header, authority.pem if tls else None)
    assert heard.startswith(b"HTTP/1.1 200")
    assert [one.cluster_id for one in running.recorded()] == [peer]


def test_without_a_header_nothing_is_answered_and_it_is_counted(
    upstream: Callable[..., Any], gateway: Callable[..., Any], split: Callable[..., Split]
):
    server = upstream()
    running = gateway(split(server), door=Door(proxy_protocol=True), handshake_s=0.3)
    assert talk(running.address, b"") == b""
    assert talk(running.address, b"PROXY TCP4 999.0.0.1 1.1.1.1 1 2\r\n") == b""
    with socket.create_connection(running.address, 5) as slow:
        slow.sendall(LINE[:20])
        assert slow.recv(10) == b""
    with socket.create_connection(running.address, 5) as conn:
        conn.sendall(LINE + b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        page = b""
        while got := conn.recv(65536):
            page += got
    assert b"gatekeeper_gateway_unproxied_total 3" in page
    assert server.requests == []


def serve_tls(upstream: Callable[..., Any], pair: tuple[Path, Path]) -> Any:  # noqa: ANN401 - the fixture's class
    """Make an upstream that talks TLS: each connection is wrapped, then scripted as ever."""
    server = upstream()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*pair)
    server.wrap = lambda conn: context.wrap_socket(conn, server_side=True)
    server.url = server.url.replace("http://", "https://")
    return server


def test_an_https_upstream_is_asked_when_its_authority_is_trusted(
    upstream: Callable[..., Any], gateway: Callable[..., Any], split: Callable[..., Split], authority: Authority
):
    server = serve_tls(upstream, authority.sign("upstream"))
    running = gateway(split(server), upstream_tls=trusting(authority.pem))
    for _ in range(2):
        assert httpx.post(f"{running.url}/v1/chat/completions", content=BODY).status_code == 200
    assert httpx.get(f"{running.url}/readyz").status_code == 200
    assert httpx.get(f"{running.url}/health").json() == httpx.get(f"{running.url}/readyz").json()
    assert len(server.requests) == 2


def test_a_certificate_that_is_not_trusted_is_told_with_its_mend(
    upstream: Callable[..., Any], gateway: Callable[..., Any], split: Callable[..., Split], authority: Authority
):
    server = serve_tls(upstream, authority.sign("stranger"))
    running = gateway(split(server))
    answer = httpx.post(f"{running.url}/v1/chat/completions", content=BODY)
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "connect")
    told = (
        "the certificate of 127.0.0.1 is refused: unable to get local issuer certificate; if it is yours, name the CA"
    )
    assert told in answer.json()["error"]["message"]
    assert told in httpx.get(f"{running.url}/readyz").json()["services"]["bot"]["baseline"]
    assert server.requests == []


def test_a_certificate_of_another_host_and_a_plain_upstream_are_told_apart(
    upstream: Callable[..., Any], gateway: Callable[..., Any], split: Callable[..., Split], authority: Authority
):
    other = serve_tls(upstream, authority.sign("other", host="DNS:elsewhere"))
    running = gateway(split(other), upstream_tls=trusting(authority.pem))
    message = httpx.post(f"{running.url}/v1/chat/completions", content=BODY).json()["error"]["message"]
    assert "the certificate of 127.0.0.1 is refused: IP address mismatch" in message
    assert "--upstream-ca" not in message
    plain = upstream()
    plain.wrap = lambda conn: conn.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n") or conn
    plain.url = plain.url.replace("http://", "https://")
    running = gateway(split(plain))
    message = httpx.post(f"{running.url}/v1/chat/completions", content=BODY).json()["error"]["message"]
    assert "127.0.0.1 does not speak TLS on this port: is its URL http://?" in message

"""Several workers as processes: one is killed under load, and only what it had in hand is lost."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import ssl
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import psutil
import pytest

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator
    from pathlib import Path

WORKERS = 4
LOADERS = 12
PAUSE_S = 0.3
"""Before a client comes back: sooner, it may meet the queue of a socket that is just being closed."""
BODY = json.dumps({"model": "bot", "messages": []})
pytestmark = pytest.mark.serial


@pytest.fixture
def start() -> Iterator[Callable[..., tuple[subprocess.Popen[str], int]]]:
    """Start gateway processes on free ports; they are ended at the end."""
    running: list[subprocess.Popen[str]] = []

    def begin(*options: str) -> tuple[subprocess.Popen[str], int]:
        command = [sys.executable, "-m", "gatekeeper", "gateway", "--port", "0", "--drain-s", "1", *options]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        running.append(process)
        assert process.stderr is not None
        told = process.stderr.readline()
        threading.Thread(target=process.stderr.read, daemon=True).start()
        return process, int(told.strip().rpartition(":")[2])

    yield begin
    for process in running:
        process.terminate()
        process.wait(30)
        if process.stderr is not None:
            process.stderr.close()


def wait_for(what: Callable[[], object], timeout_s: float = 120.0) -> Any:  # noqa: ANN401 - whatever `what` returns
    until = time.monotonic() + timeout_s
    while not (found := what()):
        assert time.monotonic() < until
        time.sleep(0.05)
    return found


def crew(process: subprocess.Popen[str], port: int) -> list[psutil.Process]:
    """Return the workers that listen."""
    children = psutil.Process(process.pid).children()
    return [
        one for one in children if any(c.laddr.port == port and c.status == "LISTEN" for c in one.net_connections())
    ]


def figures(port: int) -> dict[str, float]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/metrics", headers={"connection": "close"})
    page = connection.getresponse().read().decode()
    connection.close()
    return {name: float(value) for name, value in re.findall(r"^gatekeeper_gateway_(\S+) (\S+)$", page, re.MULTILINE)}


class Loader(threading.Thread):
    """Ask again and again on one connection until told to stop; connect anew after a failure."""

    def __init__(self, port: int, stop: threading.Event) -> None:
        """Keep where and until when."""
        super().__init__(daemon=True)
        self._port, self._stopped = port, stop
        self.at_first = 0
        self.served = 0
        self.failed: list[int] = []

    def run(self) -> None:
        """Ask."""
        connection = self._connect()
        self.at_first = own_port = connection.sock.getsockname()[1]
        while not self._stopped.is_set():
            try:
                connection.request("POST", "/v1/chat/completions", BODY, {"content-type": "application/json"})
                answer = connection.getresponse()
                answer.read()
                assert answer.status == 200
                self.served += 1
            except (OSError, http.client.HTTPException):
                self.failed.append(own_port)
                connection.close()
                time.sleep(PAUSE_S)
                connection = self._connect()
                own_port = connection.sock.getsockname()[1]
        connection.close()

    def _connect(self) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        connection.connect()
        return connection


def test_a_worker_killed_under_load_takes_only_its_own_requests_with_it(
    upstream: Callable[..., Any], whole: Callable[..., bytes], start: Callable[..., Any]
):
    def slow(conn: socket.socket, _: bytes) -> None:
        time.sleep(0.02)
        conn.sendall(whole({"choices": []}))

    process, port = start("--baseline", upstream(slow).url, "--workers", str(WORKERS))
    workers = wait_for(lambda: len(found := crew(process, port)) == WORKERS and found)
    stop = threading.Event()
    loaders = [Loader(port, stop) for _ in range(LOADERS)]
    for loader in loaders:
        loader.start()
    wait_for(lambda: all(loader.served for loader in loaders))
    served_by = {
        connection.raddr.port: worker.pid
        for worker in workers
        for connection in worker.net_connections()
        if connection.raddr and connection.laddr.port == port
    }
    victim = served_by[loaders[0].at_first]
    before = figures(port)
    os.kill(victim, signal.SIGKILL)
    others = [loader for loader in loaders if served_by[loader.at_first] != victim]
    marks = [loader.served for loader in others]
    wait_for(lambda: all(loader.served > mark + 5 for loader, mark in zip(others, marks, strict=True)))
    wait_for(lambda: len(crew(process, port)) == WORKERS)
    wait_for(lambda: figures(port)["workers_reporting"] == WORKERS)
    stop.set()
    for loader in loaders:
        loader.join(30)

    assert [loader.failed for loader in others] == [[]] * len(others)
    for loader in loaders:
        if loader not in others:
            assert loader.failed == [loader.at_first]  # the one request in hand; the next connection was served
    time.sleep(1.5)
    after = figures(port)
    assert (after["workers"], after["worker_restarts_total"]) == (WORKERS, 1)
    counted = 'requests_total{service="default",arm="baseline",outcome="ok"}'
    assert before[counted] <= after[counted]
    served = sum(loader.served for loader in loaders)
    assert after[counted] <= served + len(loaders)
    assert after[counted] >= served - (LOADERS - len(others)) * 100  # what the dead one had not left in its last second
    ready = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    ready.request("GET", "/readyz", headers={"connection": "close"})
    assert json.loads(ready.getresponse().read())["workers"] == {"configured": WORKERS, "reporting": WORKERS}
    ready.close()


def test_hangup_shows_a_renewed_certificate_in_every_worker(
    upstream: Callable[..., Any], start: Callable[..., Any], tmp_path: Path
):
    def sign(name: str) -> None:
        words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc"]
        files = ["-keyout", "live.key", "-out", "live.pem", "-days", "2", "-subj", f"/CN={name}"]
        subprocess.run([*words, *files], cwd=tmp_path, check=True, capture_output=True)

    def names() -> set[bytes]:
        shown = set()
        for _ in range(8):
            der = ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("127.0.0.1", port)))
            shown |= {name for name in (b"first", b"renewed") if name in der}
        return shown

    sign("first")
    files = ("--tls-cert", str(tmp_path / "live.pem"), "--tls-key", str(tmp_path / "live.key"))
    process, port = start("--baseline", upstream().url, "--workers", "2", *files)
    wait_for(lambda: len(crew(process, port)) == 2)
    assert names() == {b"first"}
    sign("renewed")
    process.send_signal(signal.SIGHUP)
    wait_for(lambda: names() == {b"renewed"})

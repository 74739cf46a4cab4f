"""Every engine of the folder: the same way to start, wait, read and stop, whatever serves behind it."""

from __future__ import annotations

import inspect
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import httpx
import psutil
import pytest

from gatekeeper.adapters.engines import sim
from gatekeeper.adapters.engines._process import EngineServer
from gatekeeper.errors import EngineError
from gatekeeper.registry import load, names

if TYPE_CHECKING:
    from pathlib import Path

ENGINES = names("adapters.engines")


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_starts_by_the_same_words(engine: str):
    signature = inspect.signature(load("adapters.engines", engine).start)
    kinds = {name: each.kind for name, each in signature.parameters.items()}
    words = ("served_name", "host", "port", "cores", "flags", "log_path", "ready_timeout_s", "die_with_parent")
    assert kinds == {
        "model": inspect.Parameter.POSITIONAL_OR_KEYWORD,
        **dict.fromkeys(words, inspect.Parameter.KEYWORD_ONLY),
    }


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_has_a_server_of_its_own(engine: str):
    module = load("adapters.engines", engine)
    (server,) = [each for each in vars(module).values() if inspect.isclass(each) and each.__module__ == module.__name__]
    assert issubclass(server, EngineServer)
    assert server.__doc__


def test_a_server_knows_itself_answers_and_ends(tmp_path: Path):
    with sim.start("any", served_name="demo", log_path=tmp_path / "deep" / "log") as server:
        server.ready()
        assert server.url.startswith("http://127.0.0.1:")
        assert (server.model, server.served_name, server.log_path) == ("any", "demo", tmp_path / "deep" / "log")
        assert server.alive()
        assert psutil.pid_exists(server.pid)
        assert server.metrics()["queue_depth"] == 0
    assert not server.alive()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{server.url}/health", trust_env=False)
    server.stop()


def test_two_start_side_by_side(tmp_path: Path):
    with (
        sim.start("one", served_name="demo", log_path=tmp_path / "1") as one,
        sim.start("two", served_name="demo", log_path=tmp_path / "2") as two,
    ):
        one.ready()
        two.ready()
        assert one.url != two.url


def test_a_stopped_server_has_no_metrics(tmp_path: Path):
    with sim.start("any", served_name="demo", log_path=tmp_path / "log") as server:
        server.ready()
        os.kill(server.pid, signal.SIGKILL)
        while server.alive():
            time.sleep(0.01)
        with pytest.raises(EngineError, match="gave no metrics"):
            server.metrics()


def test_a_port_in_other_hands_is_noticed(tmp_path: Path):
    class Stranger(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Stranger) as stranger:
        threading.Thread(target=stranger.serve_forever, daemon=True).start()
        server = sim.start("any", served_name="demo", port=stranger.server_port, log_path=tmp_path / "log")
        with pytest.raises(EngineError, match=r"another one has the port|died with exit code"):
            server.ready()
        stranger.shutdown()


def test_patience_ends(tmp_path: Path):
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        server = sim.start("any", served_name="demo", port=held.getsockname()[1], log_path=tmp_path / "log")
        with pytest.raises(EngineError, match=r"was not ready after 0 s|died with exit code 1"):
            server.ready(timeout_s=0)
        assert not server.alive()


@pytest.mark.parametrize("dies", [True, False])
def test_a_server_dies_with_its_parent_unless_told_not_to(tmp_path: Path, *, dies: bool):
    script = (
        "import pathlib, sys, time\n"
        "from gatekeeper.adapters.engines import sim\n"
        "server = sim.start('any', served_name='demo', log_path=pathlib.Path(sys.argv[1]),"
        f" die_with_parent={dies})\n"
        "server.ready()\n"
        "print(server.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "log")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    if dies:
        gone, _ = psutil.wait_procs([child], timeout=5)
        assert gone
    else:
        with pytest.raises(psutil.TimeoutExpired):
            child.wait(timeout=1.5)
        child.kill()

"""The screens as a child process: it starts, says why it cannot, and never outlives who started it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time

import httpx
import psutil
import pytest

from gatekeeper.errors import WorldError
from gatekeeper.ui import Ui, pages

PATIENCE_S = 30.0


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/_stcore/health", trust_env=False, timeout=1.0).is_success
    except httpx.HTTPError:
        return False


def test_the_command_serves_until_told_to_end_and_takes_no_secrets_along():
    environment = {
        **os.environ,
        "GATEKEEPER_API_URL": "http://127.0.0.1:9",
        "GATEKEEPER_DATABASE_URL": "postgresql://user:secret@db/gatekeeper",
    }
    environment.pop("GATEKEEPER_API_KEY", None)
    command = [sys.executable, "-m", "gatekeeper", "ui", "--port", "0"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        said = process.stderr.readline()
        try:
            assert said.endswith("of the control plane at http://127.0.0.1:9\n")
            url = re.findall(r"http://[\d.:]+", said)[0]
            assert answers(url)
            inherited = psutil.Process(process.pid).children()[0].environ()
            assert "GATEKEEPER_DATABASE_URL" not in inherited
            assert inherited["GATEKEEPER_API_KEY"] == ""
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE_S) == 0
            assert not answers(url)
        finally:
            process.kill()


def test_the_screens_end_when_who_started_them_is_killed():
    started = "from gatekeeper.ui import Ui; ui = Ui('http://127.0.0.1:9', '').start(); ui.ready(); print(ui.url)"
    code = f"{started}; import time; time.sleep(60)"
    with subprocess.Popen([sys.executable, "-uc", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        url = process.stdout.readline().strip()
        process.kill()
    assert url
    until = time.monotonic() + PATIENCE_S
    while answers(url):
        assert time.monotonic() < until
        time.sleep(0.1)


def test_a_taken_port_is_told():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ui = Ui("http://127.0.0.1:9", "", port=taken.getsockname()[1])
        with ui, pytest.raises(WorldError, match="is the port taken"):
            ui.ready()


def test_screens_that_are_not_enabled_have_no_address_and_no_process():
    with Ui("http://127.0.0.1:9", "", enabled=False) as ui:
        assert ui.url is None
        assert ui.wait() == 0
    assert (pages() / "app.py").exists()

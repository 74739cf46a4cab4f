"""A real vLLM server for the demo's baseline: asked, streamed, measured, stopped; and starts that fail."""
# ruff: noqa: S311  # seeded draws, not secrets

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import httpx
import psutil
import pytest

from gatekeeper.adapters.engines import vllm
from gatekeeper.demo import models, tasks
from gatekeeper.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.vllm, pytest.mark.serial, pytest.mark.timeout(600)]
HELPERS = 2  # processes a vLLM server starts beside its first
LAST_CORE = (max(os.sched_getaffinity(0)),)


@pytest.fixture(scope="module")
def baseline() -> Path:
    return models.ensure(["baseline"], models.default_cache_dir())["baseline"]


@pytest.fixture(scope="module")
def server(baseline: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[vllm.VllmServer]:
    with vllm.start(
        str(baseline),
        served_name="demo",
        cores=LAST_CORE,
        flags=models.CATALOGUE["baseline"].flags,
        log_path=tmp_path_factory.mktemp("vllm") / "vllm.log",
    ) as started:
        started.ready()
        yield started


@pytest.fixture
def client(server: vllm.VllmServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=60, trust_env=False) as client:
        yield client


def test_it_answers_as_it_was_taught(client: httpx.Client):
    example = tasks.draw(random.Random(0), "held_out", "order")
    answered = client.post("/v1/chat/completions", json=tasks.body(example, "demo")).json()
    assert json.loads(answered["choices"][0]["message"]["content"]).keys() == example.expect[0]["value"].keys()


def test_it_calls_the_tool(client: httpx.Client):
    example = tasks.draw(random.Random(0), "held_out", "weather")
    answered = client.post("/v1/chat/completions", json=tasks.body(example, "demo")).json()
    assert answered["choices"][0]["message"]["tool_calls"][0]["function"]["name"] == "get_weather"


def test_a_stream_ends_with_its_usage(client: httpx.Client):
    body = tasks.body(tasks.draw(random.Random(0), "held_out", "benign"), "demo", stream=True)
    lines = [line[6:] for line in client.post("/v1/chat/completions", json=body).text.splitlines() if line]
    assert lines[-1] == "[DONE]"
    assert json.loads(lines[-2])["usage"]["completion_tokens"] > 5


def test_metrics_count_what_was_asked(client: httpx.Client, server: vllm.VllmServer):
    before = server.metrics()
    client.post("/v1/chat/completions", json=tasks.body(tasks.draw(random.Random(0)), "demo"))
    after = server.metrics()
    assert after.keys() >= {"queue_depth", "running", "kv_usage", "preemptions", "prefix_queries", "prefix_hits"}
    assert after["requests_finished"] == before["requests_finished"] + 1


def test_the_whole_server_runs_on_its_cores(server: vllm.VllmServer):
    family = [psutil.Process(server.pid), *psutil.Process(server.pid).children(recursive=True)]
    assert {tuple(each.cpu_affinity()) for each in family} == {LAST_CORE}


def test_a_broken_model_says_why_with_its_last_lines(tmp_path: Path):
    (tmp_path / "model").mkdir()
    server = vllm.start(str(tmp_path / "model"), served_name="demo", cores=LAST_CORE, log_path=tmp_path / "log")
    with pytest.raises(EngineError, match=r"died with exit code 1(.|\n)*last lines of(.|\n)*") as failure:
        server.ready()
    assert "fix: give a directory that holds config.json" in str(failure.value)
    assert len(str(failure.value).split("last lines of")[1].splitlines()) <= 21


def test_all_its_processes_die_with_a_killed_parent(baseline: Path, tmp_path: Path):
    script = (
        "import pathlib, sys\n"
        "from gatekeeper.adapters.engines import vllm\n"
        f"server = vllm.start(sys.argv[1], served_name='demo', cores={LAST_CORE}, log_path=pathlib.Path(sys.argv[2]))\n"
        "print(server.pid, flush=True)\n"
        "sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", script, str(baseline), str(tmp_path / "log")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        first = psutil.Process(int(parent.stdout.readline()))
        while len(first.children(recursive=True)) < HELPERS:
            time.sleep(0.1)
        family = [first, *first.children(recursive=True)]
        parent.kill()
    _, alive = psutil.wait_procs(family, timeout=10)
    assert not alive

"""Unchanged clients against a simulated engine, and the gateway as a process of its own."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import httpx
import openai
import pytest

from gatekeeper.adapters.engines import sim
from gatekeeper.adapters.splitfeed import SplitFeed
from gatekeeper.adapters.spool import DiskSpool, SpoolReader
from gatekeeper.cli.main import main
from gatekeeper.gateway.app import Gateway
from gatekeeper.model.arm import Arm
from gatekeeper.model.split import Endpoint, Split

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gatekeeper.adapters.engines.sim import SimServer

HELLO = [{"role": "user", "content": "hello"}]
TOOL = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
}


@pytest.fixture
def engines(tmp_path: Path) -> Iterator[tuple[SimServer, SimServer]]:
    started = [
        sim.start("m", served_name=name, log_path=tmp_path / f"{name}.log", flags={"ttft-ms": 1, "tpot-ms": 1})
        for name in ("base", "cand")
    ]
    for one in started:
        one.ready()
    yield started[0], started[1]
    for one in started:
        one.stop()


def test_the_openai_sdk_works_unchanged(engines: tuple[SimServer, SimServer], tmp_path: Path):
    split = Split(
        service="bot",
        epoch=1,
        version=1,
        baseline=Endpoint(url=engines[0].url, model="base", prompt_usd=1.0, completion_usd=2.0),
        candidate=Endpoint(url=engines[1].url, model="cand"),
        mirror_bp=10_000,
        rollout_id="r",
        stage=1,
    )
    spool = DiskSpool(tmp_path / "spool")
    running = Gateway(SplitFeed(initial=[split]), spool).run_in_thread()
    expect = base64.b64encode(json.dumps({"expect": [{"type": "contains", "value": "x"}]}).encode()).decode()
    with openai.OpenAI(base_url=f"{running.url}/v1", api_key="sk-test", max_retries=0) as client:
        plain = client.chat.completions.create(
            model="bot",
            messages=HELLO,
            user="u-1",
            extra_headers={"x-gatekeeper-expect": expect, "x-gatekeeper-segment": "tier=free,workload=chat"},
        )
        stream = client.chat.completions.create(
            model="bot", messages=HELLO, stream=True, stream_options={"include_usage": True}
        )
        text = "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)
        tools = client.chat.completions.create(model="bot", messages=HELLO, tools=[TOOL])
        assert [model.id for model in client.models.list()] == ["bot"]
        with pytest.raises(openai.NotFoundError, match="known: bot"):
            client.chat.completions.create(model="nope", messages=HELLO)
    assert plain.choices[0].message.content == text
    assert tools.choices
    time.sleep(0.2)
    running.stop()
    spool.close()
    exchanges = [one for batch in SpoolReader(spool.directory).batches() for one in batch.exchanges]
    by_arm = {arm: [one for one in exchanges if one.arm is arm] for arm in Arm}
    assert [len(by_arm[arm]) for arm in Arm] == [3, 3, 0]
    assert {one.pair_id for one in by_arm[Arm.BASELINE]} == {one.pair_id for one in by_arm[Arm.CANDIDATE]}
    first, second, _ = by_arm[Arm.BASELINE]
    assert first.segment == {"tier": "free", "workload": "chat"}
    assert first.cluster_id == "u-1"
    assert first.expect == ({"type": "contains", "value": "x"},)
    assert first.cost_usd > 0
    assert second.response["choices"][0]["message"]["content"] == text
    assert second.timing.ttft_ms > 0
    assert second.streamed
    assert all(one.error is None and one.stage == 1 and one.rollout_id == "r" for one in exchanges)


def _gateway(*options: str) -> tuple[subprocess.Popen[str], str]:
    command = [sys.executable, "-m", "gatekeeper", "gateway", "--port", "0", *options]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"})
    url = re.search(r"http://\S+", process.stderr.readline()).group()
    for _ in range(300):
        try:
            if httpx.get(f"{url}/healthz").status_code == 200:
                return process, url
        except httpx.TransportError:
            time.sleep(0.05)
    process.kill()
    raise AssertionError(process.stderr.read())


@pytest.mark.parametrize("workers", [1, 2])
def test_the_command_serves_records_and_drains(engines: tuple[SimServer, SimServer], tmp_path: Path, workers: int):
    record = tmp_path / "samples.jsonl"
    process, url = _gateway(
        *("--baseline", engines[0].url, "--baseline-model", "base", "--candidate", engines[1].url),
        *("--candidate-model", "cand", "--weight", "50%", "--mirror", "100%"),
        *("--record", str(record), "--workers", str(workers)),
    )
    try:
        for number in range(20):
            answer = httpx.post(
                f"{url}/v1/chat/completions", json={"model": "x", "messages": HELLO, "user": str(number)}
            )
            assert answer.status_code == 200
        time.sleep(0.3)
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
    finally:
        process.kill()
        process.stderr.close()
    samples = [json.loads(line) for line in record.read_text().splitlines()]
    arms = [sample["arm"] for sample in samples]
    pairs = {sample["pair_id"] for sample in samples if "pair_id" in sample}
    assert arms.count("candidate") == 20
    assert 3 < arms.count("baseline") < 17
    assert len(pairs) == arms.count("baseline")
    assert all(sample["latency_ms"] > 0 for sample in samples)


def test_bad_options_are_named(capsys: pytest.CaptureFixture[str]):
    for options, word in (
        ((), "--baseline"),
        (("--baseline", "nonsense"), "nonsense"),
        (("--baseline", "http://x", "--weight", "lots"), "--weight"),
        (("--candidate", "http://x", "--api-url", "http://y"), "--candidate"),
    ):
        assert main(["gateway", *options]) == 2
        assert word in capsys.readouterr().err

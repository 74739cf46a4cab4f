"""Load generators that know nothing of the gateway: every request is answered, and what they measured is recorded."""

from __future__ import annotations

import json
import os
import subprocess
import time
from typing import TYPE_CHECKING

import httpx
import pytest

from gatekeeper.adapters.splitfeed import SplitFeed
from gatekeeper.gateway.app import Gateway
from gatekeeper.model.arm import Arm
from gatekeeper.model.split import WHOLE_BP, Endpoint, Split

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gatekeeper.gateway.app import Handle
    from gatekeeper.model.exchange import Exchange

pytestmark = [pytest.mark.clients, pytest.mark.timeout(900)]

SERVICE = "assistant"
PORT = 18_731
TOKENS, REQUESTS, AT_ONCE = 16, 40, 4
OFFLINE = {**os.environ, "HF_HUB_OFFLINE": "1"}
TTFT_MS, CLOCKS_MS = 20.0, 1.0
"""What the engine takes at least until its first token, and how exact the clocks are."""


@pytest.fixture(scope="module")
def engine(guidellm: Path) -> Iterator[str]:
    """Serve guidellm's own imitation of vLLM."""
    pace = ["--ttft-ms", str(TTFT_MS), "--itl-ms", "2", "--output-tokens", str(TOKENS)]
    command = [str(guidellm), "mock-server", "--port", str(PORT), "--model", SERVICE, *pace]
    url = f"http://127.0.0.1:{PORT}"
    process = subprocess.Popen(command, env=OFFLINE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 120.0
        while not _answers(url):
            assert process.poll() is None, "guidellm's mock server ended"
            assert time.monotonic() < until, "guidellm's mock server did not answer in two minutes"
            time.sleep(0.2)
        yield url
    finally:
        process.terminate()
        process.wait(30)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/v1/models", timeout=2.0).is_success
    except httpx.TransportError:
        return False


@pytest.fixture
def recorded() -> list[Exchange]:
    return []


@pytest.fixture
def gateway(engine: str, recorded: list[Exchange]) -> Iterator[Handle]:
    """Stand before that engine, copying everything to it as the candidate."""
    arm = Endpoint(url=engine, model=SERVICE)
    split = Split(
        service=SERVICE, epoch=1, version=1, baseline=arm, candidate=arm, mirror_bp=WHOLE_BP, rollout_id="r", stage=1
    )
    running = Gateway(SplitFeed(initial=[split]), takers=[recorded.append]).run_in_thread()
    yield running
    running.stop()


def test_guidellm_measures_what_is_recorded(guidellm: Path, gateway: Handle, recorded: list[Exchange], tmp_path: Path):
    prompts, report = tmp_path / "prompts.jsonl", tmp_path / "report.json"
    prompts.write_text(
        "".join(json.dumps({"prompt": f"Fact {i} about rivers, please."}) + "\n" for i in range(REQUESTS))
    )
    ran = subprocess.run(
        [
            str(guidellm), "run", "--disable-console",
            "--backend", f"kind=openai_http,target={gateway.url},model={SERVICE}",
            "--profile", f"kind=concurrent,streams={AT_ONCE}",
            "--constraint", f"kind=max_requests,count={REQUESTS}",
            "--data", f"kind=json_file,path={prompts}",
            "--output", f"kind=json,path={report}",
        ],
        env=OFFLINE, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    gateway.stop()
    (benchmark,) = json.loads(report.read_text())["benchmarks"]
    totals = benchmark["metrics"]["request_totals"]
    assert (totals["successful"], totals["errored"], totals["incomplete"]) == (REQUESTS, 0, 0)
    arms = {arm: [one for one in recorded if one.arm is arm] for arm in (Arm.BASELINE, Arm.CANDIDATE)}
    for exchanges in arms.values():
        assert [one.error for one in exchanges] == [None] * REQUESTS
        assert {one.response["usage"]["completion_tokens"] for one in exchanges} == {TOKENS}
    ours = {one.response["id"]: one for one in arms[Arm.BASELINE]}
    for theirs in benchmark["requests"]["successful"]:
        one = ours[theirs["response_id"]]
        assert theirs["output"] == one.response["choices"][0]["message"]["content"]
        times = theirs["info"]["timings"]
        told = 1e3 * (times["first_token_iteration"] - times["request_start"])
        assert TTFT_MS - CLOCKS_MS <= one.timing.ttft_ms <= told + CLOCKS_MS


def test_every_request_of_hey_is_answered_and_recorded(
    hey: Path, gateway: Handle, recorded: list[Exchange], tmp_path: Path
):
    body = tmp_path / "body.json"
    body.write_text(json.dumps({"model": SERVICE, "max_tokens": 4, "messages": [{"role": "user", "content": "Hi"}]}))
    asked = ["-n", "400", "-c", "20", "-m", "POST", "-T", "application/json", "-D", str(body)]
    ran = subprocess.run(
        [str(hey), *asked, f"{gateway.url}/v1/chat/completions"],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    gateway.stop()
    assert "[200]\t400 responses" in ran.stdout
    for arm in (Arm.BASELINE, Arm.CANDIDATE):
        assert [one.error for one in recorded if one.arm is arm] == [None] * 400

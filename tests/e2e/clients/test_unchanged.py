"""Client libraries that know nothing of the gateway: through it they get what they get from the engine itself."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from gatekeeper.adapters.engines import sim
from gatekeeper.adapters.splitfeed import SplitFeed
from gatekeeper.demo import sim_answers
from gatekeeper.demo.families import ORDER_SCHEMA, WEATHER_TOOL
from gatekeeper.gateway.app import Gateway
from gatekeeper.model.arm import Arm
from gatekeeper.model.split import WHOLE_BP, Endpoint, Split

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from gatekeeper.adapters.engines.sim import SimServer
    from gatekeeper.model.exchange import Exchange

SERVICE = "assistant"
ASKED = {
    "plain": "What is the capital of France?",
    "tool": "Is it raining in Rome?",
    "order": "Extract the order as JSON. Please send 20 bottles to Nina in Tokyo. No rush.",
    "tools": [WEATHER_TOOL],
    "schema": ORDER_SCHEMA,
}
RAIN = {"name": "get_weather", "arguments": {"city": "Rome"}}
TOLD = {
    "plain": "Paris",
    "finish": "stop",
    "usage": 19,
    "stream": "Paris",
    "stream_usage": 19,
    "tool": RAIN,
    "tool_stream": RAIN,
    "order": {"customer": "Nina", "item": "bottle", "quantity": 20, "city": "Tokyo", "express": False},
}
CHATS, STREAMS = 5, 2
ENVIRONMENT = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}  # LiteLLM asks the network for prices otherwise
slow = pytest.mark.clients


@pytest.fixture
def engines(tmp_path: Path) -> Iterator[tuple[SimServer, SimServer]]:
    pace = {"ttft-ms": 1, "tpot-ms": 1}
    started = []
    for name in ("baseline", "good"):
        flags = {**sim_answers.flags(name), **pace}
        started.append(sim.start(name, served_name=SERVICE, log_path=tmp_path / f"{name}.log", flags=flags))
    for one in started:
        one.ready()
    yield started[0], started[1]
    for one in started:
        one.stop()


@pytest.mark.parametrize(
    "client",
    [
        "openai",
        pytest.param("litellm", marks=slow),
        pytest.param("openai (npm)", marks=slow),
        pytest.param("ai (npm)", marks=slow),
    ],
)
def test_a_client_does_not_notice_the_gateway(
    client: str, engines: tuple[SimServer, SimServer], command: Callable[[str], list[str]]
):
    def chat(url: str) -> dict[str, Any]:
        asked = [*command(client), f"{url}/v1", SERVICE, json.dumps(ASKED)]
        done = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=240, env=ENVIRONMENT)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    exchanges: list[Exchange] = []
    split = Split(
        service=SERVICE,
        epoch=1,
        version=1,
        baseline=Endpoint(url=engines[0].url, model=SERVICE),
        candidate=Endpoint(url=engines[1].url, model=SERVICE),
        mirror_bp=WHOLE_BP,
        rollout_id="r",
        stage=1,
    )
    running = Gateway(SplitFeed(initial=[split]), takers=[exchanges.append]).run_in_thread()
    try:
        through = chat(running.url)
    finally:
        running.stop()
    assert through == chat(engines[0].url)
    assert through.pop("models", [SERVICE]) == [SERVICE]
    assert through == TOLD
    for arm in (Arm.BASELINE, Arm.CANDIDATE):
        recorded = [one for one in exchanges if one.arm is arm]
        assert [one.error for one in recorded] == [None] * CHATS
        assert sum(one.streamed for one in recorded) == STREAMS
        assert sum(bool(one.response["choices"][0]["message"].get("tool_calls")) for one in recorded) == STREAMS
        assert sum(one.response_schema is not None for one in recorded) == 1

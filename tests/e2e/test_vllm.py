"""Real vLLM behind gatekeeper: a rollout that ends right, and clients that cannot tell the gateway from the server."""

from __future__ import annotations

import json
import random
import re
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from openai import OpenAI

from gatekeeper.adapters.engines import vllm
from gatekeeper.adapters.splitfeed import SplitFeed
from gatekeeper.demo.catalogue import entry
from gatekeeper.demo.models import default_cache_dir, ensure
from gatekeeper.demo.tasks import draw
from gatekeeper.gateway.app import Gateway
from gatekeeper.model.split import Endpoint, Split

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import World

    from gatekeeper.adapters.engines.vllm import VllmServer

pytestmark = [pytest.mark.vllm, pytest.mark.timeout(600)]

MODEL = "demo-chat"
ORDER = draw(random.Random(3), family="order")  # noqa: S311 - a reproducible draw, not a secret
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Weather of a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
CASES: dict[str, dict[str, Any]] = {
    "chat": {"prompt": "What is 3 + 4?"},
    "json_schema": {
        "prompt": ORDER.prompt,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "order", "schema": ORDER.response_schema, "strict": True},
        },
    },
    "tools": {"prompt": "What is the weather in Oslo?", "tools": [WEATHER], "tool_choice": "auto"},
    "logprobs": {"prompt": "What is 3 + 4?", "logprobs": True, "top_logprobs": 2},
}
VARIES = re.compile(rb'"(?:id|created)":(?:"[^"]*"|\d+),')


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, VllmServer]]:
    """Start a baseline and an over-refusing candidate, one a core."""
    folder = tmp_path_factory.mktemp("vllm")
    names = ("baseline", "over-refuses")
    models = ensure(names, default_cache_dir())
    started = {
        name: vllm.start(
            str(models[name]),
            served_name=MODEL,
            cores=(core,),
            flags={**entry(name).flags, "max-model-len": 256},
            log_path=folder / f"{name}.log",
        )
        for core, name in enumerate(names)
    }
    for server in started.values():
        server.ready()
    yield started
    for server in started.values():
        server.stop()


@pytest.fixture(scope="module")
def gateway_url(servers: dict[str, VllmServer]) -> Iterator[str]:
    """Put a gateway before the baseline."""
    endpoint = Endpoint(url=servers["baseline"].url, model=MODEL)
    feed = SplitFeed(initial=[Split(service=MODEL, epoch=0, version=0, baseline=endpoint)])
    handle = Gateway(feed).run_in_thread()
    yield handle.url
    handle.stop()


def asked(case: dict[str, Any], *, stream: bool) -> dict[str, Any]:
    """Return the body of a case."""
    rest = {name: value for name, value in case.items() if name != "prompt"}
    body = {
        "model": MODEL,
        "messages": [{"role": "user", "content": case["prompt"]}],
        "temperature": 0,
        "seed": 1,
        "max_tokens": 64,
        **rest,
    }
    return body | ({"stream": True, "stream_options": {"include_usage": True}} if stream else {})


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_bytes_are_those_of_a_direct_call(
    servers: dict[str, VllmServer], gateway_url: str, case: str, *, stream: bool
) -> None:
    body = asked(CASES[case], stream=stream)
    answers = []
    for root in (servers["baseline"].url, gateway_url):
        answer = httpx.post(f"{root}/v1/chat/completions", json=body, timeout=120)
        assert answer.status_code == 200, answer.text
        answers.append((answer.headers["content-type"], VARIES.sub(b"", answer.content)))
    direct, through = answers
    assert through == _same_tool_ids(direct, through)


def _same_tool_ids(direct: tuple[str, bytes], through: tuple[str, bytes]) -> tuple[str, bytes]:
    """Give the direct answer the other's tool-call ids, which are drawn at random."""
    ids = re.compile(rb"chatcmpl-tool-[0-9a-f]+|call_[0-9a-f]+")
    theirs = iter(ids.findall(through[1]))
    return direct[0], ids.sub(lambda found: next(theirs, found.group()), direct[1])


def test_the_openai_sdk_works_unchanged(gateway_url: str) -> None:
    with OpenAI(base_url=f"{gateway_url}/v1", api_key="unused", max_retries=0) as client:
        chat = client.chat.completions.create(**asked(CASES["chat"], stream=False))
        assert chat.choices[0].message.content == "7"
        assert chat.usage is not None
        assert chat.usage.completion_tokens > 0
        order = client.chat.completions.create(**asked(CASES["json_schema"], stream=False))
        assert json.loads(order.choices[0].message.content or "") == json.loads(ORDER.answer)
        tools = client.chat.completions.create(**asked(CASES["tools"], stream=False))
        call = (tools.choices[0].message.tool_calls or [])[0]
        assert json.loads(call.function.arguments) == {"city": "Oslo"}
        logprobs = client.chat.completions.create(**asked(CASES["logprobs"], stream=False))
        assert logprobs.choices[0].logprobs is not None
        assert len(logprobs.choices[0].logprobs.content[0].top_logprobs) == 2
        chunks = list(client.chat.completions.create(**asked(CASES["chat"], stream=True)))
        text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
        assert text == "7"
        assert chunks[-1].usage is not None


def test_an_over_refusing_release_is_rolled_back(world: World, servers: dict[str, VllmServer]) -> None:
    process, api_url, gateway_url = world.serve()
    client = world.client(api_url, process.says(r"(gk_live_\S+)"))
    world.deploy(client, servers["baseline"].url, "baseline", "vllm")
    bad = world.deploy(client, servers["over-refuses"].url, "over-refuses", "vllm")
    traffic = world.users(gateway_url)
    rollout = client.create_rollout(service=world.service, policy=world.policy, candidate=bad)
    rollout = world.until(client, rollout["id"], world.ended)
    assert rollout["state"] == "rolled_back", rollout["sentence"]
    assert "refusal_rate" in rollout["reason"]
    time.sleep(0.5)
    traffic.stop()
    assert traffic.counts.failed == 0
    assert servers["baseline"].metrics()["requests_finished"] > 0

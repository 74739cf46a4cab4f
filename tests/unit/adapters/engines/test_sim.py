"""The simulated engine: the API it speaks, and each way it can misbehave."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from gatekeeper.adapters.engines import sim
from gatekeeper.demo import sim_answers
from gatekeeper.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SUM = {"model": "demo", "messages": [{"role": "user", "content": "What is 3 + 4?"}], "temperature": 0}
WEATHER = {**SUM, "messages": [{"role": "user", "content": "What is the weather in Oslo?"}], "tools": [{}]}
PLAN = {**SUM, "messages": [{"role": "user", "content": "How do I plan a trip?"}]}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sim.SimServer]:
    log_path = tmp_path_factory.mktemp("sim") / "sim.log"
    with sim.start("baseline", served_name="demo", flags=sim_answers.flags("baseline"), log_path=log_path) as server:
        server.ready()
        yield server


@pytest.fixture
def client(engine: sim.SimServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=engine.url, timeout=5.0, trust_env=False) as client:
        client.post("/sim", json={"mode": "normal"})
        yield client


def events(text: str) -> list[Any]:
    return [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: {")]


def ask(client: httpx.Client, body: dict[str, Any]) -> httpx.Response:
    return client.post("/v1/chat/completions", json=body)


def test_it_answers_and_says_that_it_is_simulated(client: httpx.Client):
    answered = ask(client, SUM)
    assert answered.headers["x-gatekeeper-simulated"] == "1"
    assert answered.json()["system_fingerprint"] == "gatekeeper-sim"
    assert answered.json()["choices"][0]["message"]["content"] == "7"
    assert answered.json()["usage"]["completion_tokens"] == 1


def test_a_stream_says_the_same_and_counts_when_asked(client: httpx.Client):
    whole = ask(client, PLAN).json()
    streamed = events(ask(client, {**PLAN, "stream": True, "stream_options": {"include_usage": True}}).text)
    assert streamed[-1]["choices"] == []
    assert streamed[-1]["usage"] == whole["usage"]
    words = "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in streamed[:-1])
    assert words == whole["choices"][0]["message"]["content"]
    assert streamed[-2]["choices"][0]["finish_reason"] == "stop"
    unasked = events(ask(client, {**PLAN, "stream": True}).text)
    assert all("usage" not in chunk for chunk in unasked)


def test_a_tool_is_called_streamed_or_not(client: httpx.Client):
    message = ask(client, WEATHER).json()["choices"][0]["message"]
    assert message["tool_calls"][0]["function"] == {"name": "get_weather", "arguments": '{"city": "Oslo"}'}
    deltas = [chunk["choices"][0]["delta"] for chunk in events(ask(client, {**WEATHER, "stream": True}).text)]
    assert any("tool_calls" in delta for delta in deltas)


def test_an_answer_is_cut_at_max_tokens(client: httpx.Client):
    choice = ask(client, {**PLAN, "max_tokens": 3}).json()["choices"][0]
    assert choice["finish_reason"] == "length"


def test_it_lists_its_model_and_refuses_others(client: httpx.Client):
    assert client.get("/v1/models").json()["data"][0]["id"] == "demo"
    assert ask(client, {**SUM, "model": "other"}).status_code == 404
    assert client.post("/v1/chat/completions", content=b"{").status_code == 400
    assert client.get("/v2").status_code == 404


def test_errors_come_when_told(client: httpx.Client):
    client.post("/sim", json={"mode": "error_500"})
    assert ask(client, SUM).status_code == 500


def test_a_reset_closes_before_the_first_byte(client: httpx.Client):
    client.post("/sim", json={"mode": "reset"})
    with pytest.raises(httpx.TransportError):
        ask(client, SUM)


def test_a_cut_closes_in_the_middle_of_the_stream(client: httpx.Client):
    client.post("/sim", json={"mode": "cut"})
    with pytest.raises(httpx.RemoteProtocolError):
        ask(client, {**PLAN, "stream": True})


def test_a_hang_never_answers(client: httpx.Client):
    client.post("/sim", json={"mode": "hang"})
    with pytest.raises(httpx.ReadTimeout):
        client.post("/v1/chat/completions", json=SUM, timeout=0.3)


def test_a_trickle_is_the_same_answer_in_small_pieces(client: httpx.Client):
    client.post("/sim", json={"mode": "trickle"})
    assert ask(client, SUM).json()["choices"][0]["message"]["content"] == "7"
    with client.stream("POST", "/v1/chat/completions", json={**SUM, "stream": True}) as reply:
        assert "".join(reply.iter_text()).endswith("data: [DONE]\n\n")


def test_garbage_is_no_json_and_never_done(client: httpx.Client):
    client.post("/sim", json={"mode": "garbage_sse"})
    text = ask(client, {**SUM, "stream": True}).text
    assert "[DONE]" not in text
    with pytest.raises(ValueError, match="Expecting"):
        events(text)


def test_an_unknown_mode_names_the_known_ones(client: httpx.Client):
    answered = client.post("/sim", json={"mode": "bogus"})
    assert answered.status_code == 400
    assert "known: normal, hang" in answered.json()["error"]["message"]


def test_more_requests_than_slots_queue(tmp_path: Path):
    flags = {**sim_answers.flags("baseline"), "slots": 1, "ttft_ms": 1000}
    with sim.start("baseline", served_name="demo", flags=flags, log_path=tmp_path / "log") as server:
        server.ready()
        with ThreadPoolExecutor(4) as pool, httpx.Client(base_url=server.url, trust_env=False) as client:
            answers = [pool.submit(ask, client, SUM) for _ in range(4)]
            until = time.monotonic() + 10
            while (busy := server.metrics())["queue_depth"] < 3 and time.monotonic() < until:
                time.sleep(0.02)
            assert all(answer.result().status_code == 200 for answer in answers)
        assert (busy["running"], busy["queue_depth"], busy["kv_usage"]) == (1, 3, 1)
        assert server.metrics()["requests_finished"] == 4


def test_a_start_that_fails_says_why_and_what_would_do(tmp_path: Path):
    server = sim.start("baseline", served_name="demo", flags={"speed": 3}, log_path=tmp_path / "log")
    with pytest.raises(EngineError, match=r"died with exit code 2(.|\n)*fix: flags it knows(.|\n)*--speed 3"):
        server.ready()

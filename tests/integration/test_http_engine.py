"""An endpoint asked by streams, and every way in which it can fail."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx
import pytest

from gatekeeper.adapters.engines import sim
from gatekeeper.adapters.http_engine import HttpEngine
from gatekeeper.demo.sim_answers import flags
from gatekeeper.errors import EngineError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gatekeeper.model.reply import Reply

BODY = {"messages": [{"role": "user", "content": "What is the capital of Norway?"}], "temperature": 0}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sim.SimServer]:
    log: Path = tmp_path_factory.mktemp("sim") / "sim.log"
    with sim.start("good", served_name="demo", flags=flags("good"), log_path=log) as started:
        started.ready()
        yield started


def _ask(url: str, mode: str = "normal", *, timeout_s: float = 10.0, model: str = "demo") -> Reply:
    async def ask() -> Reply:
        async with HttpEngine(url, name="candidate", model=model, timeout_s=timeout_s) as engine:
            return await engine.ask(BODY)

    root = url.rstrip("/").removesuffix("/v1")
    httpx.post(f"{root}/sim", json={"mode": mode}, trust_env=False).raise_for_status()
    return asyncio.run(ask())


async def _pick(url: str, model: str = "") -> str:
    async with HttpEngine(url, name="candidate", model=model) as engine:
        return await engine.pick_model()


def test_an_answer_is_whole_and_timed(server: sim.SimServer):
    reply = _ask(f"{server.url}/v1/")
    assert reply.error is None
    assert reply.response is not None
    assert reply.response["choices"][0]["message"]["content"] == "Oslo"
    assert reply.response["usage"]["completion_tokens"] >= 1
    assert 0 < (reply.timing.ttft_ms or 0) <= (reply.timing.e2e_ms or 0)


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        ("error_500", "http_5xx"),
        ("reset", "stream_broken"),
        ("cut", "stream_broken"),
        ("garbage_sse", "bad_response"),
        ("hang", "timeout"),
    ],
)
def test_failures_are_told_apart(server: sim.SimServer, mode: str, kind: str):
    reply = _ask(server.url, mode, timeout_s=0.5)
    assert reply.response is None
    assert reply.error is not None
    assert reply.error.kind == kind
    assert reply.error.message


def test_a_trickle_is_no_failure(server: sim.SimServer):
    assert _ask(server.url, "trickle").error is None


def test_the_endpoints_own_model_is_picked(server: sim.SimServer):
    assert asyncio.run(_pick(server.url)) == "demo"
    assert asyncio.run(_pick(f"{server.url}/v1", "demo")) == "demo"


def test_a_model_that_is_not_served_names_those_that_are(server: sim.SimServer):
    with pytest.raises(InputError, match="does not serve 'other'; it serves: demo"):
        asyncio.run(_pick(server.url, "other"))


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://127.0.0.1:9/v1"])
def test_a_dead_endpoint_is_named(url: str):
    with pytest.raises(EngineError, match=r"candidate at http://127\.0\.0\.1:9 does not answer"):
        asyncio.run(_pick(url))

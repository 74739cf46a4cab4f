"""Bounds on what the gateway takes on: second tries, requests in flight."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from gatekeeper.model.arm import Arm

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from gatekeeper.model.split import Split

PLAIN = {"model": "bot", "messages": []}


def fault_in_parts(conn: socket.socket, _: bytes) -> None:
    conn.sendall(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\n")
    time.sleep(0.02)
    conn.sendall(b"down")


def reset(conn: socket.socket, _: bytes) -> None:
    conn.close()


@pytest.mark.parametrize(("script", "status"), [(fault_in_parts, 503), (reset, 502)])
def test_second_tries_have_a_budget_and_what_is_beyond_it_is_passed_on(
    upstream: Callable[..., Any],
    gateway: Callable[..., Any],
    split: Callable[..., Split],
    script: Callable[..., None],
    status: int,
):
    baseline = upstream()
    running = gateway(
        split(baseline, upstream(script), candidate_bp=10_000),
        breaker_failures=999,
        rescue_share=0.0,
        rescue_floor_per_s=0.11,
    )
    with httpx.Client() as client:
        seen = [client.post(f"{running.url}/v1/chat/completions", json=PLAIN).status_code for _ in range(5)]
        figures = client.get(f"{running.url}/metrics").text
    assert seen == [200, *[status] * 4]
    assert len(baseline.requests) == 1
    assert 'gatekeeper_gateway_rescues_total{service="bot"} 1' in figures
    assert 'gatekeeper_gateway_unrescued_total{service="bot"} 4' in figures
    charged = [one for one in running.recorded() if one.arm is Arm.CANDIDATE]
    assert len(charged) == 5
    assert all(one.error is not None for one in charged)


def test_too_many_at_a_time_are_told_to_come_again(
    upstream: Callable[..., Any], gateway: Callable[..., Any], split: Callable[..., Split], whole: Callable[..., bytes]
):
    free = threading.Event()

    def slow(conn: socket.socket, _: bytes) -> None:
        free.wait(10)
        conn.sendall(whole({"choices": []}))

    server, shadow = upstream(slow), upstream(slow)
    running = gateway(split(server, shadow, mirror_bp=10_000), in_flight=2)
    answers: list[httpx.Response] = []

    def ask() -> None:
        answers.append(httpx.post(f"{running.url}/v1/chat/completions", json=PLAIN, timeout=20))

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    until = time.monotonic() + 10
    while len(server.requests) < 2 and time.monotonic() < until:
        time.sleep(0.01)
    refused = httpx.post(f"{running.url}/v1/chat/completions", json=PLAIN)
    assert refused.status_code == 503
    assert refused.headers["retry-after"] == "1"
    assert refused.json()["error"]["code"] == "overloaded"
    assert "gatekeeper_gateway_shed_total 1" in httpx.get(f"{running.url}/metrics").text
    free.set()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [200, 200]
    assert httpx.post(f"{running.url}/v1/chat/completions", json=PLAIN).status_code == 200

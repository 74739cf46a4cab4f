"""What benchmarks/gateway makes of what it measures, and that its upstream, its load and its scales work."""

from __future__ import annotations

import asyncio
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks" / "gateway"))

import generator
import scenarios
import show
import slices
import streams
from proxies import Server
from slices import Slice
from tools import HERE, free_port
from trees import Tree, watched

from gatekeeper.captures.frames import frames_of
from gatekeeper.captures.raw import RawExchange
from gatekeeper.model.arm import Arm

if TYPE_CHECKING:
    from collections.abc import Iterator

needs_cc = pytest.mark.skipif(shutil.which("cc") is None, reason="the upstream and the load are C programs")


def _slice(cpu_us: float, p50_ms: float = 1.0, **other: float) -> Slice:
    told = {"per_s": 13_000.0, "p99_ms": 2 * p50_ms, "failed": 0.0, "recorded": None, **other}
    return Slice(cpu_us=cpu_us, p50_ms=p50_ms, **told)


@pytest.fixture
def upstream(tmp_path: Path) -> Iterator[Tree]:
    tree = generator.stub(tmp_path, "upstream", tokens=4, token_ms=5)
    yield tree
    tree.stop()


def test_a_slice_is_held_against_the_mean_of_the_two_around_it():
    before, after = _slice(20.0, 1.0), _slice(30.0, 3.0)
    assert scenarios.paired(_slice(50.0), before, after, added=False)["ratio"] == 2.0
    added = scenarios.paired(_slice(50.0, 7.0), before, after, added=True)
    assert (added["added_p50_ms"], added["added_p99_ms"]) == (5.0, 10.0)


def _results(ratio: float, ours_mb: float, **nginx: float) -> dict[str, object]:
    ours = _slice(20.0, recorded=0.5).plain()
    theirs = {**_slice(20.0 * ratio, **nginx).plain(), "ratio": ratio}
    rows = {"rows": {"gatekeeper": [ours] * 5, "nginx": [theirs] * 5}, "missing": {"vllm-router": "no\nwheel"}}
    held = {"gatekeeper": {"idle_mb": 50.0, "open_mb": ours_mb, "begun": 990}}
    memory = {"rows": held, "streams": 1000, "missing": {}}
    return {"requests": rows, "firehose": rows, "memory": memory, "machine": {"Python": "3"}}


def test_the_table_says_what_was_not_held_and_who_is_missing():
    table = show.tables(_results(0.8, 100.0, per_s=4_000.0, failed=0.25))["comparison"]
    ours, nginx, router = (next(line for line in table.splitlines() if f"| {name} |" in line) for name in _NAMES)
    assert "20.0, recorded 50%" in ours
    assert "50 / 100 (990 had begun)" in ours
    assert "16.0, 0.80 (0.80 to 0.80) of ours, reached 4,000/s, failed 25.0%" in nginx
    assert router.count("not measured") == 7
    assert "- vllm-router, requests: no wheel" in table


_NAMES = ("gatekeeper", "nginx", "vllm-router")


@pytest.mark.parametrize(("ratio", "mb", "words"), [(0.8, 100.0, ("met", "met")), (0.5, 151.0, ("missed", "missed"))])
def test_goals_are_met_or_missed_and_never_guessed(ratio: float, mb: float, words: tuple[str, str]):
    lines = show.tables(_results(ratio, mb))["goals"].splitlines()
    requests, _, mirror, litellm, first, memory = (line.split(" | ") for line in lines[2:])
    assert requests[1].startswith(f"{1 / ratio:.2f} (")
    assert (requests[-1], memory[-1]) == tuple(f"{word} |" for word in words)
    assert {line[1] for line in (mirror, litellm, first)} == {"not measured"}


def test_the_soak_says_what_was_lost():
    requests = {"requests": 1_000_000, "failed": 3, "per_s": 9_000.0, "mb": [80.0] * 9 + [84.0], "fds": [40] * 10}
    kept = {"recorded": 999_000, "dropped": {"dropped_queue_full": 900}, "told_lost": 900, "unaccounted": 100}
    held = {"streams": 1000, "seconds": 60.2, "whole": 999, "equal": 998, "mb": [60, 90, 61], "fds": [20, 2000, 20]}
    table = show.soak({"requests": requests | kept, "streams": held | kept})
    for words in ("3 failed", "80, 84 (+5.0%)", "999,000; 900; 100", "60 s | 999 complete", "| 998 |", "20, 2000, 20"):
        assert words in table


def test_the_copies_account_must_come_out():
    quick, slow = ({"p50_ms": p50, "p99_ms": 2.0 * p50, "answered": 1.0} for p50 in (1.0, 1.5))
    copies = {"sent": 5, "dropped_full": 3, "charged_breaker_open": 2, "users": 10, "reached": 5}
    times = {"alone": [quick, quick], "copied": [slow], "nginx": [None]}
    table = show.isolation({"hangs": {"times": times, "copies": copies}})
    assert "| 1.50 | no request was answered | 10 = 5 + 3 + 2 | 5; 5 |" in table
    assert "11 ≠ 5 + 3 + 2" in show.isolation({"hangs": {"times": times, "copies": {**copies, "users": 11}}})


def test_a_server_that_does_not_start_says_why(tmp_path: Path):
    command = [sys.executable, "-c", "raise SystemExit('no such flag')"]
    with pytest.raises(RuntimeError, match="ended with code 1:\nno such flag"):
        Tree("broken", command, port=free_port(), log=tmp_path / "log").ready()


def test_the_plane_counts_each_exchange_once(tmp_path: Path):
    (tmp_path / "split.json").write_text('{"splits": []}')
    port = free_port()
    command = [sys.executable, str(HERE / "plane.py"), str(port), str(tmp_path / "split.json")]
    plane = Tree("plane", command, port=port, log=tmp_path / "log").ready()
    try:
        place = (0.0, Arm.BASELINE, "s", "r", 0, 1)
        captures = [*(RawExchange(name, *place) for name in "aba"), RawExchange("lost/1", *place, lost=7)]
        assert httpx.post(f"{plane.url}/v1/exchanges", content=frames_of(captures)).is_success
        counts = httpx.get(f"{plane.url}/counts").json()
        assert httpx.get(f"{plane.url}/v1/splits").json() == {"splits": []}
    finally:
        plane.stop()
    assert counts == {"lines": 3, "ids": 2, "lost": 7}


@needs_cc
def test_a_load_is_measured_and_weighed(upstream: Tree):
    server = Server(upstream)
    slices.warm(server)
    with watched(upstream, every_s=0.05) as weights:
        whole = slices.measure(server, {"seconds": 0.2, "connections": 2})
        streamed = slices.measure(server, {"seconds": 0.3, "connections": 2, "stream": True}, tokens=4)
    assert (whole.failed, streamed.failed, whole.recorded) == (0.0, 0.0, None)
    assert 0 < whole.cpu_us < 1e4
    assert 0 < streamed.per_s <= 800.0
    assert weights[-1].cpu_s > weights[0].cpu_s > 0
    assert weights[-1].rss_mb > 0.5


@needs_cc
def test_streams_are_read_to_their_last_byte(upstream: Tree):
    bodies = asyncio.run(streams.read(upstream.url, 3))
    assert len(set(bodies)) == 1
    assert bodies[0].count(b"\n\n") == 4 + 3
    assert bodies[0].endswith(b"data: [DONE]\n\n")
    upstream.stop()
    assert asyncio.run(streams.read(upstream.url, 2)) == [b"", b""]

"""Two servers take turns on their cores: each has both equally, and never the other's."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from gatekeeper.demo import turns
from gatekeeper.demo.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Iterator

CORES = sorted(os.sched_getaffinity(0))
PARENT = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])"


@pytest.fixture
def pair() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Run two programs, each with one that it started."""
    running = [subprocess.Popen([sys.executable, "-c", PARENT]) for _ in range(2)]
    until = time.monotonic() + 20
    while any(len(turns.processes(each.pid)) < 2 for each in running) and time.monotonic() < until:
        time.sleep(0.02)
    yield running
    for each in running:
        for pid in turns.processes(each.pid)[1:]:
            os.kill(pid, 9)
        each.kill()
        each.wait()


def test_servers_swap_with_all_they_started(pair: list[subprocess.Popen[bytes]]):
    cores = (CORES[0], CORES[-1])
    both = Turns(cores)
    for place, each in enumerate(pair):
        both.add(each.pid, place)
    for turn in (1, 2, 3):
        both.swap()
        for place, each in enumerate(pair):
            family = turns.processes(each.pid)
            assert len(family) == 2
            assert all(os.sched_getaffinity(pid) == {cores[(place + turn) % 2]} for pid in family)


def test_a_server_that_left_stays_where_it_is(pair: list[subprocess.Popen[bytes]]):
    both = Turns((CORES[0], CORES[-1]))
    both.add(pair[0].pid, 0)
    both.swap()
    both.remove(pair[0].pid)
    before = os.sched_getaffinity(pair[0].pid)
    both.swap()
    assert os.sched_getaffinity(pair[0].pid) == before


def test_a_server_that_ended_is_passed_over(pair: list[subprocess.Popen[bytes]]):
    both = Turns((CORES[0], CORES[-1]))
    both.add(pair[0].pid, 0)
    both.swap()
    for pid in reversed(turns.processes(pair[0].pid)):
        os.kill(pid, 9)
    pair[0].wait()
    both.swap()
    assert turns.processes(pair[0].pid) == []


def test_the_thread_swaps_until_it_is_stopped(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(turns, "EVERY_S", 0.01)
    swapped: list[float] = []
    both = Turns((0, 1))
    monkeypatch.setattr(both, "swap", lambda: swapped.append(time.monotonic()))
    both.start()
    until = time.monotonic() + 10
    while len(swapped) < 3 and time.monotonic() < until:
        time.sleep(0.01)
    both.stop()
    count = len(swapped)
    time.sleep(0.05)
    assert len(swapped) == count >= 3

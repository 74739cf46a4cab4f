"""The worker inside a process starts jobs within milliseconds, and stops cleanly."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from gatekeeper.adapters.memory import MemoryStore
from gatekeeper.flow.sweep import sweep
from gatekeeper.worker.embedded import EmbeddedWorker

if TYPE_CHECKING:
    from gatekeeper.ports import Unit


def test_jobs_start_soon_and_the_worker_can_be_stopped_and_started(request: Any):  # noqa: ANN401 - pytest's own
    store, started = MemoryStore(), threading.Event()

    def work(_unit: Unit, _payload: dict[str, Any]) -> None:
        started.set()

    threads = threading.active_count()
    worker = EmbeddedWorker(store, {"score": work}, prefix=request.node.name)
    for _ in range(2):
        worker.start()
        assert worker.alive
        waits = []
        for _ in range(40):
            started.clear()
            began = time.monotonic()
            with store.unit() as unit:
                unit.jobs.add("score", {})
            assert sweep(store.unit, worker.waker) == 1
            assert started.wait(5)
            waits.append(time.monotonic() - began)
        assert sorted(waits)[len(waits) // 2] < 0.1
        worker.stop()
        assert not worker.alive
    worker.stop()
    with store.unit() as unit:
        assert unit.jobs.counts()["done"] == 80
    assert worker.waker.missed == 0
    assert threading.active_count() == threads

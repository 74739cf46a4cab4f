"""The world in memory behaves as its ports say."""

from __future__ import annotations

from dataclasses import replace

from gatekeeper.adapters.memory import MemoryStore
from gatekeeper.adapters.memory_world import MemoryActuator, MemoryAlerts, MemorySpool, MemoryWaker
from gatekeeper.captures.raw import RawExchange
from gatekeeper.flow.sweep import sweep
from gatekeeper.model.action import OutboxItem
from gatekeeper.model.arm import Arm
from gatekeeper.model.split import Endpoint, Split


def test_traffic_takes_only_newer_splits_and_may_be_blind():
    traffic = MemoryActuator()
    split = Split(service="s", epoch=2, version=1, baseline=Endpoint(url="u", model="m"))
    assert traffic.read("s") is None
    traffic.write(split)
    traffic.write(replace(split, epoch=1, version=9))
    assert traffic.read("s") == (2, 1)
    traffic.blind = True
    assert traffic.read("s") is None


def test_a_full_spool_counts_what_it_drops():
    spool = MemorySpool(bound=2)
    spool.put([RawExchange(str(n), 0.0, Arm.BASELINE, "s", "", -1, 0) for n in range(3)])
    assert [raw.id for raw in spool.captures] == ["0", "1"]
    assert spool.counts() == {"accepted": 3, "written": 2, "dropped": 1}


def test_a_sweep_announces_what_waits():
    store, waker = MemoryStore(), MemoryWaker()
    with store.unit() as unit:
        ids = [unit.jobs.add("score", {}) for _ in range(3)]
    assert sweep(store.unit, waker, 2) == 2
    assert sweep(store.unit, waker, 2) == 1
    assert sweep(store.unit, waker, 2) == 0
    assert [job.id for job in waker.jobs] == ids


def test_a_receiver_may_ask_to_wait():
    alerts, item = MemoryAlerts(), OutboxItem(kind="webhook", key="k", body={})
    alerts.asks = [5.0]
    assert alerts.send(item) == 5.0
    assert alerts.send(item) is None
    assert alerts.sent == [item]

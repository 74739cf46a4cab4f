"""A job's result and its `done` are one transaction; whatever else happens belongs to the job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gatekeeper.adapters.clock import HandClock
from gatekeeper.adapters.memory import MemoryStore
from gatekeeper.worker.tasks import Runner

if TYPE_CHECKING:
    from gatekeeper.ports import Unit


@pytest.fixture
def clock() -> HandClock:
    """Give a clock that the test moves."""
    return HandClock()


@pytest.fixture
def store(clock: HandClock) -> MemoryStore:
    """Give an empty store."""
    return MemoryStore(clock)


def add(store: MemoryStore, kind: str = "score") -> int:
    with store.unit() as unit:
        return unit.jobs.add(kind, {"n": 1})


def count(unit: Unit, payload: dict[str, Any]) -> None:
    body = unit.tallies.get("r", payload["n"], 1) or {"times": 0}
    unit.tallies.put("r", payload["n"], 1, {"times": body["times"] + 1})


def times(store: MemoryStore) -> int:
    with store.unit() as unit:
        return (unit.tallies.get("r", 1, 1) or {"times": 0})["times"]


def test_a_job_announced_twice_runs_once(store: MemoryStore):
    runner, job_id = Runner(store.unit, {"score": count}), add(store)
    assert [runner.run(job_id, 60) for _ in range(3)] == [True, False, False]
    assert not runner.run(99, 60)
    assert times(store) == 1


def test_a_failed_job_keeps_its_error_and_none_of_its_work(store: MemoryStore, clock: HandClock):
    def fail_once(unit: Unit, payload: dict[str, Any]) -> None:
        count(unit, payload)
        if clock.now() == began:
            raise KeyError("first time")

    began, job_id = clock.now(), add(store)
    runner = Runner(store.unit, {"score": fail_once})
    assert not runner.run(job_id, 60)
    assert times(store) == 0
    assert not runner.run(job_id, 60)
    clock.advance(2)
    assert runner.run(job_id, 60)
    assert times(store) == 1


def test_work_that_outlives_its_lease_is_thrown_away(store: MemoryStore, clock: HandClock):
    def slow(unit: Unit, payload: dict[str, Any]) -> None:
        count(unit, payload)
        clock.advance(61)
        unit.jobs.claim(job_id, 60)

    job_id = add(store)
    assert not Runner(store.unit, {"score": slow}).run(job_id, 60)
    assert times(store) == 0


def test_a_kind_without_handler_dies_and_is_counted(store: MemoryStore, clock: HandClock):
    job_id, runner = add(store, "control.unheard"), Runner(store.unit, {"score": count})
    for _ in range(10):
        runner.run(job_id, 60)
        clock.advance(200)
    with store.unit() as unit:
        assert unit.jobs.counts() == {"pending": 0, "leased": 0, "done": 0, "dead": 1}

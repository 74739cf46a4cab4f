"""Workers in processes of their own, over Redis and RabbitMQ: every job ends once, whatever is killed or lost."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

import pytest

from gatekeeper.adapters.broker import make_celery
from gatekeeper.adapters.waker import CeleryWaker
from gatekeeper.flow.sweep import sweep
from gatekeeper.model.action import ATTEMPTS

if TYPE_CHECKING:
    from tests.integration.worker.conftest import World

pytestmark = pytest.mark.services


def test_a_worker_killed_in_mid_job_costs_a_lease_and_no_result(world: World):
    first = world.start_worker()
    world.add("score.once", n=1)
    world.wait(lambda: world.starts(1) == 1)
    world.kill(first)
    assert world.times(1) == 0
    world.start_worker()
    world.add("score", n=2)
    world.wait(lambda: world.times(2) == 1)
    assert world.counts() == {"pending": 0, "leased": 1, "done": 1, "dead": 0}
    world.advance(61)
    world.wait(lambda: world.counts()["done"] == 2)
    assert (world.starts(1), world.times(1)) == (2, 1)


def test_a_job_that_kills_its_process_dies_and_others_go_on(world: World):
    world.start_worker()
    world.add("control.poison", n=1)
    for start in range(1, ATTEMPTS + 1):
        world.wait(lambda start=start: world.starts(1) == start)
        world.advance(61)
    world.wait(lambda: world.counts()["dead"] == 1)
    world.add("score", n=2)
    world.wait(lambda: world.times(2) == 1)
    assert world.starts(1) == ATTEMPTS


def test_lost_messages_are_found_and_duplicates_do_nothing(world: World):
    for number in range(10):
        world.add("score", n=number)
    nowhere = make_celery(
        "redis://127.0.0.1:1/0" if "redis" in world.celery.conf.broker_url else "amqp://127.0.0.1:1//"
    )
    deaf = CeleryWaker(nowhere)
    began = time.monotonic()
    assert sweep(world.store.unit, deaf) == 10
    assert time.monotonic() - began < 5
    assert (deaf.woken, deaf.missed) == (0, 10)
    assert world.sweep() == 0
    world.start_worker()
    world.advance(11)
    for _ in range(3):
        assert world.sweep() >= 0
        world.advance(11)
    world.wait(lambda: world.counts()["done"] == 10)
    assert [world.times(number) for number in range(10)] == [1] * 10


def test_sigterm_lets_a_short_job_end_and_stops_a_long_one(world: World):
    for number, wait_s, done in ((1, 1.0, 1), (2, 60.0, 1)):
        worker = world.start_worker()
        world.add("score.once", n=number, wait_s=wait_s)
        world.wait(lambda number=number: world.starts(number) == 1)
        worker.send_signal(signal.SIGTERM)
        worker.wait(20)
        assert world.counts()["done"] == done
    assert (world.times(1), world.times(2)) == (1, 0)
    world.start_worker()
    world.advance(61)
    world.wait(lambda: world.counts()["done"] == 2)
    assert (world.starts(2), world.times(2)) == (2, 1)


def test_an_idle_worker_stops_without_waiting(world: World):
    worker = world.start_worker(patience_s=600.0)
    world.add("score", n=1)
    world.wait(lambda: world.times(1) == 1)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(60) == 0

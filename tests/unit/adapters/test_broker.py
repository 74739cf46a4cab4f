"""Brokers are set up so that a killed worker loses nothing, and others are refused by name."""

from __future__ import annotations

import pytest

from gatekeeper.adapters.broker import QUEUES, lane_of, make_celery
from gatekeeper.errors import InputError, UnknownNameError


def test_a_kind_finds_its_lane():
    assert lane_of("score").name == "scoring"
    assert lane_of("control.rollback").name == "control"
    assert {lane_of(queue).name for queue in QUEUES} == set(QUEUES)
    with pytest.raises(UnknownNameError, match="scores"):
        lane_of("scores")


@pytest.mark.parametrize("url", ["filesystem://", "sqla+sqlite:///x.db", "sqs://", "nonsense"])
def test_brokers_that_lose_work_are_refused(url: str):
    with pytest.raises(InputError, match="redis://"):
        make_celery(url)


@pytest.mark.parametrize("url", [None, "memory://", "redis://h/0", "rediss://h/0", "amqp://h//", "amqps://h//"])
def test_every_broker_acknowledges_late_and_names_its_queues(url: str | None):
    celery = make_celery(url, prefix="p")
    assert celery.conf.task_acks_late
    assert celery.conf.task_reject_on_worker_lost
    assert celery.conf.worker_prefetch_multiplier == 1
    assert [queue.name for queue in celery.conf.task_queues] == [f"p.{queue}" for queue in QUEUES]


def test_rabbitmq_stops_delivering_a_poison_message():
    arguments = make_celery("amqp://h//", prefix="p").conf.task_queues[0].queue_arguments
    assert arguments["x-queue-type"] == "quorum"
    assert arguments["x-delivery-limit"] == 5
    assert arguments["x-dead-letter-routing-key"] == "p.dead"

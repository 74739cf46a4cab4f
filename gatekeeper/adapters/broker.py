"""The Celery application: which queues there are, and how each broker must be set so that no wake-up does harm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from celery import Celery
from kombu import Exchange, Queue

from gatekeeper.errors import InputError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Mapping


def task_name(prefix: str) -> str:
    """Return the name of an application's one task; its only argument is a job's id."""
    return f"{prefix}.run_job"


IN_PROCESS_URL = "memory://localhost/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """Describe a queue: what it carries, and how long one of its jobs may take before it is stopped, and killed."""

    name: str
    kinds: tuple[str, ...]
    soft_limit_s: int
    hard_limit_s: int


LANES = (
    Lane(name="control", kinds=("control",), soft_limit_s=20, hard_limit_s=25),
    Lane(name="analysis", kinds=("analysis",), soft_limit_s=120, hard_limit_s=150),
    Lane(name="scoring", kinds=("scoring", "score"), soft_limit_s=40, hard_limit_s=50),
    Lane(name="webhooks", kinds=("webhooks", "webhook"), soft_limit_s=40, hard_limit_s=50),
)
QUEUES = tuple(lane.name for lane in LANES)


def lane_of(kind: str) -> Lane:
    """Return the lane of a kind of job; what follows a dot in the kind does not matter.

    Raises:
        UnknownNameError: no lane carries this kind.
    """
    first = kind.partition(".")[0]
    for lane in LANES:
        if first in lane.kinds:
            return lane
    raise UnknownNameError("kind of job", kind, tuple(kind for lane in LANES for kind in lane.kinds))


def queue_name(prefix: str, queue: str) -> str:
    """Return a queue's name at the broker."""
    return f"{prefix}.{queue}"


def make_celery(broker_url: str | None, *, prefix: str = "gatekeeper") -> Celery:
    """Build the Celery application for a broker; connects to nothing yet.

    broker_url: `redis://`, `amqp://` or `memory://` (None is the same), which reaches threads of this process only.
    prefix: begins every name at the broker, so that several installations can share one.

    Raises:
        InputError: a broker of another kind; some lose tasks of killed workers, or have not been tried.
    """
    url = IN_PROCESS_URL if broker_url in (None, "", "memory://") else broker_url
    scheme = url.partition(":")[0]
    kinds = {"memory": _in_process, "redis": _redis, "rediss": _redis, "amqp": _rabbitmq, "amqps": _rabbitmq}
    if scheme not in kinds:
        raise InputError(f"broker {scheme!r}: expected one of {', '.join(f'{kind}://' for kind in kinds)}")
    celery = Celery(prefix, broker=url, set_as_current=False)
    celery.conf.update(_COMMON)
    celery.conf.update(kinds[scheme](prefix))
    return celery


_COMMON: Mapping[str, Any] = {
    "task_acks_late": True,
    "task_reject_on_worker_lost": True,
    "worker_prefetch_multiplier": 1,
    "task_ignore_result": True,
    "task_store_errors_even_if_ignored": False,
    "task_publish_retry": False,
    "task_serializer": "json",
    "accept_content": ["json"],
    "task_create_missing_queues": False,
    "task_soft_time_limit": 120,
    "task_time_limit": 150,
    "broker_heartbeat": 10,
    "broker_connection_retry_on_startup": True,
    "worker_cancel_long_running_tasks_on_connection_loss": True,
    "worker_consumer": "gatekeeper.worker.consumer:Consumer",
    "worker_enable_remote_control": False,
    "worker_hijack_root_logger": False,
    "worker_redirect_stdouts": False,
    "worker_max_tasks_per_child": 500,
    "worker_max_memory_per_child": 400_000,
}

_GIVE_UP_SOON = {"max_retries": 1, "interval_start": 0, "interval_step": 0.1, "interval_max": 0.1}
"""A publisher that cannot connect says so at once: the sweeper comes again."""


def _in_process(prefix: str) -> dict[str, Any]:
    return _routes(prefix) | {"broker_transport_options": {"polling_interval": 0.01}}


def _redis(prefix: str) -> dict[str, Any]:
    options = {
        "visibility_timeout": 300,
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
        "socket_timeout": 5,
        "socket_connect_timeout": 2,
        "global_keyprefix": f"{prefix}:",
    }
    return _routes(prefix) | {"broker_transport_options": options | _GIVE_UP_SOON}


def _rabbitmq(prefix: str) -> dict[str, Any]:
    options = {"confirm_publish": True, "read_timeout": 5, "write_timeout": 5, "connect_timeout": 2}
    arguments = {
        "x-queue-type": "quorum",
        "x-delivery-limit": 5,
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": queue_name(prefix, "dead"),
    }
    return _routes(prefix, arguments) | {"broker_transport_options": options | _GIVE_UP_SOON}


def dead_letters(prefix: str) -> Queue:
    """Return RabbitMQ's queue for messages that were delivered too often; the jobs themselves are in the store."""
    return Queue(queue_name(prefix, "dead"), durable=True, queue_arguments={"x-queue-type": "quorum"})


def _routes(prefix: str, arguments: dict[str, Any] | None = None) -> dict[str, Any]:
    exchange = Exchange(prefix, type="direct", durable=True)
    names = [queue_name(prefix, queue) for queue in QUEUES]
    return {
        "task_queues": [
            Queue(name, exchange, routing_key=name, durable=True, queue_arguments=arguments) for name in names
        ],
        "task_default_exchange": prefix,
        "task_default_queue": names[0],
        "task_default_routing_key": names[0],
    }

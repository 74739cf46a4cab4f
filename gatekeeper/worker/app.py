"""A worker process: Celery's own, with a pool of child processes."""

from __future__ import annotations

import os
import signal
import socket
import threading
from typing import TYPE_CHECKING

from celery.signals import worker_shutting_down
from kombu.exceptions import OperationalError

from gatekeeper.adapters.broker import QUEUES, dead_letters, queue_name
from gatekeeper.errors import StoreError, UnknownNameError
from gatekeeper.worker.tasks import Runner, bind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from celery import Celery

    from gatekeeper.flow.work import Handler
    from gatekeeper.ports import Unit


def run_worker(
    celery: Celery,
    units: Callable[[], Unit],
    handlers: Mapping[str, Handler],
    *,
    queues: Sequence[str] = QUEUES,
    concurrency: int = 2,
    patience_s: float = 25.0,
) -> int:
    """Take jobs until SIGTERM or SIGINT ends it; return the exit code.

    It then ends as soon as its running jobs have, after patience_s at the latest: what still runs is killed, and its
    message goes back to the broker. (Celery's own soft shutdown sleeps the whole time even when nothing runs.)

    Raises:
        UnknownNameError: no such queue.
        StoreError: the broker cannot be reached.
    """
    for queue in queues:
        if queue not in QUEUES:
            raise UnknownNameError("queue", queue, QUEUES)
    bind(celery, Runner(units, handlers))
    _reach(celery)
    worker = celery.Worker(
        hostname=node_name(celery.main),
        queues=[queue_name(celery.main, queue) for queue in queues],
        pool="prefork",
        concurrency=concurrency,
        quiet=True,
        loglevel="WARNING",
        without_heartbeat=True,
        without_mingle=True,
        without_gossip=True,
    )

    def hurry(**_signal: object) -> None:
        timer = threading.Timer(patience_s, os.kill, (os.getpid(), signal.SIGQUIT))
        timer.daemon = True
        timer.start()

    worker_shutting_down.connect(hurry)
    worker.start()
    return int(worker.exitcode or 0)


def node_name(prefix: str) -> str:
    """Return a node name that no other worker has: two workers of one name take each other's messages for lost."""
    return f"{prefix}-{os.getpid()}@{socket.gethostname()}"


def _reach(celery: Celery) -> None:
    """Connect once, and make RabbitMQ's dead-letter queue."""
    with celery.connection_for_write() as connection:
        try:
            connection.ensure_connection(max_retries=1, interval_start=0, interval_step=0.2)
            if connection.transport.driver_type == "amqp":
                dead_letters(celery.main).bind(connection.default_channel).declare()
        except (OperationalError, OSError) as exc:
            raise StoreError(f"broker {connection.as_uri()}: {exc}; start it, or set GATEKEEPER_BROKER_URL") from exc

"""A store, a broker of each kind, and workers that can be killed."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import redis

from gatekeeper.adapters.broker import make_celery
from gatekeeper.adapters.store.unit import SqlStore
from gatekeeper.adapters.waker import CeleryWaker
from gatekeeper.flow.sweep import sweep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from celery import Celery

SCRIPT = Path(__file__).with_name("process.py")
PATIENCE_S = 30.0


class World:
    """Hold a store, a broker and the workers of one test."""

    def __init__(self, broker_url: str, database_url: str, folder: Path) -> None:
        """Migrate the store and set the clock to the host's."""
        spec = importlib.util.spec_from_file_location("worker_process", SCRIPT)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        self.prefix = f"gk-test-{uuid.uuid4().hex[:10]}"
        self.folder = folder
        self._arguments = [broker_url, database_url, self.prefix, str(folder)]
        self._ahead_s = 0.0
        self.advance(0.0)
        self.store = SqlStore(database_url, clock=module.AheadClock(folder))
        self.store.upgrade()
        self.celery: Celery = make_celery(broker_url, prefix=self.prefix)
        self.waker = CeleryWaker(self.celery)
        self.workers: list[subprocess.Popen[bytes]] = []

    def advance(self, wait_s: float) -> None:
        """Let time pass for every process."""
        self._ahead_s += wait_s
        draft = self.folder / "ahead.new"
        draft.write_text(str(self._ahead_s))
        draft.replace(self.folder / "ahead")

    def start_worker(self, patience_s: float = 4.0) -> subprocess.Popen[bytes]:
        """Start a worker in a process group of its own; patience_s: how long it lets jobs end when it is stopped."""
        with (self.folder / "worker.log").open("ab") as log:
            command = [sys.executable, str(SCRIPT), *self._arguments, str(patience_s)]
            worker = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        self.workers.append(worker)
        return worker

    def kill(self, worker: subprocess.Popen[bytes]) -> None:
        """Kill a worker and its children at once, as a lost machine would."""
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()

    def add(self, kind: str, **payload: object) -> int:
        """Store a job."""
        with self.store.unit() as unit:
            return unit.jobs.add(kind, payload)

    def sweep(self) -> int:
        """Announce what is due."""
        return sweep(self.store.unit, self.waker)

    def counts(self) -> dict[str, int]:
        """Return the jobs by state."""
        with self.store.unit(readonly=True) as unit:
            return unit.jobs.counts()

    def times(self, number: int) -> int:
        """Return how often the work of a job was committed."""
        with self.store.unit(readonly=True) as unit:
            return (unit.tallies.get("r", number, 1) or {"times": 0})["times"]

    def starts(self, number: int) -> int:
        """Return how often the work of a job was begun."""
        file = self.folder / f"started-{number}"
        return len(file.read_text()) if file.exists() else 0

    def wait(self, ready: Callable[[], bool]) -> None:
        """Sweep until something is so.

        Raises:
            AssertionError: it took too long; shows the worker's log.
        """
        until = time.monotonic() + PATIENCE_S
        while not ready():
            if time.monotonic() > until:
                raise AssertionError((self.folder / "worker.log").read_text()[-3000:])
            self.sweep()
            time.sleep(0.05)

    def close(self) -> None:
        """Kill what runs and remove what stands at the broker."""
        for worker in self.workers:
            if worker.poll() is None:
                self.kill(worker)
        with self.celery.connection_for_write() as connection:
            channel = connection.default_channel
            for queue in [*self.celery.conf.task_queues, None]:
                channel.queue_delete(queue.name if queue else f"{self.prefix}.dead")
            if connection.transport.driver_type == "amqp":
                channel.exchange_delete(self.prefix)
        if self._arguments[0].startswith("redis"):
            with redis.Redis.from_url(self._arguments[0]) as client:
                for key in client.scan_iter(f"{self.prefix}:*"):
                    client.delete(key)
        self.celery.close()
        self.store.dispose()


@pytest.fixture(params=["redis_url", "amqp_url"])
def world(request: pytest.FixtureRequest, postgres_url: str, tmp_path: Path) -> Iterator[World]:
    """Give a world on PostgreSQL with each broker."""
    made = World(request.getfixturevalue(request.param), postgres_url, tmp_path)
    yield made
    made.close()

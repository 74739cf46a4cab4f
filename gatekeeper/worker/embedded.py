"""A worker inside this process: threads that take jobs from the in-process broker."""

from __future__ import annotations

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Protocol

from celery.bootsteps import CLOSE
from celery.concurrency.thread import TaskPool
from celery.worker import WorkController

from gatekeeper.adapters.broker import QUEUES, make_celery, queue_name, task_name
from gatekeeper.adapters.waker import CeleryWaker
from gatekeeper.errors import StoreError
from gatekeeper.worker.tasks import Runner, bind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gatekeeper.flow.work import Handler
    from gatekeeper.ports import Unit

_PATIENCE_S = 10.0
_NUMBERS = itertools.count(1)


class Threads(TaskPool):  # type: ignore[misc]  # Celery has no types
    """Be Celery's pool of threads, in which the worker's own application is the current one.

    Celery looks a task up in the current application of the thread that runs it; without this, all workers of a
    process would run the first one's jobs.
    """

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - Celery's signature
        """Make the threads."""
        super().__init__(*args, **options)
        self.executor = ThreadPoolExecutor(self.limit, initializer=self.app.set_current)


class Units(Protocol):
    """Be where units come from: the wired application, or a store."""

    def unit(self) -> Unit:
        """Return a fresh transaction."""


class EmbeddedWorker:
    """Run a Celery worker's loop and its pool of threads in this process.

    waker: announces jobs to this worker. Time limits do not hold in threads: what runs here bounds itself.
    """

    def __init__(
        self, app: Units, handlers: Mapping[str, Handler], *, concurrency: int = 2, prefix: str | None = None
    ) -> None:
        """Run the application's jobs with these handlers.

        prefix: begins the names of its queues, which all workers of this process can see; None for one of its own.
        """
        self._celery = make_celery(None, prefix=prefix or f"embedded-{next(_NUMBERS)}")
        self._concurrency = concurrency
        self._ready = threading.Event()
        self._worker: WorkController | None = None
        self._thread: threading.Thread | None = None
        self.waker = CeleryWaker(self._celery)
        bind(self._celery, Runner(app.unit, handlers))

    @property
    def alive(self) -> bool:
        """Tell whether it takes jobs."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Start the worker and wait until it takes jobs.

        Raises:
            StoreError: it did not come up.
        """
        self._ready.clear()
        self._worker = WorkController(
            app=self._celery,
            pool=Threads,
            concurrency=self._concurrency,
            hostname=f"{self._celery.main}@in-process",
            ready_callback=lambda _consumer: self._ready.set(),
            without_heartbeat=True,
            without_mingle=True,
            without_gossip=True,
        )
        self._thread = threading.Thread(target=self._worker.start, name="embedded-worker", daemon=True)
        self._thread.start()
        if not self._ready.wait(_PATIENCE_S):
            raise StoreError(f"the worker in this process did not start within {_PATIENCE_S:.0f} s")

    def stop(self) -> None:
        """Let running jobs end, then stop; jobs that wait stay in the store."""
        if self._worker is None or self._thread is None:
            return
        self._worker.consumer.blueprint.state = CLOSE
        self._nudge()
        self._thread.join(_PATIENCE_S)
        self._worker.stop()
        self._worker = self._thread = None

    def _nudge(self) -> None:
        """Send a message about no job, so that the loop wakes up and sees that it is closed."""
        self._celery.send_task(
            task_name(self._celery.main), args=(0,), queue=queue_name(self._celery.main, QUEUES[0]), retry=False
        )

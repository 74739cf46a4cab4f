"""Running one job: claim its row, work, and commit result and `done` together; the broker has no say in it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from gatekeeper.adapters.broker import task_name
from gatekeeper.errors import ConflictError, StoreError, UnknownNameError
from gatekeeper.flow.work import Outside

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from celery import Celery

    from gatekeeper.flow.work import Handler
    from gatekeeper.model.action import Job
    from gatekeeper.ports import Unit

log = logging.getLogger(__name__)


GRACE_S = 10.0
"""How much longer than a job may run its lease lasts, so that nobody else takes it while it is being killed."""

_DEFAULT_LIMIT_S = 150.0
_LONGEST_ERROR = 500


class Runner:
    """Run jobs with the handler of their kind."""

    def __init__(self, units: Callable[[], Unit], handlers: Mapping[str, Handler]) -> None:
        """Take units from `units`; a job's kind names its handler."""
        self._units = units
        self._handlers = handlers

    def run(self, job_id: int, lease_s: float) -> bool:
        """Run a job that waits; True when it is done now, by us.

        A job that is leased, done or dead is left alone, so that a message may come twice or never. An error is kept
        with the job, which is tried again later or is dead.

        Raises:
            StoreError: the store is away; the job waits there until a sweep finds it.
        """
        with self._units() as unit:
            job = unit.jobs.claim(job_id, lease_s)
        if job is None:
            return False
        try:
            self._work(job)
        except Exception as exc:  # noqa: BLE001 - whatever a handler raises belongs to its job, not to the worker
            log.warning("job %d (%s), attempt %d: %s", job.id, job.kind, job.attempt, type(exc).__name__)
            with self._units() as unit:
                unit.jobs.finish(job, f"{type(exc).__name__}: {exc}"[:_LONGEST_ERROR])
            return False
        return True

    def _work(self, job: Job) -> None:
        """Do the work and mark it done in one transaction.

        Raises:
            ConflictError: the lease was lost meanwhile; nothing of the work is kept.
        """
        handler = self._handlers.get(job.kind)
        if handler is None:
            raise UnknownNameError("kind of job", job.kind, tuple(self._handlers))
        keep = handler.work(self._units, job.payload) if isinstance(handler, Outside) else _within(handler, job.payload)
        with self._units() as unit:
            keep(unit)
            if not unit.jobs.finish(job):
                raise ConflictError(f"job {job.id}: its lease ended before its work did")


def _within(handler: Callable[[Unit, dict[str, Any]], None], payload: dict[str, Any]) -> Callable[[Unit], object]:
    """Return what a handler does in the transaction."""
    return lambda unit: handler(unit, payload)


def bind(celery: Celery, runner: Runner) -> None:
    """Make the application's one task run jobs with this runner."""

    def run_job(task: Any, job_id: int) -> None:  # noqa: ANN401 - Celery's task class has no types
        """Run the job that the message names."""
        hard_limit_s, _ = task.request.timelimit or (None, None)
        try:
            runner.run(job_id, (hard_limit_s or _DEFAULT_LIMIT_S) + GRACE_S)
        except StoreError as exc:
            log.warning("job %d waits: %s", job_id, exc)

    celery.task(run_job, name=task_name(celery.main), bind=True, shared=False)

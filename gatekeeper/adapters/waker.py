"""Waking workers through the broker: a message says that a job waits, and nothing is lost when it is lost."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from gatekeeper.adapters.broker import lane_of, queue_name, task_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from celery import Celery

    from gatekeeper.model.action import Job

log = logging.getLogger(__name__)


class CeleryWaker:
    """Publish job ids; a broker that is away costs time, never work."""

    def __init__(self, celery: Celery) -> None:
        """Publish through this application."""
        self._celery = celery
        self.woken = 0
        self.missed = 0

    def wake(self, jobs: Iterable[Job]) -> None:
        """Tell workers that these jobs wait; after a first failure the rest is left to the next sweep."""
        waiting = list(jobs)
        for place, job in enumerate(waiting):
            try:
                self._publish(job)
            except Exception as exc:  # noqa: BLE001 - each broker's driver raises its own; the sweeper comes again
                self.missed += len(waiting) - place
                log.warning("broker: %d wake-ups not sent: %s", len(waiting) - place, type(exc).__name__)
                return
            self.woken += 1

    def _publish(self, job: Job) -> None:
        lane = lane_of(job.kind)
        name = queue_name(self._celery.main, lane.name)
        self._celery.send_task(
            task_name(self._celery.main),
            args=(job.id,),
            queue=name,
            soft_time_limit=lane.soft_limit_s,
            time_limit=lane.hard_limit_s,
            retry=False,
            ignore_result=True,
        )

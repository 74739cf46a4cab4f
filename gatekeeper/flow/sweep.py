"""Finding work that no message announces: new jobs, lost messages, leases that ran out."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from gatekeeper.ports import Unit, Waker


def sweep(unit_factory: Callable[[], Unit], waker: Waker, limit: int = 100) -> int:
    """Wake workers for up to `limit` jobs that wait; return how many were announced.

    Safe in every replica at once: each takes other rows, and a job announced twice is run once.
    """
    with unit_factory() as unit:
        jobs = unit.jobs.due(limit)
    if jobs:
        waker.wake(jobs)
    return len(jobs)

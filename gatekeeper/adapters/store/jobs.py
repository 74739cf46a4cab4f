"""Work to do: the row is the truth, a message only says that it waits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, update

from gatekeeper.adapters.store.tables import JobRow
from gatekeeper.model.action import ATTEMPTS, LOST_ERROR, RETRY_WAIT_S, WAKE_AGAIN_S, Job

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gatekeeper.adapters.store.work import Work

_OPEN = ("pending", "leased")
STATES = (*_OPEN, "done", "dead")


class SqlJobs:
    """Keep work: pending, leased, done, dead. `attempt` fences a lost lease's result out."""

    def __init__(self, work: Work) -> None:
        """Work in this transaction."""
        self._work = work

    def add(self, kind: str, payload: dict[str, Any]) -> int:
        """Insert a pending job; return its id."""
        now = self._work.clock.now()
        values = {"kind": kind, "payload": payload, "state": "pending", "attempt": 0, "error": ""}
        times = {"next_at": now, "wake_at": now, "created_at": now}
        inserted = self._work.insert(JobRow).values(values | times).returning(JobRow.id)
        return int(self._work.run(inserted).scalar_one())

    def claim(self, job_id: int, lease_s: float) -> Job | None:
        """Lease a pending (or expired) job and count the attempt; None when it is done, dead, leased or paused.

        A job whose last lease ran out without a word has killed its workers: it is dead.
        """
        now = self._work.clock.now()
        takable = (JobRow.id == job_id, JobRow.state.in_(_OPEN), JobRow.next_at <= now)
        spent = update(JobRow).where(*takable, JobRow.attempt >= ATTEMPTS)
        self._work.run(spent.values(state="dead", error=LOST_ERROR))
        lease = update(JobRow).where(*takable).values(state="leased", attempt=JobRow.attempt + 1, next_at=now + lease_s)
        found = self._work.run(lease.returning(JobRow.id, JobRow.kind, JobRow.payload, JobRow.attempt)).first()
        return None if found is None else Job(**found._mapping)  # noqa: SLF001 - a row's public mapping

    def finish(self, job: Job, error: str | None = None) -> bool:
        """Mark done, or with an error back to pending (dead after the last attempt); False when the lease was lost."""
        mine = update(JobRow).where(JobRow.id == job.id, JobRow.attempt == job.attempt, JobRow.state == "leased")
        if error is None:
            return bool(self._work.run(mine.values(state="done", error="")).rowcount)
        if job.attempt >= ATTEMPTS:
            return bool(self._work.run(mine.values(state="dead", error=error)).rowcount)
        again_at = self._work.clock.now() + RETRY_WAIT_S[job.attempt - 1]
        again = mine.values(state="pending", error=error, next_at=again_at, wake_at=again_at)
        return bool(self._work.run(again).rowcount)

    def due(self, limit: int) -> Sequence[Job]:
        """Return jobs that wait or whose lease ran out, oldest first; each again only after 10 s."""
        now = self._work.clock.now()
        query = (
            select(JobRow.id, JobRow.kind, JobRow.payload, JobRow.attempt)
            .where(JobRow.state.in_(_OPEN), JobRow.next_at <= now, JobRow.wake_at <= now)
            .order_by(JobRow.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        jobs = [Job(**row._mapping) for row in self._work.all(query)]  # noqa: SLF001 - a row's public mapping
        if jobs:
            announced = update(JobRow).where(JobRow.id.in_([job.id for job in jobs]))
            self._work.run(announced.values(wake_at=now + WAKE_AGAIN_S))
        return jobs

    def counts(self) -> dict[str, int]:
        """Return the number of jobs by state."""
        found = self._work.all(select(JobRow.state, func.count()).group_by(JobRow.state))
        return dict.fromkeys(STATES, 0) | {row[0]: row[1] for row in found}

"""Jobs and the outbox, in memory."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gatekeeper.adapters.memory_shelf import StoredItem, StoredJob
from gatekeeper.model.action import ATTEMPTS, LOST_ERROR, RETRY_WAIT_S, WAKE_AGAIN_S, Job

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gatekeeper.adapters.memory_shelf import Shelves
    from gatekeeper.model.action import OutboxItem
    from gatekeeper.ports import Clock

LEASE_S = 60.0
_OPEN = ("pending", "leased")


class MemoryJobs:
    """Keep work: pending, leased, done, dead. `attempt` fences a lost lease's result out."""

    def __init__(self, shelves: Shelves, clock: Clock) -> None:
        """Work on these shelves, by this clock."""
        self._jobs = shelves.jobs
        self._clock = clock

    def add(self, kind: str, payload: dict[str, Any]) -> int:
        """Insert a pending job; return its id."""
        job_id, now = len(self._jobs) + 1, self._clock.now()
        job = Job(id=job_id, kind=kind, payload=payload)
        self._jobs[job_id] = StoredJob(job=job, state="pending", next_at=now, wake_at=now)
        return job_id

    def claim(self, job_id: int, lease_s: float) -> Job | None:
        """Lease a pending (or expired) job and count the attempt; None when it is done, dead, leased or paused.

        A job whose last lease ran out without a word has killed its workers: it is dead.
        """
        stored, now = self._jobs.get(job_id), self._clock.now()
        if stored is None or stored.state not in _OPEN or stored.next_at > now:
            return None
        if stored.job.attempt >= ATTEMPTS:
            self._jobs[job_id] = replace(stored, state="dead", error=LOST_ERROR)
            return None
        job = replace(stored.job, attempt=stored.job.attempt + 1)
        self._jobs[job_id] = replace(stored, job=job, state="leased", next_at=now + lease_s)
        return job

    def finish(self, job: Job, error: str | None = None) -> bool:
        """Mark done, or with an error back to pending (dead after the last attempt); False when the lease was lost."""
        stored = self._jobs.get(job.id)
        if stored is None or stored.state != "leased" or stored.job.attempt != job.attempt:
            return False
        if error is None:
            self._jobs[job.id] = replace(stored, state="done", error="")
        elif job.attempt >= ATTEMPTS:
            self._jobs[job.id] = replace(stored, state="dead", error=error)
        else:
            again_at = self._clock.now() + RETRY_WAIT_S[job.attempt - 1]
            self._jobs[job.id] = replace(stored, state="pending", error=error, next_at=again_at, wake_at=again_at)
        return True

    def due(self, limit: int) -> Sequence[Job]:
        """Return jobs that wait or whose lease ran out, oldest first; each again only after 10 s."""
        now = self._clock.now()
        open_ones = (stored for stored in self._jobs.values() if stored.state in _OPEN)
        found = [stored for stored in open_ones if max(stored.next_at, stored.wake_at) <= now][:limit]
        for stored in found:
            self._jobs[stored.job.id] = replace(stored, wake_at=now + WAKE_AGAIN_S)
        return [stored.job for stored in found]

    def counts(self) -> dict[str, int]:
        """Return the number of jobs by state."""
        counted = Counter(stored.state for stored in self._jobs.values())
        return {state: counted[state] for state in (*_OPEN, "done", "dead")}


class MemoryOutbox:
    """Keep effects owed to the world, each once by its key."""

    def __init__(self, shelves: Shelves, clock: Clock) -> None:
        """Work on these shelves, by this clock."""
        self._items = shelves.outbox
        self._ids = shelves.outbox_keys
        self._clock = clock

    def add(self, items: Sequence[OutboxItem]) -> None:
        """Insert items whose key is new."""
        for item in items:
            if item.key not in self._ids:
                number = len(self._items) + 1
                self._items[number] = StoredItem(item=replace(item, id=number))
                self._ids[item.key] = number

    def due(self, limit: int) -> Sequence[OutboxItem]:
        """Return items to be tried now, oldest first; they are leased for 60 s."""
        now = self._clock.now()
        waiting = [one for one in self._items.values() if one.state == "pending" and one.item.next_at <= now]
        waiting.sort(key=lambda one: (one.item.next_at, one.item.id))
        for one in waiting[:limit]:
            self._items[one.item.id] = replace(one, item=replace(one.item, next_at=now + LEASE_S))
        return [one.item for one in waiting[:limit]]

    def done(self, item_id: int) -> None:
        """Mark delivered."""
        self._items[item_id] = replace(self._items[item_id], state="done", error="")

    def retry(self, item_id: int, next_at: float | None, error: str) -> None:
        """Keep for another try at `next_at`; None: dead, kept for replay by hand."""
        one = self._items[item_id]
        if one.state == "pending":
            state, at = ("dead", one.item.next_at) if next_at is None else ("pending", next_at)
            item = replace(one.item, attempt=one.item.attempt + 1, next_at=at)
            self._items[item_id] = replace(one, item=item, error=error, state=state)

    def counts(self) -> dict[str, int]:
        """Return the number of items by state."""
        counted = Counter(one.state for one in self._items.values())
        return {state: counted[state] for state in ("pending", "done", "dead")}

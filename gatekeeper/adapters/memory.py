"""The store in memory: the same promises as the database's, one unit at a time, gone with the process."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from gatekeeper.adapters.clock import HostClock
from gatekeeper.adapters.memory_catalog import MemoryCatalog, MemoryKeys, MemorySplits, MemoryWebhooks
from gatekeeper.adapters.memory_evidence import MemoryExchanges, MemorySamples, MemoryTallies
from gatekeeper.adapters.memory_rollouts import MemoryAudit, MemoryRollouts
from gatekeeper.adapters.memory_shelf import Shelves
from gatekeeper.adapters.memory_trials import MemoryTrials
from gatekeeper.adapters.memory_work import MemoryJobs, MemoryOutbox
from gatekeeper.errors import StoreError

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from gatekeeper import ports

_WAIT_S = 10.0


class MemoryUnit:
    """Be one transaction; see `gatekeeper.ports.Unit`. An exception undoes what the block wrote."""

    rollouts: ports.Rollouts
    trials: ports.Trials
    audit: ports.Audit
    catalog: ports.Catalog
    exchanges: ports.Exchanges
    samples: ports.Samples
    tallies: ports.Tallies
    jobs: ports.Jobs
    outbox: ports.Outbox
    splits: ports.Splits
    keys: ports.Keys
    webhooks: ports.Webhooks
    clock: ports.Clock

    def __init__(self, shelves: Shelves, lock: threading.Lock, clock: ports.Clock) -> None:
        """Prepare a unit over these shelves; others wait for the lock while it is entered."""
        self._shelves = shelves
        self._lock = lock
        self.clock = clock
        outbox = MemoryOutbox(shelves, clock)
        self.outbox, self.rollouts, self.audit = outbox, MemoryRollouts(shelves, outbox), MemoryAudit(shelves)
        self.trials = MemoryTrials(shelves)
        self.catalog, self.splits = MemoryCatalog(shelves), MemorySplits(shelves, clock)
        self.exchanges, self.samples = MemoryExchanges(shelves), MemorySamples(shelves)
        self.tallies, self.jobs = MemoryTallies(shelves), MemoryJobs(shelves, clock)
        self.keys, self.webhooks = MemoryKeys(shelves, clock), MemoryWebhooks(shelves)

    def __enter__(self) -> Self:
        """Begin.

        Raises:
            StoreError: another unit stayed open for 10 s.
        """
        if not self._lock.acquire(timeout=_WAIT_S):
            raise StoreError(f"the store in memory is busy: another unit stayed open for {_WAIT_S:.0f} s")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Keep what was written, or undo it when an exception passes through."""
        try:
            if exc is None:
                self._shelves.keep()
            else:
                self._shelves.undo()
        finally:
            self._lock.release()


class MemoryReadUnit(MemoryUnit):
    """Be a unit that reads only."""

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Undo and refuse what was written.

        Raises:
            StoreError: the block wrote something.
        """
        wrote = self._shelves.written
        super().__exit__(kind, exc or (StoreError("written") if wrote else None), trace)
        if wrote and exc is None:
            raise StoreError("this unit of the store in memory is for reading only; nothing was written")


class MemoryStore:
    """Keep everything in this process; hand out units."""

    shown_url = "memory"

    def __init__(self, clock: ports.Clock | None = None) -> None:
        """Start empty; clock None: the host's."""
        self._shelves = Shelves()
        self._lock = threading.Lock()
        self._clock = clock or HostClock()

    def unit(self, *, readonly: bool = False) -> MemoryUnit:
        """Return a new unit. readonly: refuses to write."""
        kind = MemoryReadUnit if readonly else MemoryUnit
        return kind(self._shelves, self._lock, self._clock)

    def upgrade(self, revision: str = "head") -> None:
        """Do nothing: there are no tables."""

    def check(self) -> None:
        """Do nothing: memory is always there."""

    def dispose(self) -> None:
        """Do nothing: there are no connections."""

"""Dictionaries that can take back what was written to them since the last time it was kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from gatekeeper.model.action import Job, OutboxItem
from gatekeeper.model.audit import AuditEntry
from gatekeeper.model.exchange import Exchange
from gatekeeper.model.key import ApiKey, Webhook
from gatekeeper.model.release import Deployment, Release, Service
from gatekeeper.model.rollout import Rollout
from gatekeeper.model.sample import Sample
from gatekeeper.model.split import Split
from gatekeeper.model.trial import Trial

if TYPE_CHECKING:
    from collections.abc import Iterator


K = TypeVar("K")
V = TypeVar("V")


class Shelf(Generic[K, V]):
    """Be a dictionary that tells a journal how to undo each write."""

    def __init__(self, journal: list[Callable[[], None]]) -> None:
        """Start empty."""
        self._items: dict[K, V] = {}
        self._journal = journal

    def get(self, key: K) -> V | None:
        """Return what stands under the key, or None."""
        return self._items.get(key)

    def __contains__(self, key: K) -> bool:
        """Tell whether the key is known."""
        return key in self._items

    def __getitem__(self, key: K) -> V:
        """Return what stands under the key; raises KeyError."""
        return self._items[key]

    def __setitem__(self, key: K, value: V) -> None:
        """Put a value; the journal learns what stood there."""
        if key in self._items:
            before = self._items[key]
            self._journal.append(lambda: self._items.__setitem__(key, before))
        else:
            self._journal.append(lambda: self._forget(key))
        self._items[key] = value

    def __delitem__(self, key: K) -> None:
        """Remove a key; the journal learns what stood there. Raises KeyError."""
        before = self._items.pop(key)
        self._journal.append(lambda: self._items.__setitem__(key, before))

    def _forget(self, key: K) -> None:
        self._items.pop(key)

    def __len__(self) -> int:
        """Count the keys."""
        return len(self._items)

    def keys(self) -> Iterator[K]:
        """Iterate over the keys in the order in which they came."""
        return iter(self._items)

    def values(self) -> Iterator[V]:
        """Iterate over the values in the order in which their keys came."""
        return iter(self._items.values())

    def items(self) -> Iterator[tuple[K, V]]:
        """Iterate over keys and values in the order in which the keys came."""
        return iter(self._items.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSample:
    """Hold a scored exchange: `new`, `folded` or `dropped`."""

    row: int
    exchange: Exchange
    sample: Sample
    labels: dict[str, Any]
    state: str = "new"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredJob:
    """Hold a job: `pending`, `leased`, `done` or `dead`; see the database's table for its times."""

    job: Job
    state: str
    next_at: float
    wake_at: float
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredItem:
    """Hold an outbox item: `pending`, `done` or `dead`."""

    item: OutboxItem
    state: str = "pending"
    error: str = ""


@dataclass(slots=True)
class Shelves:
    """Hold all that the store keeps, and the journal of the unit that is open."""

    journal: list[Callable[[], None]] = field(default_factory=list)
    rollouts: Shelf[str, Rollout] = field(init=False)
    trials: Shelf[str, Trial] = field(init=False)
    audit: Shelf[tuple[str, int], AuditEntry] = field(init=False)
    services: Shelf[str, Service] = field(init=False)
    releases: Shelf[str, Release] = field(init=False)
    deployments: Shelf[str, Deployment] = field(init=False)
    exchanges: Shelf[int, Exchange] = field(init=False)
    exchange_rows: Shelf[str, int] = field(init=False)
    samples: Shelf[int, StoredSample] = field(init=False)
    sampled: Shelf[int, int] = field(init=False)
    unfolded: dict[tuple[str, int, int], Shelf[int, None]] = field(default_factory=dict)
    tallies: Shelf[tuple[str, int, int], dict[str, Any]] = field(init=False)
    reports: Shelf[tuple[str, int, int, int], dict[str, Any]] = field(init=False)
    jobs: Shelf[int, StoredJob] = field(init=False)
    outbox: Shelf[int, StoredItem] = field(init=False)
    outbox_keys: Shelf[str, int] = field(init=False)
    splits: Shelf[str, Split] = field(init=False)
    gateways: Shelf[str, tuple[float, dict[str, tuple[int, int]]]] = field(init=False)
    api_keys: Shelf[str, ApiKey] = field(init=False)
    webhooks: Shelf[str, Webhook] = field(init=False)
    inbound: Shelf[tuple[str, str], dict[str, Any]] = field(init=False)

    def __post_init__(self) -> None:
        """Put up the shelves, all with one journal."""
        for name in self.__slots__:
            if name not in ("journal", "unfolded"):
                setattr(self, name, Shelf(self.journal))

    def waiting(self, stage: tuple[str, int, int]) -> Shelf[int, None]:
        """Return the rows of a stage's samples, (rollout_id, stage, epoch), that wait to be folded."""
        if stage not in self.unfolded:
            self.unfolded[stage] = Shelf(self.journal)
        return self.unfolded[stage]

    @property
    def written(self) -> bool:
        """Tell whether something was written since the last `keep` or `undo`."""
        return bool(self.journal)

    def keep(self) -> None:
        """Keep what was written."""
        self.journal.clear()

    def undo(self) -> None:
        """Take back what was written, the last write first."""
        while self.journal:
            self.journal.pop()()

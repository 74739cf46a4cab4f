"""The world around the store, in memory: traffic, the gateway's spool, workers to wake, receivers of alerts."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from gatekeeper.captures.frames import HEAD_BYTES, read_frame

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gatekeeper.captures.raw import RawExchange
    from gatekeeper.model.action import Job, OutboxItem
    from gatekeeper.model.exchange import Place
    from gatekeeper.model.split import Split


class MemoryActuator:
    """Be traffic that does as it is told at once. blind: it cannot tell what it does."""

    def __init__(self) -> None:
        """Start without any split."""
        self.splits: dict[str, Split] = {}
        self.blind = False

    def write(self, split: Split) -> None:
        """Take a split that supersedes the one held."""
        if split.supersedes(self.splits.get(split.service)):
            self.splits[split.service] = split

    def read(self, service: str) -> tuple[int, int] | None:
        """Return the (epoch, version) held; None: cannot tell."""
        held = self.splits.get(service)
        return None if self.blind or held is None else held.order


class MemorySpool:
    """Hold captures up to a bound; what comes when it is full is dropped and counted. losses: by what was lost."""

    def __init__(self, bound: int = 10_000) -> None:
        """Hold up to `bound` captures."""
        self.captures: list[RawExchange] = []
        self.losses: Counter[Place] = Counter()
        self.failure = ""
        self._bound = bound
        self._accepted = self._dropped = 0

    def put(self, batch: Sequence[RawExchange]) -> None:
        """Take captures; what had to be dropped is counted."""
        for raw in batch:
            self._accepted += 1
            if len(self.captures) >= self._bound:
                self._dropped += 1
                self.lose(raw.place)
            else:
                self.captures.append(raw)

    def put_frames(self, frames: Sequence[bytes]) -> None:
        """Take captures that are frames already."""
        self.put([read_frame(frame[HEAD_BYTES:]) for frame in frames])

    def lose(self, place: Place) -> None:
        """Note that an exchange was lost."""
        self.losses[place] += 1

    def counts(self) -> dict[str, int]:
        """Return {"accepted", "written", "dropped"} since the start."""
        return {"accepted": self._accepted, "written": self._accepted - self._dropped, "dropped": self._dropped}


class MemoryWaker:
    """Note which jobs were announced."""

    def __init__(self) -> None:
        """Start without any."""
        self.jobs: list[Job] = []

    def wake(self, jobs: Iterable[Job]) -> None:
        """Note these jobs."""
        self.jobs.extend(jobs)


class MemoryAlerts:
    """Be a receiver that keeps what arrives. asks: seconds to wait that it answers with first, one an item."""

    def __init__(self) -> None:
        """Start with nothing received, and ready to take all."""
        self.sent: list[OutboxItem] = []
        self.asks: list[float] = []

    def send(self, item: OutboxItem) -> float | None:
        """Take the item, or ask to wait."""
        if self.asks:
            return self.asks.pop(0)
        self.sent.append(item)
        return None

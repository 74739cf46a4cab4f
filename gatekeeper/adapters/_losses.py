"""What could not be recorded, by what it was evidence for, until the control plane is told."""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

from gatekeeper.captures.raw import RawExchange

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gatekeeper.model.exchange import Place


def boot_name() -> str:
    """Return a name for this start of this process, which sorts by time."""
    return f"{time.time_ns():016x}{os.getpid():08x}"


class Losses:
    """Count lost exchanges of rollouts' stages; safe to use from any thread. Others judge nothing, and are left out."""

    def __init__(self, name: str) -> None:
        """Owe nothing yet. name: of this start of this process, for the notices' ids."""
        self._name = name
        self._lock = threading.Lock()
        self._owed: Counter[Place] = Counter()
        self._numbers = itertools.count(1)

    def add(self, places: Iterable[Place]) -> None:
        """Note one lost exchange for each place."""
        with self._lock:
            self._owed.update(place for place in places if place.rollout_id and place.stage >= 0)

    def take(self) -> list[RawExchange]:
        """Return a notice for each place that something is owed for; `give_back` what could not be told."""
        if not self._owed:
            return []
        with self._lock:
            owed, self._owed = self._owed, Counter()
        return [
            RawExchange(
                id=f"lost/{self._name}/{next(self._numbers)}",
                ts=time.time(),
                arm=place.arm,
                service=place.service,
                rollout_id=place.rollout_id,
                stage=place.stage,
                epoch=place.epoch,
                lost=count,
            )
            for place, count in owed.items()
        ]

    def give_back(self, notice: RawExchange) -> None:
        """Owe again what a notice would have told."""
        with self._lock:
            self._owed[notice.place] += notice.lost

    def owed(self) -> int:
        """Return how many lost exchanges nobody has been told of."""
        with self._lock:
            return self._owed.total()

"""What a flood of connections has used goes back to the system when it is over: it would be kept for the next one."""

from __future__ import annotations

import ctypes
import gc
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

FLOOD = 256
"""Connections at a time; after fewer there is little to give back."""
EBB = 4
"""A flood is over when a quarter of it is left, """
CALM_S = 2.0
"""for so long: then what was recorded of it has been handed on."""


class Tide:
    """Watch how many connections there are, and give memory back after many."""

    def __init__(self, give_back: Callable[[], object]) -> None:
        """Have seen none."""
        self._give_back = give_back
        self._most = 0
        self._calm_since: float | None = None

    def look(self, connections: int, now: float) -> None:
        """Take notice of how many there are now, monotonic seconds."""
        self._most = max(self._most, connections)
        if self._most < FLOOD or connections > self._most // EBB:
            self._calm_since = None
        elif self._calm_since is None:
            self._calm_since = now
        elif now - self._calm_since >= CALM_S:
            self._most, self._calm_since = connections, None
            self._give_back()


def trim() -> None:
    """Return free memory to the system: lost objects that keep pages from being free, then the C library's own.

    Nothing is done about the latter where the library is not glibc.
    """
    gc.collect()
    found = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if found is not None:
        found(0)

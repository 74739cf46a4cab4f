"""What a flood of connections has used goes back to the system when it is over: the C library would keep it."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

FLOOD = 256
"""Connections at a time; after fewer there is little to give back."""
EBB = 4
"""A flood is over when a quarter of it is left."""


class Tide:
    """Watch how many connections there are, and give memory back after many."""

    def __init__(self, give_back: Callable[[], object] | None = None) -> None:
        """Have seen none. give_back: None: the C library's `malloc_trim`, where it has one."""
        self._give_back = give_back or trim
        self._most = 0

    def look(self, connections: int) -> None:
        """Take notice of how many there are now."""
        self._most = max(self._most, connections)
        if self._most >= FLOOD and connections <= self._most // EBB:
            self._most = connections
            self._give_back()


def trim() -> None:
    """Have the C library return the memory that it keeps free; nothing where it cannot (it is not glibc)."""
    found = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if found is not None:
        found(0)

"""Clocks: the host's, and one that only its owner moves."""

from __future__ import annotations

import time


class HostClock:
    """Tell the host's time."""

    def now(self) -> float:
        """Return unix seconds."""
        return time.time()


class HandClock:
    """Tell the time it was set to."""

    def __init__(self, at: float = 1_700_000_000.0) -> None:
        """Start at `at`, unix seconds."""
        self.at = at

    def now(self) -> float:
        """Return unix seconds."""
        return self.at

    def advance(self, wait_s: float) -> None:
        """Move forward by `wait_s` seconds."""
        self.at += wait_s

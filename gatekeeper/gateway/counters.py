"""What the gateway counts."""

from __future__ import annotations

from collections import Counter


class Counters:
    """Count by (name, labels); only the event loop's thread counts here."""

    def __init__(self) -> None:
        """Start from nothing."""
        self.requests: Counter[tuple[str, str, str]] = Counter()
        self.mirrors: Counter[tuple[str, str]] = Counter()
        self.refusals: Counter[int] = Counter()
        self.rescues: Counter[str] = Counter()
        self.unrescued: Counter[str] = Counter()
        self.shed = 0
        self.connections = 0
        self.unproxied = 0

    def no_proxy_header(self) -> None:
        """Count a connection that was closed because it did not begin with a PROXY header."""
        self.unproxied += 1

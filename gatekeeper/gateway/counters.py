"""What the gateway counts."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Count:
    """Be one number that grows; who counts often keeps it at hand."""

    __slots__ = ("number",)

    def __init__(self) -> None:
        """Start from nothing."""
        self.number = 0


class Counts:
    """Give out counts by their labels."""

    def __init__(self) -> None:
        """Have none."""
        self._counts: dict[tuple[str, ...], Count] = {}

    def of(self, *labels: str) -> Count:
        """Return the count with these labels."""
        count = self._counts.get(labels)
        if count is None:
            count = self._counts[labels] = Count()
        return count

    def items(self) -> Iterator[tuple[tuple[str, ...], int]]:
        """Yield labels and numbers of what was counted at least once."""
        for labels, count in self._counts.items():
            if count.number:
                yield labels, count.number


class Counters:
    """Count by (name, labels); only the event loop's thread counts here.

    requests: by service, arm and outcome. mirrors: by service and what became of the copy.
    """

    def __init__(self) -> None:
        """Start from nothing."""
        self.requests = Counts()
        self.mirrors = Counts()
        self.refusals: Counter[int] = Counter()
        self.rescues: Counter[str] = Counter()
        self.unrescued: Counter[str] = Counter()
        self.shed = 0
        self.connections = 0
        self.unproxied = 0

    def no_proxy_header(self) -> None:
        """Count a connection that was closed because it did not begin with a PROXY header."""
        self.unproxied += 1

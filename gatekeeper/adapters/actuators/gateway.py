"""Our own gateways as actuator: splits are published in the store, gateways say what they apply."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from gatekeeper.model.split import Split
    from gatekeeper.ports import Unit

FRESH_S = 10.0
"""A gateway not heard from for this long is not waited for: it fails to the safe side by itself."""


class GatewayActuator:
    """Publish splits for gateways to follow."""

    def __init__(self, units: Callable[[], Unit], fresh_s: float = FRESH_S) -> None:
        """Keep the store's unit factory and how long a gateway's word is fresh, in seconds."""
        self._units = units
        self._fresh_s = fresh_s

    def write(self, split: Split) -> None:
        """Publish the split unless a newer one of its service stands."""
        with self._units() as unit:
            unit.splits.put(split)

    def read(self, service: str) -> tuple[int, int] | None:
        """Return the oldest (epoch, version) that a live gateway applies; None when no gateway was heard from."""
        with self._units() as unit:
            return unit.splits.seen(service, self._fresh_s)

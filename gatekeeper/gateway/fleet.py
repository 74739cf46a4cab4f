"""The endpoints: their pools and breakers, and the legs that are started to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gatekeeper.gateway.breaker import Breaker
from gatekeeper.gateway.call import Caller, CallLimits
from gatekeeper.gateway.leg import Leg, Road
from gatekeeper.gateway.origin import Pool
from gatekeeper.model.arm import Arm

if TYPE_CHECKING:
    import asyncio
    from ssl import SSLContext

    from gatekeeper.gateway.capture import Capture
    from gatekeeper.gateway.leg import Owner
    from gatekeeper.gateway.limits import Limits

_CANDIDATE: Final = Arm.CANDIDATE


class Fleet:
    """Know every endpoint by its URL."""

    def __init__(self, limits: Limits, loop: asyncio.AbstractEventLoop, tls: SSLContext | None = None) -> None:
        """Know none yet. tls: checks https endpoints' certificates, None: with the system's authorities."""
        self._tls = tls
        self._limits = limits
        self._loop = loop
        self.caller = Caller(loop)
        self._pools: dict[str, Pool] = {}
        self._breakers: dict[str, Breaker] = {}
        self._roads: dict[tuple[str, bool, bool, bool], Road] = {}
        self._stream = CallLimits(first_byte_s=limits.first_byte_s, between_s=limits.between_s, total_s=limits.total_s)
        self._answer = CallLimits(first_byte_s=limits.answer_s, between_s=limits.between_s, total_s=limits.total_s)
        self._shadow = CallLimits(
            first_byte_s=limits.shadow_first_byte_s, between_s=limits.between_s, total_s=limits.shadow_total_s
        )

    def pool(self, url: str) -> Pool:
        """Return the endpoint's connections.

        Raises:
            InputError: the URL is none.
        """
        pool = self._pools.get(url)
        if pool is None:
            pool = self._pools[url] = Pool(url, self._limits, self._loop, self._tls)
        return pool

    def breaker(self, url: str) -> Breaker:
        """Return the endpoint's breaker."""
        breaker = self._breakers.get(url)
        if breaker is None:
            breaker = self._breakers[url] = Breaker(self._limits.breaker_failures, self._limits.breaker_open_s)
        return breaker

    def breakers(self) -> dict[str, Breaker]:
        """Return the breakers there are, by URL."""
        return self._breakers

    def road(self, url: str, arm: Arm, *, streamed: bool, shadow: bool = False) -> Road:
        """Return what leads to an endpoint for requests of a kind.

        Raises:
            InputError: the URL is none.
        """
        charged = arm is _CANDIDATE
        road = self._roads.get((url, charged, streamed, shadow))
        if road is None:
            road = self._roads[url, charged, streamed, shadow] = Road(
                self.caller,
                self.pool(url),
                self._shadow if shadow else self._stream if streamed else self._answer,
                self._limits.record_bytes,
                self.breaker(url) if charged else None,
            )
        return road

    def leg(self, capture: Capture, owner: Owner, *, streamed: bool, shadow: bool = False) -> Leg:
        """Make a leg, not started, to the capture's endpoint.

        Raises:
            InputError: the endpoint's URL is none.
        """
        return Leg(self.road(capture.endpoint.url, capture.arm, streamed=streamed, shadow=shadow), capture, owner)

    def sweep(self, now: float) -> None:
        """Look at deadlines and at idle connections."""
        self.caller.sweep(now)
        for pool in self._pools.values():
            pool.sweep(now)

    def close(self) -> None:
        """Cut every upstream connection."""
        for task in list(self.caller.tasks):
            task.cancel()
        for pool in self._pools.values():
            pool.close()

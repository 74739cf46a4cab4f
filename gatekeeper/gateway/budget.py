"""How many requests may be sent a second time: a share of the traffic, and a floor for quiet hours."""

from __future__ import annotations

import math


class Budget:
    """Earn by requests and by time, forget slowly (over about `window_s`), and pay for second tries.

    share: second tries for each request. floor_per_s: second tries for each second, whatever the traffic. requests:
    seen since the last second try; who sees one adds it. refused: how often there was nothing left.
    """

    __slots__ = ("_at", "_floor_per_s", "_share", "_spare", "_window_s", "refused", "requests")

    def __init__(self, share: float, floor_per_s: float, now: float, window_s: float = 10.0) -> None:
        """Start at `now` (monotonic seconds) with what the floor gives in one window."""
        self._share = share
        self._floor_per_s = floor_per_s
        self._window_s = window_s
        self._spare = floor_per_s * window_s
        self.requests = 0
        self._at = now
        self.refused = 0

    def spend(self, now: float) -> bool:
        """Pay for a second try at `now`; False: there is nothing left."""
        passed_s = max(now - self._at, 1e-6)
        kept = math.exp(-passed_s / self._window_s)
        per_s = self._share * self.requests / passed_s + self._floor_per_s
        self._spare = self._spare * kept + per_s * self._window_s * (1.0 - kept)
        self._at, self.requests = now, 0
        if self._spare < 1.0:
            self.refused += 1
            return False
        self._spare -= 1.0
        return True

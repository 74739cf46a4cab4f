"""The thread that turns captures into exchanges and hands them on, so that no user waits for it."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from gatekeeper.gateway.tap import to_exchange

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gatekeeper.gateway.capture import Capture
    from gatekeeper.model.exchange import Exchange, Place

log = logging.getLogger(__name__)
_GATHER_S = 0.005
"""How long captures gather before the thread works on them: waking it for each would cost more than the work."""
_SLICE_S, _PAUSE_S = 0.0004, 0.001
"""The thread works in slices shorter than the interpreter's switch interval, and lets the event loop run between."""


class Recorder:
    """Take captures from the event loop; bounded; what does not fit is dropped and counted.

    takers: each gets every exchange, in order, from the recorder's thread. counts: accepted, recorded, cut (answers
    longer than is kept), dropped_queue_full, dropped_unread (answers that cannot be read whole), dropped_fault.
    """

    def __init__(
        self,
        takers: Sequence[Callable[[Exchange], object]],
        bound: int,
        lose: Callable[[Place], object] = lambda _: None,
    ) -> None:
        """Start the thread. lose: learns what each dropped exchange was evidence for."""
        self._takers = tuple(takers)
        self._lose = lose
        self._bound = bound
        self._waiting: deque[Capture] = deque()
        self._wake = threading.Event()
        self._asleep = self._closing = False
        self.counts = {
            "accepted": 0,
            "recorded": 0,
            "cut": 0,
            "dropped_queue_full": 0,
            "dropped_unread": 0,
            "dropped_fault": 0,
        }
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Return how many captures wait to be recorded."""
        return len(self._waiting)

    def put(self, capture: Capture) -> None:
        """Take a capture; never waits, never raises."""
        self.counts["accepted"] += 1
        if len(self._waiting) >= self._bound:
            self.counts["dropped_queue_full"] += 1
            self._lose(capture.place)
            return
        self._waiting.append(capture)
        if self._asleep:
            self._asleep = False
            self._wake.set()

    def close(self) -> None:
        """Record what is queued, then end the thread."""
        self._closing = True
        self._wake.set()
        self._thread.join()

    def _run(self) -> None:
        while self._waiting or not self._closing:
            if self._waiting:
                self._work(time.monotonic() + _SLICE_S)
                if not self._closing and len(self._waiting) < self._bound // 2:
                    time.sleep(_PAUSE_S)
                continue
            self._asleep = True
            if not self._waiting and not self._closing:  # one that came before the line above did not wake us
                self._wake.wait()
            self._wake.clear()
            self._asleep = False
            if not self._closing:
                time.sleep(_GATHER_S)

    def _work(self, until: float) -> None:
        """Record captures until a time, monotonic seconds; at least one."""
        while self._waiting:
            self._record(self._waiting.popleft())
            if time.monotonic() >= until:
                return

    def _record(self, capture: Capture) -> None:
        try:
            exchange = to_exchange(capture)
            if exchange.response is None and exchange.error is None:
                self.counts["dropped_unread"] += 1
                self._lose(capture.place)
                return
            for take in self._takers:
                take(exchange)
        except Exception:
            self.counts["dropped_fault"] += 1
            self._lose(capture.place)
            log.exception("exchange %s not recorded", capture.id)
        else:
            self.counts["recorded"] += 1
            self.counts["cut"] += capture.cut

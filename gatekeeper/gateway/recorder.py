"""The thread that turns captures into exchanges and hands them on, so that no user waits for it."""

from __future__ import annotations

import logging
import queue
import threading
from typing import TYPE_CHECKING

from gatekeeper.gateway.tap import to_exchange

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gatekeeper.gateway.capture import Capture
    from gatekeeper.model.exchange import Exchange

log = logging.getLogger(__name__)


class Recorder:
    """Take captures from the event loop; bounded; what does not fit is dropped and counted.

    takers: each gets every exchange, in order, from the recorder's thread. counts: accepted, recorded, cut (answers
    longer than is kept), dropped_queue_full, dropped_unread (answers that cannot be read whole), dropped_fault.
    """

    def __init__(self, takers: Sequence[Callable[[Exchange], object]], bound: int) -> None:
        """Start the thread."""
        self._takers = tuple(takers)
        self._bound = bound
        self._queue: queue.SimpleQueue[Capture | None] = queue.SimpleQueue()
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

    def put(self, capture: Capture) -> None:
        """Take a capture; never waits, never raises."""
        self.counts["accepted"] += 1
        if self._queue.qsize() >= self._bound:
            self.counts["dropped_queue_full"] += 1
            return
        self._queue.put(capture)

    def close(self) -> None:
        """Record what is queued, then end the thread."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (capture := self._queue.get()) is not None:
            try:
                exchange = to_exchange(capture)
                if exchange.response is None and exchange.error is None:
                    self.counts["dropped_unread"] += 1
                    continue
                for take in self._takers:
                    take(exchange)
            except Exception:
                self.counts["dropped_fault"] += 1
                log.exception("exchange %s not recorded", capture.id)
            else:
                self.counts["recorded"] += 1
                self.counts["cut"] += capture.cut

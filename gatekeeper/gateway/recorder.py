"""The thread that hands on what was captured, so that no user waits for it."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final, Protocol

from gatekeeper.captures.coding import KNOWN
from gatekeeper.captures.tap import to_exchange, unreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gatekeeper.captures.raw import RawExchange
    from gatekeeper.gateway.http import Head, Request
    from gatekeeper.model.exchange import Exchange, Failure, Place
    from gatekeeper.ports import Spool

log = logging.getLogger(__name__)
_GATHER_S: Final = 0.02
"""How long captures gather before the thread works on them: waking it for each would cost more than the work."""
_GATHERED: Final = 128
"""So many are handed on at once: more would have left the processor's cache before they are copied."""
_SHORT: Final = 64 << 10
"""Bytes of a request's and of an answer's body that are copied at once."""
_SLICE_S: Final = 0.0004
_PAUSE_S: Final = 0.001
"""The thread works in slices shorter than the interpreter's switch interval, and lets the event loop run between."""
_NOTICE_S: Final = 1.0
"""How soon a loss is written down when nothing else comes."""
_SHADOW_SHARE: Final = 0.75
"""Mirrored requests may fill the queue up to this share; the rest is kept for those that only users saw."""


class Captured(Protocol):
    """Be an exchange that has ended, and what there is of it.

    size: of the answer's body, bytes. cut: it was longer than is kept. failure: None where nothing went wrong.
    """

    request: Request
    size: int
    cut: bool
    pair_id: str | None
    head: Head | None
    failure: Failure | None

    @property
    def place(self) -> Place:
        """Return what it is evidence for."""

    def raw(self) -> RawExchange:
        """Return what is recorded of it."""

    def frame(self) -> bytes:
        """Return that as a frame, or raise ValueError."""


class Keeps(Protocol):
    """Be who takes captures."""

    def put(self, capture: Captured) -> None:
        """Take a capture; never waits, never raises."""


class Recorder:
    """Take captures from the event loop; bounded; what does not fit is dropped and counted.

    The spool gets them raw, in batches, to be read elsewhere. Short ones are written into frames where they are taken,
    which costs less than to leave their many small objects to another thread; the thread hands the frames on. takers:
    each gets every exchange, read in the thread, in order. `counts`: accepted, recorded, cut (answers longer than is
    kept), dropped_queue_full, dropped_shadow_shed (mirrored, and the queue nearly full), dropped_unread (answers that
    cannot be read whole), dropped_fault.
    """

    def __init__(self, spool: Spool | None, takers: Sequence[Callable[[Exchange], object]], bound: int) -> None:
        """Start the thread. spool: also learns what each dropped capture was evidence for."""
        self._spool = spool
        self._takers = tuple(takers)
        self._bound = bound
        self._shadow_bound = bound * _SHADOW_SHARE
        self._waiting: deque[Captured] = deque()
        self._frames: deque[bytes] = deque()
        self._accepted = self._framed = 0
        self._frames_here = spool is not None and not self._takers
        self._wake: SimpleQueue[None] = SimpleQueue()
        self._asleep = self._closing = False
        self._counts = {
            "recorded": 0,
            "cut": 0,
            "dropped_queue_full": 0,
            "dropped_shadow_shed": 0,
            "dropped_unread": 0,
            "dropped_fault": 0,
        }
        self._runner = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._runner.start()

    @property
    def waiting(self) -> int:
        """Return how many captures wait to be recorded."""
        return len(self._waiting) + len(self._frames)

    @property
    def counts(self) -> dict[str, int]:
        """Return what was counted so far."""
        return {**self._counts, "accepted": self._accepted, "recorded": self._framed + self._counts["recorded"]}

    def put(self, capture: Captured) -> None:
        """Take a capture; never waits, never raises."""
        self._accepted += 1
        waiting = len(self._waiting) + len(self._frames)
        if waiting >= self._shadow_bound and (waiting >= self._bound or capture.pair_id is not None):
            self._counts["dropped_queue_full" if waiting >= self._bound else "dropped_shadow_shed"] += 1
            if self._spool is not None:
                self._spool.lose(capture.place)
            return
        head = capture.head
        fits = self._frames_here and capture.size <= _SHORT and len(capture.request.body) <= _SHORT
        if fits and not capture.cut and head is not None and head.coding in KNOWN:
            try:
                self._frames.append(capture.frame())
            except ValueError:
                self._waiting.append(capture)
            else:
                self._framed += 1
        else:
            self._waiting.append(capture)  # it is long, or may have to be dropped
        if self._asleep or waiting == _GATHERED:
            self._asleep = False
            self._wake.put(None)

    def close(self) -> None:
        """Record what is queued, then end the thread."""
        self._closing = True
        self._wake.put(None)
        self._runner.join()

    def _run(self) -> None:
        while self.waiting or not self._closing:
            if self.waiting:
                self._hand_on_frames()
                if self._waiting:
                    self._work(time.monotonic() + _SLICE_S)
                if not self._closing and self.waiting < self._bound // 2:
                    self._gather(_PAUSE_S if self._waiting else _GATHER_S)
                continue
            self._asleep = True
            if not self.waiting and not self._closing:  # one that came before the line above did not wake us
                self._rest()
            self._asleep = False
            if not self._closing:
                self._gather(_GATHER_S)

    def _gather(self, wait_s: float) -> None:
        """Let captures gather, for so long or until there are many."""
        with suppress(Empty):
            self._wake.get(timeout=wait_s)

    def _rest(self) -> None:
        """Wait for captures, and give the spool time for its notices meanwhile."""
        while True:
            try:
                self._wake.get(timeout=_NOTICE_S)
            except Empty:
                self._hand_on([])
            else:
                return

    def _work(self, until: float) -> None:
        """Record captures until a time, monotonic seconds; at least one."""
        batch: list[RawExchange] = []
        while self._waiting:
            self._read(self._waiting.popleft(), batch)
            if time.monotonic() >= until:
                break
        self._hand_on(batch)

    def _read(self, capture: Captured, batch: list[RawExchange]) -> None:
        """Add a capture to the batch, and give it to the takers; one that cannot be read whole is dropped."""
        raw = capture.raw()
        try:
            if not (self._taken(raw) if self._takers else not unreadable(raw)):
                self._drop(raw, "dropped_unread")
                return
        except Exception:
            self._drop(raw, "dropped_fault")
            log.exception("exchange %s not recorded", raw.id)
            return
        batch.append(raw)
        self._counts["recorded"] += 1
        self._counts["cut"] += raw.cut

    def _taken(self, raw: RawExchange) -> bool:
        """Read an exchange and give it to the takers; False when it cannot be read whole."""
        exchange = to_exchange(raw)
        if exchange.response is None and exchange.error is None:
            return False
        for take in self._takers:
            take(exchange)
        return True

    def _drop(self, raw: RawExchange, reason: str) -> None:
        self._counts[reason] += 1
        if self._spool is not None:
            self._spool.lose(raw.place)

    def _hand_on_frames(self) -> None:
        count = len(self._frames)
        if count and self._spool is not None:
            take = self._frames.popleft
            self._spool.put_frames([take() for _ in range(count)])

    def _hand_on(self, batch: list[RawExchange]) -> None:
        if self._spool is not None:
            self._spool.put(batch)

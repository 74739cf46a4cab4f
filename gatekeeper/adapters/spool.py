"""The disk spool: exchanges go through a bounded queue into append-only JSONL segments, which a reader takes on.

A segment is `<boot>-<number>.jsonl`; its writer holds a lock on it, so that a reader can tell one that still grows
from one that is finished, also after the writer was killed. What a killed process loses is what its queue held.
"""

from __future__ import annotations

import fcntl
import itertools
import logging
import os
import queue
import threading
import time
from typing import TYPE_CHECKING

from gatekeeper.adapters._losses import Losses, boot_name
from gatekeeper.adapters.spool_reader import Batch, SpoolReader
from gatekeeper.adapters.spool_shipper import Shipper
from gatekeeper.model.wire import exchange_line

if TYPE_CHECKING:
    from pathlib import Path

    from gatekeeper.model.exchange import Exchange, Place

__all__ = ["Batch", "DiskSpool", "Shipper", "SpoolReader", "boot_name"]

log = logging.getLogger(__name__)
_BATCH = 500
_NOTICE_S = 1.0
"""How soon a loss is written down when no exchange comes."""
_GATHER_S = 0.005
"""How long exchanges gather before they are written: a write for each would cost more than the exchange."""
_SHADOW_SHARE = 0.75
"""Mirrored exchanges may fill the queue up to this share; the rest is kept for those that users saw."""


class DiskSpool:
    """Take exchanges without waiting, and write them from a thread of its own; implements `ports.Spool`.

    queue_items: bound of the queue. segment_bytes: a segment larger than this is followed by the next.
    directory_bytes: beyond this much unread, exchanges are dropped and counted.
    """

    def __init__(
        self,
        directory: Path,
        *,
        boot: str | None = None,
        queue_items: int = 20_000,
        segment_bytes: int = 8 << 20,
        directory_bytes: int = 2 << 30,
    ) -> None:
        """Create the directory and start the writer."""
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self._boot = boot or boot_name()
        self._bound = queue_items
        self._segment_bytes = segment_bytes
        self._directory_bytes = directory_bytes
        self._queue: queue.SimpleQueue[Exchange | None] = queue.SimpleQueue()
        self._numbers = itertools.count(1)
        self._descriptor = -1
        self._offset = 0
        self._accepted = 0
        self._written = 0
        self._dropped = {"queue_full": 0, "shadow_shed": 0, "disk": 0, "closed": 0, "unwritable": 0}
        self._count_lock = threading.Lock()
        self._losses = Losses(self._boot)
        self._closed = False
        self.failure = ""
        self._thread = threading.Thread(target=self._run, name="spool", daemon=True)
        self._thread.start()

    def put(self, exchange: Exchange) -> bool:
        """Take an exchange; False when it was dropped, which is counted by reason. Never waits, never raises."""
        waiting = self._queue.qsize()
        reason = ""
        if self._closed:
            reason = "closed"
        elif waiting >= self._bound:
            reason = "queue_full"
        elif exchange.pair_id is not None and waiting >= self._bound * _SHADOW_SHARE:
            reason = "shadow_shed"
        with self._count_lock:
            if reason:
                self._dropped[reason] += 1
            else:
                self._accepted += 1
        if reason:
            self._losses.add([exchange.place])
            return False
        self._queue.put(exchange)
        return True

    def lose(self, place: Place) -> None:
        """Note that an exchange was lost before it came here; a notice of it is written with what comes next."""
        self._losses.add([place])

    def counts(self) -> dict[str, int]:
        """Return accepted, written, dropped, and dropped_<reason> for each reason, since the start.

        lost_untold: exchanges that were lost, here or before, and that no notice was written of yet.
        """
        with self._count_lock:
            by_reason = {f"dropped_{reason}": count for reason, count in self._dropped.items()}
            return {
                "accepted": self._accepted,
                "written": self._written,
                "dropped": sum(self._dropped.values()),
                "lost_untold": self._losses.owed(),
                **by_reason,
            }

    def close(self) -> None:
        """Write what is queued, close the segment and end the writer; later exchanges are dropped."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
            self._thread.join()

    def _run(self) -> None:
        ended = False
        while not ended:
            batch = self._wait()
            if batch and not self._closed:
                time.sleep(_GATHER_S)
            while len(batch) < _BATCH and not self._queue.empty():
                batch.append(self._queue.get())
            ended = None in batch
            self._write([exchange for exchange in batch if exchange is not None])
        self._close_segment()

    def _wait(self) -> list[Exchange | None]:
        """Return the next exchange, or nothing when none comes for a while: notices may be due."""
        try:
            return [self._queue.get(timeout=_NOTICE_S)]
        except queue.Empty:
            return []

    def _write(self, batch: list[Exchange]) -> None:
        encoded = [(exchange, line) for exchange in batch if (line := self._encode(exchange))]
        notices = self._losses.take()
        try:
            self._append([line for _, line in encoded] + [self._encode(notice) for notice in notices])
        except OSError as exc:
            self._losses.give_back(notices)
            self._losses.add(exchange.place for exchange, _ in encoded)
            self._give_up(len(encoded), exc)
        else:
            self.failure = ""
            with self._count_lock:
                self._written += len(encoded)

    def _append(self, encoded: list[bytes]) -> None:
        """Write lines to the segment; on OSError its end may hold a part of them."""
        if not encoded:
            return
        lines = b"".join(encoded)
        self._open_segment()
        written = 0
        while written < len(lines):
            written += os.write(self._descriptor, lines[written:])
        self._offset += written

    def _encode(self, exchange: Exchange) -> bytes:
        """Return the exchange's line; b"" when it cannot be one, which is counted."""
        try:
            return exchange_line(exchange)
        except ValueError as exc:
            log.warning("spool: exchange %s cannot be written: %s", exchange.id, exc)
            with self._count_lock:
                self._dropped["unwritable"] += 1
            self._losses.add([exchange.place])
            return b""

    def _give_up(self, count: int, exc: OSError) -> None:
        if not self.failure:
            log.error("spool %s: cannot write, exchanges are dropped and counted: %s", self.directory, exc)
        self.failure = str(exc)
        with self._count_lock:
            self._dropped["disk"] += count
        if self._descriptor >= 0:
            os.ftruncate(self._descriptor, self._offset)

    def _open_segment(self) -> None:
        if self._descriptor >= 0 and self._offset < self._segment_bytes:
            return
        self._close_segment()
        unread = sum(segment.stat().st_size for segment in self.directory.glob("*.jsonl"))
        if unread >= self._directory_bytes:
            raise OSError(f"{unread} bytes wait to be read, of {self._directory_bytes} allowed")
        path = self.directory / f"{self._boot}-{next(self._numbers):08d}.jsonl"
        hidden = path.with_suffix(".opening")
        self._descriptor = os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        hidden.rename(path)
        self._offset = 0

    def _close_segment(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

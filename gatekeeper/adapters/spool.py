"""The disk spool: captures go into append-only segments, a batch at a time, which a reader takes on.

A segment is `<boot>-<number>.captures`; its writer holds a lock on it, so that a reader can tell one that still grows
from one that is finished, also after the writer was killed. What a killed process loses is what it had not yet put.
"""

from __future__ import annotations

import fcntl
import itertools
import logging
import os
import threading
from typing import TYPE_CHECKING

from gatekeeper.adapters._losses import Losses, boot_name
from gatekeeper.adapters._marks import Marks
from gatekeeper.adapters.spool_reader import OPENING, SEGMENTS, Batch, SpoolReader
from gatekeeper.adapters.spool_shipper import Shipper
from gatekeeper.captures.frames import HEAD_BYTES, frame_of, read_frame

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from gatekeeper.captures.raw import RawExchange
    from gatekeeper.model.exchange import Place

__all__ = ["Batch", "DiskSpool", "Shipper", "SpoolReader", "boot_name"]

log = logging.getLogger(__name__)
_AT_ONCE = 512
"""Frames that are written in one call; no system takes fewer than 1,024 parts."""


class DiskSpool:
    """Write captures as they are put, by one thread at a time; implements `ports.Spool`.

    segment_bytes: a segment larger than this is followed by the next. directory_bytes: beyond this much unread,
    captures are dropped and counted. marks: where its writes ended, for a reader in this process.
    """

    def __init__(
        self,
        directory: Path,
        *,
        boot: str | None = None,
        segment_bytes: int = 8 << 20,
        directory_bytes: int = 2 << 30,
    ) -> None:
        """Create the directory."""
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self._boot = boot or boot_name()
        self._segment_bytes = segment_bytes
        self._directory_bytes = directory_bytes
        self._numbers = itertools.count(1)
        self._descriptor = -1
        self._offset = 0
        self._accepted = 0
        self._written = 0
        self._dropped = {"disk": 0, "closed": 0, "unwritable": 0}
        self._lock = threading.Lock()
        self._losses = Losses(self._boot)
        self._path = directory
        self.marks = Marks()
        self._closed = False
        self.failure = ""

    def put(self, batch: Sequence[RawExchange]) -> None:
        """Write captures, and notices of what was lost before; what cannot be kept is counted. Never raises."""
        self.put_frames([frame for raw in batch if (frame := self._frame(raw)) is not None])

    def put_frames(self, frames: Sequence[bytes]) -> None:
        """Write captures that are frames already; see `put`."""
        with self._lock:
            self._accepted += len(frames)
            if self._closed:
                self._dropped["closed"] += len(frames)
                self._losses.add(_places(frames))
            else:
                self._write(frames)

    def lose(self, place: Place) -> None:
        """Note that an exchange was lost before it came here; a notice of it is written with the next batch."""
        self._losses.add([place])

    def counts(self) -> dict[str, int]:
        """Return accepted, written, dropped, and dropped_<reason> for each reason, since the start.

        lost_untold: exchanges that were lost, here or before, and that no notice was written of yet.
        """
        by_reason = {f"dropped_{reason}": count for reason, count in self._dropped.items()}
        return {
            "accepted": self._accepted,
            "written": self._written,
            "dropped": sum(self._dropped.values()),
            "lost_untold": self._losses.owed(),
            **by_reason,
        }

    def close(self) -> None:
        """Write the notices that are due and close the segment; what is put later is dropped."""
        with self._lock:
            if not self._closed:
                self._write([])
                self._closed = True
                self._close_segment()

    def _write(self, frames: Sequence[bytes]) -> None:
        notices = self._losses.take()
        try:
            self._append([*frames, *[frame_of(notice, notice.id) for notice in notices]])
        except OSError as exc:
            for notice in notices:
                self._losses.give_back(notice)
            self._losses.add(_places(frames))
            self._give_up(len(frames), exc)
        else:
            self.failure = ""
            self._written += len(frames)

    def _append(self, frames: Sequence[bytes]) -> None:
        """Write frames to the segment; on OSError its end may hold a part of them."""
        if not frames:
            return
        self._open_segment()
        written = sum([self._gathered(frames[at : at + _AT_ONCE]) for at in range(0, len(frames), _AT_ONCE)])
        self.marks.note(self._path, self._offset, self._offset + written, len(frames))
        self._offset += written

    def _gathered(self, frames: Sequence[bytes]) -> int:
        """Write frames in one call, or in more where the system takes a part; return their size."""
        size = sum(map(len, frames))
        written = os.writev(self._descriptor, frames)
        if written < size:
            left = memoryview(b"".join(frames))
            while written < size:
                written += os.write(self._descriptor, left[written:])
        return size

    def _frame(self, raw: RawExchange) -> bytes | None:
        """Return a capture's frame; None when it cannot be one, which is counted."""
        try:
            return frame_of(raw, raw.id)
        except ValueError as exc:
            log.warning("spool: not written: %s", exc)
            with self._lock:
                self._accepted += 1
                self._dropped["unwritable"] += 1
            self._losses.add([raw.place])
            return None

    def _give_up(self, count: int, exc: OSError) -> None:
        if not self.failure:
            log.error("spool %s: cannot write, exchanges are dropped and counted: %s", self.directory, exc)
        self.failure = str(exc)
        self._dropped["disk"] += count
        if self._descriptor >= 0:
            os.ftruncate(self._descriptor, self._offset)

    def _open_segment(self) -> None:
        if self._descriptor >= 0 and self._offset < self._segment_bytes:
            return
        self._close_segment()
        unread = sum(segment.stat().st_size for segment in self.directory.glob(SEGMENTS))
        if unread >= self._directory_bytes:
            raise OSError(f"{unread} bytes wait to be read, of {self._directory_bytes} allowed")
        path = self.directory / f"{self._boot}-{next(self._numbers):08d}{SEGMENTS[1:]}"
        hidden = path.with_suffix(OPENING[1:])
        descriptor = os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            hidden.rename(path)
        except OSError:
            os.close(descriptor)
            raise
        self._descriptor = descriptor
        self._path = path
        self._offset = 0

    def _close_segment(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _places(frames: Sequence[bytes]) -> Iterator[Place]:
    return (read_frame(frame[HEAD_BYTES:]).place for frame in frames)

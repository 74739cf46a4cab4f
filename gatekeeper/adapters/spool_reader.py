"""Reading a spool: batches of whole captures from where the last commit ended; finished segments are deleted."""

from __future__ import annotations

import fcntl
import logging
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gatekeeper.adapters._marks import Marks
from gatekeeper.adapters._post import FilePart
from gatekeeper.captures.frames import HEAD_BYTES, ends, read_frame, split_frames
from gatekeeper.captures.tap import evidence
from gatekeeper.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import BufferedReader

    from gatekeeper.model.exchange import Exchange

log = logging.getLogger(__name__)
SEGMENTS = "*.captures"
OPENING = "*.opening"
"""A segment that its writer has created and not yet locked: empty, and left behind by one killed in between."""
_ABANDONED_S = 60.0
_READ_BYTES = 1 << 20


def read_exchange(frame: bytes) -> Exchange | None:
    """Return the exchange in a frame, or the notice that it was lost; None, logged, where it cannot be read."""
    try:
        return evidence(read_frame(frame))
    except (InputError, ValueError, TypeError, AttributeError) as exc:
        log.warning("spool: a frame of %d bytes cannot be read and is left out: %s", len(frame), exc)
        return None


@dataclass(frozen=True, slots=True)
class Batch:
    """Hold whole frames of one segment; `commit` says that they are safe elsewhere. start, end: their offsets, bytes.

    count: of the frames.
    """

    segment: Path
    start: int
    end: int
    count: int

    @property
    def part(self) -> FilePart:
        """Return where they are."""
        return FilePart(self.segment, self.start, self.end - self.start)

    @property
    def data(self) -> bytes:
        """Return all of them, as they are in the segment."""
        return self.part.read()

    @property
    def frames(self) -> list[bytes]:
        """Return the frames without their lengths, in order."""
        return list(split_frames(self.data))

    @property
    def exchanges(self) -> list[Exchange]:
        """Return the exchanges, in order; what cannot be read is left out."""
        return [exchange for exchange in map(read_exchange, self.frames) if exchange is not None]

    def commit(self) -> None:
        """Never give these frames again, in this process or the next."""
        marker = _marker(self.segment)
        fresh = marker.with_suffix(".new")
        fresh.write_text(f"{self.end}\n", encoding="ascii")
        fresh.replace(marker)


class SpoolReader:
    """Read a spool's directory, oldest segment first; one reader a directory."""

    def __init__(self, directory: Path, marks: Marks | None = None) -> None:
        """Keep the directory; it need not exist yet. marks: of the spool that writes it in this process."""
        self.directory = directory
        self._marks = marks or Marks()

    def batches(self, most: int = 500) -> Iterator[Batch]:
        """Yield what is there now and not committed, in batches of up to so many captures; then end."""
        for segment in sorted(self.directory.glob(SEGMENTS)):
            finished = _finished(segment)
            offset = _committed(segment)
            with segment.open("rb") as file:
                while True:
                    count, end = self._marks.take(segment, offset, most) or _whole_frames(file, offset, most)
                    if not count:
                        break
                    start, offset = offset, end
                    yield Batch(segment, start, end, count)
            if finished and _committed(segment) >= offset:
                self._delete(segment, offset)
        self._sweep()

    def _sweep(self) -> None:
        """Delete what writers killed while they opened a segment have left: nothing is in it."""
        for hidden in self.directory.glob(OPENING):
            with suppress(FileNotFoundError):
                if time.time() - hidden.stat().st_mtime > _ABANDONED_S:
                    hidden.unlink()

    def _delete(self, segment: Path, offset: int) -> None:
        torn = segment.stat().st_size - offset
        if torn:
            log.warning("spool: %s ends in %d bytes of a frame that was never finished; left out", segment.name, torn)
        segment.unlink()
        _marker(segment).unlink(missing_ok=True)


def _marker(segment: Path) -> Path:
    return segment.with_suffix(".offset")


def _committed(segment: Path) -> int:
    try:
        return int(_marker(segment).read_text(encoding="ascii"))
    except (FileNotFoundError, ValueError):
        return 0


def _finished(segment: Path) -> bool:
    """Tell whether no writer holds the segment any more: it was rotated, closed or its writer died."""
    with segment.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def _whole_frames(file: BufferedReader, offset: int, most: int) -> tuple[int, int]:
    """Look for whole frames from an offset on, up to so many and about 1 MiB; one alone may be larger.

    Returns their count, and where they end.
    """
    file.seek(offset)
    data = file.read(_READ_BYTES)
    found = ends(data, most)
    if not found and len(data) == _READ_BYTES:
        data += file.read(HEAD_BYTES + int.from_bytes(data[:HEAD_BYTES], "big") - len(data))
        found = ends(data, 1)
    return (len(found), offset + found[-1]) if found else (0, offset)

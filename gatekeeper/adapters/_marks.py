"""Where a spool's writes ended, for a reader in the same process, which then need not look for the ends of frames."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

_REMEMBERED = 4_096
_BATCH_BYTES, _WRITE_BYTES = 4 << 20, 8 << 20


class _Mark(NamedTuple):
    """Hold one write: so many whole frames from `start` to `end` of the segment with this name."""

    segment: str
    start: int
    end: int
    frames: int


class Marks:
    """Remember the last writes, the oldest first; one thread writes, one reads. What is forgotten is looked for."""

    def __init__(self) -> None:
        """Know of no write."""
        self._marks: deque[_Mark] = deque(maxlen=_REMEMBERED)

    def note(self, segment: Path, start: int, end: int, count: int) -> None:
        """Note that so many frames were written to a segment, from one offset to another."""
        self._marks.append(_Mark(segment.name, start, end, count))

    def take(self, segment: Path, offset: int, most: int) -> tuple[int, int] | None:
        """Return how many frames of a segment follow an offset, and where they end; whole writes, up to 4 MiB.

        None: nothing is known of what follows, or the write there is too large for one batch; most: of its frames.
        """
        name, marks = segment.name, self._marks
        while marks and (marks[0].segment, marks[0].start) < (name, offset):
            marks.popleft()
        count, end = 0, offset
        while marks:
            mark = marks[0]
            size, number = mark.end - offset, count + mark.frames
            if (mark.segment, mark.start) != (name, end) or number > most:
                break
            if size > (_BATCH_BYTES if count else _WRITE_BYTES):
                break
            marks.popleft()
            count, end = number, mark.end
        return (count, end) if count else None

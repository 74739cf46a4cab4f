"""Reading a spool: batches of whole lines from where the last commit ended; finished segments are deleted."""

from __future__ import annotations

import fcntl
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from gatekeeper.errors import InputError
from gatekeeper.model.exchange import Exchange
from gatekeeper.model.wire import from_dict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

log = logging.getLogger(__name__)


def read_line(line: bytes) -> Exchange | None:
    """Return the exchange on a line; None when it is not one, which is logged."""
    try:
        return from_dict(Exchange, orjson.loads(line))
    except (ValueError, InputError, AttributeError) as exc:
        log.warning("spool: a line of %d bytes is no exchange and is left out: %s", len(line), exc)
        return None


@dataclass(frozen=True, slots=True)
class Batch:
    """Hold whole lines of one segment; `commit` says that they are safe elsewhere. end: offset after them, bytes."""

    segment: Path
    end: int
    lines: tuple[bytes, ...]

    @property
    def exchanges(self) -> list[Exchange]:
        """Return the lines as exchanges, in order; broken ones are left out."""
        return [exchange for exchange in map(read_line, self.lines) if exchange is not None]

    def commit(self) -> None:
        """Never give these lines again, in this process or the next."""
        marker = _marker(self.segment)
        fresh = marker.with_suffix(".new")
        fresh.write_text(f"{self.end}\n", encoding="ascii")
        fresh.replace(marker)


class SpoolReader:
    """Read a spool's directory, oldest segment first; one reader a directory."""

    def __init__(self, directory: Path) -> None:
        """Keep the directory; it need not exist yet."""
        self.directory = directory

    def batches(self, max_lines: int = 500) -> Iterator[Batch]:
        """Yield what is there now and not committed, in batches of up to max_lines; then end."""
        for segment in sorted(self.directory.glob("*.jsonl")):
            finished = _finished(segment)
            offset = _committed(segment)
            with segment.open("rb") as file:
                file.seek(offset)
                while lines := _whole_lines(file.readline, max_lines):
                    offset += sum(len(line) + 1 for line in lines)
                    yield Batch(segment, offset, lines)
                    file.seek(offset)
            if finished and _committed(segment) >= offset:
                self._delete(segment, offset)

    def waiting_bytes(self) -> int:
        """Return how many bytes are not committed yet."""
        segments = self.directory.glob("*.jsonl")
        return sum(max(0, segment.stat().st_size - _committed(segment)) for segment in segments)

    def _delete(self, segment: Path, offset: int) -> None:
        torn = segment.stat().st_size - offset
        if torn:
            log.warning("spool: %s ends in %d bytes of a line that was never finished; left out", segment.name, torn)
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


def _whole_lines(readline: Callable[[], bytes], max_lines: int) -> tuple[bytes, ...]:
    lines: list[bytes] = []
    while len(lines) < max_lines:
        line = readline()
        if not line.endswith(b"\n"):
            break
        lines.append(line[:-1])
    return tuple(lines)

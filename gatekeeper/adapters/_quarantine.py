"""What of a spool the control plane will never take: put aside on disk, where somebody may look at it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

log = logging.getLogger(__name__)


class Quarantine:
    """Keep refused lines in files of a directory of its own, up to `most_bytes` in all; what is beyond is dropped.

    refused: lines put aside or dropped since the start. dropped: those of them that found no room.
    """

    def __init__(self, directory: Path, most_bytes: int = 256 << 20) -> None:
        """Keep the directory; it is made when it is needed."""
        self.directory = directory
        self._most_bytes = most_bytes
        self.refused = 0
        self.dropped = 0

    def put(self, name: str, lines: Iterable[bytes], reason: str) -> None:
        """Put lines aside in the file `name`; the same name again replaces it. Never raises."""
        kept = list(lines)
        self.refused += len(kept)
        path = self.directory / name
        try:
            problem = self._write(path, b"".join(line + b"\n" for line in kept))
        except OSError as exc:
            problem = str(exc)
        if problem:
            self.dropped += len(kept)
            log.error("%d exchanges were refused (%s) and dropped: %s: %s", len(kept), reason, path, problem)
        else:
            log.error("%d exchanges were refused and put aside in %s: %s", len(kept), path, reason)

    def _write(self, path: Path, content: bytes) -> str:
        self.directory.mkdir(parents=True, exist_ok=True)
        held = sum(file.stat().st_size for file in self.directory.glob("*.jsonl") if file != path)
        if held + len(content) > self._most_bytes:
            return f"{held} bytes are there, of {self._most_bytes} allowed"
        path.write_bytes(content)
        return ""

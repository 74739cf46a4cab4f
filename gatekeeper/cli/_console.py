"""Where the command line writes: results to stdout, all else to stderr, progress only to a person who waits."""

from __future__ import annotations

import io
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from _typeshed import ReadableBuffer
    from rich.progress import Progress, TaskID

PATIENCE_S = 2.0
"""Seconds before a progress bar appears."""

_COLOURS = {"promote": "32", "hold": "33", "rollback": "31"}


class Tick(Protocol):
    """Report progress: `done` so far in all, with a new total when it has changed."""

    def __call__(self, done: float, total: float | None = None) -> None:
        """Show that `done` of the total is done."""


def emit(text: str, *, output: Path | None = None) -> None:
    """Write a result to stdout, and to a file when one is wanted; a verdict's first word is coloured for terminals."""
    body = text if text.endswith("\n") else f"{text}\n"
    if output is not None:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(body, encoding="utf-8")
    word = body.split(":", 1)[0]
    colour = _COLOURS.get(word.lower())
    if colour and sys.stdout.isatty():
        body = f"\033[1;{colour}m{word}\033[0m{body[len(word) :]}"
    sys.stdout.write(body)
    sys.stdout.flush()


def note(text: str) -> None:
    """Tell a person something that is not the result, on stderr."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def complain(text: str) -> None:
    """Say what is wrong, on stderr, one `error:` a line."""
    prefix = "\033[1;31merror:\033[0m" if sys.stderr.isatty() else "error:"
    note("\n".join(f"{prefix} {line}" for line in text.splitlines()))


@contextmanager
def progress(
    title: str,
    total: float | None = None,
    *,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Tick]:
    """Hand out a function that shows progress: on a terminal, and only once `PATIENCE_S` have passed.

    total: None while nobody knows how much there is.
    """
    bar = _Bar(title, total, clock)
    try:
        yield bar.tick
    finally:
        bar.close()


class _Bar:
    """A bar that is drawn late or never."""

    def __init__(self, title: str, total: float | None, clock: Callable[[], float]) -> None:
        self._title = title
        self._total = total
        self._clock = clock
        self._started_at = clock()
        self._wanted = sys.stderr.isatty()
        self._drawn: tuple[Progress, TaskID] | None = None

    def tick(self, done: float, total: float | None = None) -> None:
        """Show that `done` of the total is done."""
        self._total = total if total is not None else self._total
        if not self._wanted or (self._drawn is None and self._clock() - self._started_at < PATIENCE_S):
            return
        bar, task = self._drawn = self._drawn or self._draw()
        bar.update(task, completed=done, total=self._total)

    def close(self) -> None:
        """Take the bar away."""
        if self._drawn:
            self._drawn[0].stop()

    def _draw(self) -> tuple[Progress, TaskID]:
        from rich.console import Console  # noqa: PLC0415 - 40 ms that only a shown bar needs
        from rich.progress import Progress  # noqa: PLC0415 - as above

        bar = Progress(console=Console(stderr=True), transient=True)
        bar.start()
        return bar, bar.add_task(self._title, total=self._total)


class _PatientFile(io.FileIO):
    """A file that swallows what nobody reads any more, so that `| head` changes no exit code."""

    def write(self, data: ReadableBuffer, /) -> int:
        """Write, or forget it when the reader has gone."""
        try:
            return super().write(data)
        except BrokenPipeError:
            return memoryview(data).nbytes


def keep_writing(stream: TextIO) -> TextIO:
    """Return a stream to the same place that outlives its reader; the stream itself where there is no file below."""
    try:
        number = stream.fileno()
    except (OSError, AttributeError):
        return stream
    stream.flush()
    raw = _PatientFile(number, "w", closefd=False)
    return io.TextIOWrapper(
        io.BufferedWriter(raw), encoding=stream.encoding, errors="backslashreplace", line_buffering=stream.isatty()
    )

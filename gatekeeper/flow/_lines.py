"""Samples as JSON lines, some at a time: a plain file, a .gz, or stdin."""

from __future__ import annotations

import gzip
import sys
import zlib
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import msgspec
import numpy as np

from gatekeeper.errors import InputError
from gatekeeper.flow._rows import from_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gatekeeper.flow._labels import Labels
    from gatekeeper.flow._rows import Part, Wanted

    Tick = Callable[[float], None]

BLOCK_BYTES = 1 << 20
"""Read at once: what comes of it stays in the processor's cache, which halves the time of what follows."""

LONGEST_LINE = 1 << 26
"""Bytes of one line beyond which a file is not one of samples."""

_NEWLINE = ord("\n")
_UTF8_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def from_lines(name: str, wanted: Wanted, labels: Labels, tick: Tick | None) -> Iterator[Part]:
    """Read JSON lines in parts; name: a path, or `-` for stdin. tick: told how many bytes of the file are read.

    Raises:
        InputError: not readable, cut off, or a line that is no sample; the message names the line.
    """
    shown = "stdin" if name == "-" else name
    decoder = msgspec.json.Decoder(wanted.row_type())
    with _opened(name, shown) as (file, raw):
        for body, first in _bodies(file, shown):
            yield _decoded(body, decoder, wanted, labels, (shown, first))
            if tick is not None and raw is not None:
                tick(raw.tell())


@contextmanager
def _opened(name: str, shown: str) -> Iterator[tuple[IO[bytes] | gzip.GzipFile, IO[bytes] | None]]:
    """Open a file to read, with the file below it whose position tells the progress (None for stdin)."""
    try:
        if name == "-":
            yield sys.stdin.buffer, None
            return
        with Path(name).open("rb") as raw:
            yield gzip.GzipFile(fileobj=raw) if name.endswith(".gz") else raw, raw
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{shown}: {getattr(error, 'strerror', None) or error}") from error


def _bodies(file: IO[bytes] | gzip.GzipFile, shown: str) -> Iterator[tuple[bytes, int]]:
    """Cut a file into whole lines, some at a time, each with the number of its first line."""
    waiting: list[bytes] = []
    first, size = 1, 0
    block = _without_mark(file.read(BLOCK_BYTES), shown)
    while block:
        head, cut, tail = block.rpartition(b"\n")
        if cut:
            body = b"".join([*waiting, head])
            if body.strip():
                yield body, first
            first += int(np.count_nonzero(np.frombuffer(body, np.uint8) == _NEWLINE)) + 1
            waiting, size = [tail], len(tail)
        else:
            waiting.append(block)
            size += len(block)
        if size > LONGEST_LINE:
            raise InputError(f"{shown}:{first}: a line of more than {LONGEST_LINE >> 20} MiB; expected a sample")
        block = file.read(BLOCK_BYTES)
    body = b"".join(waiting)
    if body.strip():
        yield body, first


def _without_mark(block: bytes, shown: str) -> bytes:
    """Take the byte order mark off a file's first block."""
    if block.startswith(_UTF16_MARKS):
        raise InputError(f"{shown}: is UTF-16; expected UTF-8")
    return block.removeprefix(_UTF8_MARK)


def _decoded(body: bytes, decoder: Any, wanted: Wanted, labels: Labels, place: tuple[str, int]) -> Part:  # noqa: ANN401 - msgspec's generic
    """Decode whole lines; on a fault go through them one by one to find it."""
    shown, first = place

    def where(row: int) -> str:
        filled = (number for number, line in enumerate(body.split(b"\n"), first) if line.strip())
        return f"{shown}:{next(islice(filled, row, None))}"

    try:
        rows = decoder.decode_lines(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        for number, line in enumerate(body.split(b"\n"), first):
            if line.strip():
                _decode_one(line, decoder, f"{shown}:{number}")
        raise InputError(f"{shown}: {error}") from error
    return from_rows(rows, wanted, labels, where)


def _decode_one(line: bytes, decoder: Any, place: str) -> None:  # noqa: ANN401 - as above
    """Raise what is wrong with a line."""
    try:
        decoder.decode(line)
    except msgspec.ValidationError as error:
        raise InputError(f"{place}: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        hint = "; NaN and Infinity are not JSON, a missing number is null" if b"NaN" in line or b"Inf" in line else ""
        hint = hint or ("; the line is cut off" if "truncated" in str(error) else "")
        raise InputError(f"{place}: not a JSON object: {error}{hint}") from error

"""Where recorded samples come from: JSON lines (plain, .gz, stdin), Parquet, data frames, and iterables."""

from __future__ import annotations

import gzip
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

import msgspec

from gatekeeper.errors import InputError
from gatekeeper.flow._rows import Part, Wanted, from_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    Tick = Callable[[float], None]

CHUNK_BYTES = 1 << 24
CHUNK_ROWS = 50_000


def read_parts(samples: Any, wanted: Wanted, tick: Tick | None = None) -> Iterator[Part]:  # noqa: ANN401 - see analyze
    """Read samples in parts, in the order in which they stand.

    samples: a path (`-` is stdin), a table with the Arrow interface, a pandas frame, or an iterable of mappings or
    `Sample`s. tick: told how many bytes of a file are read.

    Raises:
        InputError: not readable, or a sample that is not one; the message names its place.
    """
    if isinstance(samples, str | Path):
        return _file(str(samples), wanted, tick)
    if hasattr(samples, "__arrow_c_stream__") or type(samples).__module__.startswith("pandas"):
        from gatekeeper.flow._tables import from_table  # noqa: PLC0415 - pyarrow is optional and slow to import

        return from_table(samples, wanted, "row {}")
    if not isinstance(samples, Iterable) or isinstance(samples, Mapping | bytes):
        raise InputError(
            f"samples are a {type(samples).__name__}; expected a path, a data frame, or an iterable of mappings"
        )
    return _iterable(samples, wanted)


def _file(name: str, wanted: Wanted, tick: Tick | None) -> Iterator[Part]:
    """Read a file by its ending."""
    if name.endswith(".parquet"):
        from gatekeeper.flow._tables import from_parquet  # noqa: PLC0415 - as above

        return from_parquet(name, wanted)
    return _lines(name, wanted, tick)


@contextmanager
def _opened(name: str) -> Iterator[IO[bytes]]:
    """Open a file, or stdin for `-`."""
    if name == "-":
        yield sys.stdin.buffer
        return
    try:
        with Path(name).open("rb") as file:
            yield cast("IO[bytes]", gzip.GzipFile(fileobj=file)) if name.endswith(".gz") else file
    except (OSError, EOFError) as error:
        raise InputError(f"{name}: {getattr(error, 'strerror', None) or error}") from error


def _lines(name: str, wanted: Wanted, tick: Tick | None) -> Iterator[Part]:
    """Read JSON lines, some megabytes at a time."""
    shown = "stdin" if name == "-" else name
    decoder = msgspec.json.Decoder(wanted.row_type())
    first, read = 1, 0
    with _opened(name) as file:
        rest = b""
        while True:
            block = file.read(CHUNK_BYTES)
            body, cut, tail = (rest + block).rpartition(b"\n") if block else (rest, b"", b"")
            if not cut and block:
                rest = tail
                continue
            if body.strip():
                yield _decoded(body, decoder, wanted, shown, first)
            first += body.count(b"\n") + 1
            rest, read = tail, read + len(block)
            if tick is not None:
                tick(read)
            if not block:
                return


def _decoded(body: bytes, decoder: Any, wanted: Wanted, name: str, first: int) -> Part:  # noqa: ANN401 - msgspec's generic
    """Decode whole lines; on a fault go through them one by one to find it."""

    def where(row: int) -> str:
        filled = (number for number, line in enumerate(body.split(b"\n"), first) if line.strip())
        return f"{name}:{next(islice(filled, row, None))}"

    try:
        rows = decoder.decode_lines(body)
    except msgspec.DecodeError as error:
        for number, line in enumerate(body.split(b"\n"), first):
            if line.strip():
                _decode_one(line, decoder, f"{name}:{number}")
        raise InputError(f"{name}: {error}") from error
    return from_rows(rows, wanted, where)


def _decode_one(line: bytes, decoder: Any, place: str) -> None:  # noqa: ANN401 - as above
    """Raise what is wrong with a line."""
    try:
        decoder.decode(line)
    except msgspec.ValidationError as error:
        raise InputError(f"{place}: {error}") from error
    except msgspec.DecodeError as error:
        hint = "; NaN and Infinity are not JSON, a missing number is null" if b"NaN" in line or b"Inf" in line else ""
        raise InputError(f"{place}: not a JSON object: {error}{hint}") from error


def _iterable(samples: Iterable[Any], wanted: Wanted) -> Iterator[Part]:
    """Read mappings or samples, many at a time."""
    row_type = wanted.row_type()
    source, start = iter(samples), 0
    while chunk := list(islice(source, CHUNK_ROWS)):
        base = start

        def where(row: int, base: int = base) -> str:
            return f"sample {base + row + 1}"

        rows = chunk if not isinstance(chunk[0], Mapping) else _converted(chunk, row_type, where)
        try:
            yield from_rows(rows, wanted, where)
        except AttributeError as error:
            raise InputError(f"{where(0)}: expected a mapping or a Sample, found {type(chunk[0]).__name__}") from error
        start += len(chunk)


def _converted(chunk: list[Any], row_type: type[msgspec.Struct], where: Callable[[int], str]) -> list[Any]:
    """Turn mappings into rows."""
    try:
        return msgspec.convert(chunk, list[row_type])  # type: ignore[valid-type]  # a type made at run time
    except msgspec.ValidationError:
        return [_converted_one(one, row_type, where(i)) for i, one in enumerate(chunk)]


def _converted_one(one: Any, row_type: type[msgspec.Struct], place: str) -> Any:  # noqa: ANN401 - whatever came
    """Turn one mapping into a row, numpy's scalars into Python's."""
    plain = {key: value.item() if hasattr(value, "item") else value for key, value in dict(one).items()}
    try:
        return msgspec.convert(plain, row_type)
    except msgspec.ValidationError as error:
        raise InputError(f"{place}: {error}") from error

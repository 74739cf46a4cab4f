"""Where recorded samples come from: files, stdin, data frames, and anything that can be gone through."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gatekeeper.errors import InputError
from gatekeeper.flow._labels import Labels
from gatekeeper.flow._lines import from_lines
from gatekeeper.flow._rows import Part, from_mappings, from_samples

if TYPE_CHECKING:
    from gatekeeper.flow._lines import Tick
    from gatekeeper.flow._rows import Wanted

ROWS_AT_ONCE = 4096
"""Mappings turned into columns together: they stay in the processor's cache."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Hold samples that are read in parts; in_memory: they are all there already, so that more may be held."""

    parts: Iterator[Part]
    in_memory: bool


def read_samples(samples: Any, wanted: Wanted, tick: Tick | None = None) -> Source:  # noqa: ANN401 - see analyze
    """Read samples in parts, in the order in which they stand.

    samples: a path (`-` is stdin), a table with the Arrow interface, a pandas frame, or an iterable of mappings or
    `Sample`s. tick: told how many bytes of a file are read.

    Raises:
        InputError: not readable, or a sample that is not one; the message names its place.
    """
    labels = Labels(wanted.keys)
    if isinstance(samples, str | Path):
        return Source(parts=_file(str(samples), wanted, labels, tick), in_memory=False)
    if hasattr(samples, "__arrow_c_stream__") or type(samples).__module__.startswith("pandas"):
        from gatekeeper.flow._tables import from_table  # noqa: PLC0415 - pyarrow is optional and slow to import

        return Source(parts=from_table(samples, wanted, labels), in_memory=True)
    if not isinstance(samples, Iterable) or isinstance(samples, Mapping | bytes):
        raise InputError(
            f"samples are a {type(samples).__name__}; expected a path, a data frame, or an iterable of mappings"
        )
    return Source(parts=_iterable(samples, wanted, labels), in_memory=isinstance(samples, list | tuple))


def _file(name: str, wanted: Wanted, labels: Labels, tick: Tick | None) -> Iterator[Part]:
    """Read a file by its ending."""
    if name.endswith(".parquet"):
        from gatekeeper.flow._tables import from_parquet  # noqa: PLC0415 - as above

        return from_parquet(name, wanted, labels, tick)
    return from_lines(name, wanted, labels, tick)


def _iterable(samples: Iterable[Any], wanted: Wanted, labels: Labels) -> Iterator[Part]:
    """Read mappings or samples, many at a time."""
    source, start = iter(samples), 0
    while chunk := list(islice(source, ROWS_AT_ONCE)):
        base = start

        def where(row: int, base: int = base) -> str:
            return f"sample {base + row + 1}"

        make = from_mappings if isinstance(chunk[0], Mapping) else from_samples
        try:
            yield make(chunk, wanted, labels, where)
        except AttributeError as error:
            same = (isinstance(one, Mapping) is isinstance(chunk[0], Mapping) for one in chunk)
            row = next((i for i, ok in enumerate(same) if not ok), 0)
            name = type(chunk[row]).__name__
            raise InputError(f"{where(row)}: expected a mapping or a Sample, found {name}") from error
        start += len(chunk)

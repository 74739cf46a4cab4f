"""Samples that lie in columns already: Arrow tables, data frames, Parquet files."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gatekeeper.abreast import abreast
from gatekeeper.decide.columns import Columns
from gatekeeper.errors import InputError
from gatekeeper.flow import _arrow
from gatekeeper.flow._ids import NONE, id_codes, increase, text_codes
from gatekeeper.flow._rows import CODES, Part
from gatekeeper.flow._times import finite, times
from gatekeeper.flow._values import check_values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from gatekeeper.flow._labels import Labels
    from gatekeeper.flow._lines import Tick
    from gatekeeper.flow._rows import Wanted
    from gatekeeper.flow._values import Where

ROWS_AT_ONCE = 1 << 17
"""Rows of a Parquet file that are turned into columns together."""

ROWS_IN_MEMORY = 1 << 22
"""The same for a table: many, so that its columns of numbers are taken as they are, without a copy."""

IDENTITY = ("arm", "ts", "request_id", "pair_id", "cluster_id", "segment", "error")


def from_parquet(name: str, wanted: Wanted, labels: Labels, tick: Tick | None) -> Iterator[Part]:
    """Read a Parquet file, a batch of rows at a time.

    tick: told how many bytes of the file that is, were each row as long as another.

    Raises:
        InputError: no such file, or none of this kind; a value that cannot be, with its row.
    """
    pa = _arrow.load()
    import pyarrow.parquet as pq  # noqa: PLC0415 - optional

    try:
        size = Path(name).stat().st_size
        schema = pq.read_schema(name)
        texts = [key for key in ("arm", "segment", "error") if key in schema.names and _is_text(pa, schema, key)]
        with pq.ParquetFile(name, read_dictionary=texts, buffer_size=1 << 20) as file:
            there = {*schema.names} & {*_columns(wanted)}
            start, total = 0, max(file.metadata.num_rows, 1)
            for batch in file.iter_batches(batch_size=ROWS_AT_ONCE, columns=sorted(there)):
                yield _part(batch, wanted, labels, _place(f"{name}: row", start))
                start += batch.num_rows
                if tick is not None:
                    tick(size * start / total)
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"{name}: {getattr(error, 'strerror', None) or error}") from error


def _is_text(pa: Any, schema: Any, key: str) -> bool:  # noqa: ANN401 - Arrow has no types
    """Tell whether a column holds strings."""
    kind = schema.field(key).type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def from_table(table: Any, wanted: Wanted, labels: Labels) -> Iterator[Part]:  # noqa: ANN401 - any table
    """Read an Arrow table, or a frame that can be one.

    Raises:
        InputError: a column of mixed types; a value that cannot be, with its row.
    """
    pa = _arrow.load()
    try:
        if type(table).__module__.startswith("pandas"):
            there = [name for name in table.columns if name in _columns(wanted)]
            whole = pa.Table.from_pandas(table[there], preserve_index=False)
        else:
            whole = pa.table(table)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise InputError(f"the data frame has a column of mixed types: {error}") from error
    there = [name for name in whole.column_names if name in _columns(wanted)]
    if "arm" not in there:
        raise InputError(f"the table has no column 'arm'; it has {', '.join(whole.column_names) or 'no column'}")
    start = 0
    for batch in whole.select(there).combine_chunks().to_batches(max_chunksize=ROWS_IN_MEMORY):
        yield _part(batch, wanted, labels, _place("row", start), alone=batch.num_rows == whole.num_rows)
        start += batch.num_rows


def _place(text: str, start: int) -> Where:
    """Name rows from `start` on."""

    def where(row: int) -> str:
        return f"{text} {start + 1 + row}"

    return where


def _columns(wanted: Wanted) -> list[str]:
    """Name every column that may be read."""
    return [*IDENTITY, "extra", *wanted.fields]


def _part(table: Any, wanted: Wanted, labels: Labels, where: Where, *, alone: bool = False) -> Part:  # noqa: ANN401 - as above
    """Turn Arrow columns into ours; alone: no other rows come before or after."""
    n = table.num_rows
    if "arm" not in table.column_names:
        raise InputError(f"the table has no column 'arm'; it has {', '.join(table.column_names) or 'no column'}")
    errored = _errored(table, n)
    work: dict[str, Callable[[], Any]] = {
        "segments": lambda: {key: _segments(table, key, n, labels) for key in wanted.keys},
        "ts": partial(_times, table, n, where),
        "arm": partial(_arms, table, where),
        "pair": partial(_ids, table, "pair_id", n),
        "cluster": partial(_ids, table, "cluster_id", n),
        **{f"values.{name}": partial(_values, table, name, n, where) for name in wanted.fields if name != "error"},
        "requests": partial(_requests, table, n, alone=alone),
    }
    got = dict(zip(work, abreast(work.values(), n), strict=True))
    requests = got.pop("requests")
    values = {
        name: errored.astype(np.float64) if name == "error" else got.pop(f"values.{name}") for name in wanted.fields
    }
    return Part(columns=Columns(**got, errored=errored, values=values), requests=requests)


def _arms(table: Any, where: Where) -> NDArray[np.int8]:  # noqa: ANN401 - as above
    """Return the arms' codes."""
    column = _arrow.column(table, "arm")
    plain = _arrow.codes_of(column, list(CODES))
    if plain is not None:
        return plain
    codes, names = _arrow.dictionary(column)
    arm = np.array([*(CODES.get(name, -1) for name in names), -1], np.int8)[codes]
    if bool((arm < 0).any()):
        bad = int(np.argmax(arm < 0))
        found = names[codes[bad]] if codes[bad] >= 0 else None
        raise InputError(f"{where(bad)}: arm is {found!r}; expected {', '.join(CODES)}")
    return np.asarray(arm)


def _requests(table: Any, n: int, *, alone: bool) -> NDArray[np.int64]:  # noqa: ANN401 - as above
    """Return the codes of the rows' ids; those of rows alone that stand in ascending order need none."""
    column = _arrow.column(table, "request_id")
    plain = column is not None and _arrow.is_text(column) and not _arrow.is_dictionary(column)
    if alone and plain and not column.null_count and increase(*_arrow.texts(column)):
        return np.full(n, NONE, np.int64)
    return _ids(table, "request_id", n)


def _ids(table: Any, name: str, n: int) -> NDArray[np.int64]:  # noqa: ANN401 - as above
    """Return the ids' codes, -1 for null."""
    column = _arrow.column(table, name)
    if column is None or column.null_count == n:
        return np.full(n, -1, np.int64)
    if _arrow.is_dictionary(column):
        places, names = _arrow.dictionary(column)
        return np.asarray(np.append(id_codes(names), -1)[places])
    data, ends = _arrow.texts(column)
    codes = text_codes(data, ends)
    if column.null_count:
        codes[_arrow.missing(column)] = -1
    return codes


def _times(table: Any, n: int, where: Where) -> NDArray[np.float64]:  # noqa: ANN401 - as above
    """Return unix seconds, nan where none is told."""
    column = _arrow.column(table, "ts")
    if column is None:
        return np.full(n, np.nan)
    try:
        return finite(_arrow.seconds(column), where)
    except (ValueError, NotImplementedError):
        return times(column.to_pylist(), where)


def _errored(table: Any, n: int) -> NDArray[np.bool_]:  # noqa: ANN401 - as above
    """Tell which rows failed."""
    column = _arrow.column(table, "error")
    return np.zeros(n, np.bool_) if column is None else _arrow.says_something(column)


def _values(table: Any, name: str, n: int, where: Where) -> NDArray[np.float64]:  # noqa: ANN401 - as above
    """Return one field; `extra.NAME` is a column of that name, or a field of `extra`."""
    column = _arrow.column(table, name)
    if column is None and name.startswith("extra."):
        column = _arrow.field(_arrow.column(table, "extra"), name.removeprefix("extra."))
    if column is None:
        return np.full(n, np.nan)
    try:
        values = _arrow.numbers(column)
    except (ValueError, NotImplementedError) as error:
        raise InputError(f"column {name}: {error}") from error
    check_values(name, values, np.zeros(n, np.bool_), where)
    return values


def _segments(table: Any, key: str, n: int, labels: Labels) -> tuple[NDArray[np.int64], list[str]]:  # noqa: ANN401 - as above
    """Return a key's codes and labels: of a column of strings for the key `segment`, else of an object's field."""
    column = _arrow.column(table, "segment")
    text = column is not None and _arrow.is_text(column)
    if not text:
        column = _arrow.field(column, key)
    if column is None or (text and key != "segment"):
        return np.full(n, -1, np.int64), labels.of(key)
    codes, names = _arrow.dictionary(column)
    shown = [name if text or name is None else f"{key}={name}" for name in names]
    return np.array([*(labels.code(key, name) for name in shown), -1], np.int64)[codes], labels.of(key)

"""Samples that lie in columns already: Arrow tables, data frames, Parquet files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gatekeeper.decide.columns import ARMS, Columns, encode, segment_label
from gatekeeper.errors import InputError
from gatekeeper.flow._rows import Part, Wanted, check_values, clusters

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from numpy.typing import NDArray


def _arrow() -> ModuleType:
    """Import pyarrow, or say how to get it."""
    try:
        import pyarrow as pa  # noqa: PLC0415 - optional
    except ModuleNotFoundError as error:
        raise InputError("reading Parquet and data frames needs pyarrow: pip install pyarrow") from error
    return pa  # type: ignore[no-any-return]  # pyarrow has no types


def from_parquet(name: str, wanted: Wanted) -> Iterator[Part]:
    """Read a Parquet file, a batch of rows at a time."""
    _arrow()
    import pyarrow.parquet as pq  # noqa: PLC0415 - optional

    try:
        file = pq.ParquetFile(name)
    except (OSError, ValueError) as error:
        raise InputError(f"{name}: {error}") from error
    there = {*file.schema_arrow.names} & {*_columns(wanted)}
    start = 0
    for batch in file.iter_batches(batch_size=1 << 18, columns=sorted(there)):
        yield _part(batch, wanted, f"{name}: row {{}}", start)
        start += batch.num_rows


def from_table(table: Any, wanted: Wanted, place: str) -> Iterator[Part]:  # noqa: ANN401 - any table
    """Read an Arrow table, or a frame that can be one."""
    pa = _arrow()
    try:
        whole = pa.table(table)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise InputError(f"the data frame has a column of mixed types: {error}") from error
    yield _part(whole.combine_chunks(), wanted, place, 0)


def _columns(wanted: Wanted) -> list[str]:
    """Name every column that may be read."""
    return ["arm", "ts", "request_id", "pair_id", "cluster_id", "segment", "error", "extra", *wanted.fields]


def _part(table: Any, wanted: Wanted, place: str, start: int) -> Part:  # noqa: ANN401 - Arrow has no types
    """Turn Arrow columns into ours."""
    n = table.num_rows

    def where(row: int) -> str:
        return place.format(start + row + 1)

    if "arm" not in table.column_names:
        raise InputError(f"the table has no column 'arm'; it has {', '.join(table.column_names)}")
    codes = {arm.value: code for code, arm in enumerate(ARMS)}
    arm_codes, labels = _dictionary(table, "arm", n)
    known = np.array([codes.get(label, -1) for label in labels] + [-1], np.int8)
    arm = known[arm_codes]
    if bool((arm < 0).any()):
        bad = int(np.argmax(arm < 0))
        found = labels[arm_codes[bad]] if arm_codes[bad] >= 0 else None
        raise InputError(f"{where(bad)}: arm is {found!r}; expected {', '.join(codes)}")
    errored = _errored(table, n)
    columns = Columns(
        ts=_times(table, n),
        arm=arm,
        pair=np.full(n, -1, np.int64),
        cluster=clusters(_list(table, "cluster_id", n)),
        errored=errored,
        values={
            name: errored.astype(np.float64) if name == "error" else _values(table, name, n, where)
            for name in wanted.fields
        },
        segments=_segments(table, wanted, n),
    )
    return Part(columns=columns, requests=_list(table, "request_id", n), pairs=_list(table, "pair_id", n))


def _list(table: Any, name: str, n: int) -> list[Any]:  # noqa: ANN401 - as above
    """Return a column's values, None where there is no such column."""
    return table.column(name).to_pylist() if name in table.column_names else [None] * n


def _dictionary(table: Any, name: str, n: int) -> tuple[NDArray[np.int64], list[str]]:  # noqa: ANN401 - as above
    """Return a string column as codes (-1 for null) and labels."""
    return encode(None if value is None else str(value) for value in _list(table, name, n))


def _numeric(column: Any) -> NDArray[np.float64]:  # noqa: ANN401 - as above
    """Return an Arrow column as numbers, nan for null."""
    pa = _arrow()
    if pa.types.is_null(column.type):
        return np.full(len(column), np.nan)
    return np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64)


def _times(table: Any, n: int) -> NDArray[np.float64]:  # noqa: ANN401 - as above
    """Return unix seconds, nan where none is told."""
    pa = _arrow()
    if "ts" not in table.column_names:
        return np.full(n, np.nan)
    column = table.column("ts")
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        column = column.cast(pa.timestamp("us", tz="UTC"))
    if pa.types.is_timestamp(column.type):
        return _numeric(column.cast(pa.timestamp("us", tz=column.type.tz)).cast(pa.int64())) / 1e6
    return _numeric(column)


def _errored(table: Any, n: int) -> NDArray[np.bool_]:  # noqa: ANN401 - as above
    """Tell which rows failed."""
    return np.array([value not in (None, False) and value == value for value in _list(table, "error", n)], np.bool_)  # noqa: PLR0124 - nan is null in a frame


def _values(table: Any, name: str, n: int, where: Any) -> NDArray[np.float64]:  # noqa: ANN401 - as above
    """Return one field; `extra.NAME` is a column of that name, or a field of `extra`."""
    pa = _arrow()
    if name in table.column_names:
        column = table.column(name)
    elif name.startswith("extra.") and "extra" in table.column_names:
        key = name.removeprefix("extra.")
        column = pa.array([(row or {}).get(key) for row in table.column("extra").to_pylist()])
    else:
        return np.full(n, np.nan)
    try:
        values = _numeric(column)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise InputError(f"column {name}: {error}") from error
    check_values(name, values, np.zeros(n, np.bool_), where)
    return values


def _segments(table: Any, wanted: Wanted, n: int) -> dict[str, tuple[NDArray[np.int64], list[str]]]:  # noqa: ANN401 - as above
    """Return each key's labels."""
    rows = _list(table, "segment", n) if wanted.keys else []
    return {key: encode(segment_label(key, row) for row in rows) for key in wanted.keys}

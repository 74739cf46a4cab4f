"""Arrow columns as numpy arrays, without a Python object for each row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from gatekeeper.errors import InputError

if TYPE_CHECKING:
    from types import ModuleType

    from numpy.typing import NDArray


def load() -> ModuleType:
    """Import pyarrow, or say how to get it."""
    try:
        import pyarrow as pa  # noqa: PLC0415 - optional
        import pyarrow.compute  # noqa: PLC0415 - so that it is there
    except ModuleNotFoundError as error:
        raise InputError("reading Parquet and data frames needs pyarrow: pip install pyarrow") from error
    return cast("ModuleType", pa)


def column(table: Any, name: str) -> Any:  # noqa: ANN401 - Arrow has no types
    """Return a column in one piece; None where there is none of that name."""
    if name not in table.column_names:
        return None
    got = table.column(name)
    if not hasattr(got, "combine_chunks"):
        return got
    return got.chunk(0) if got.num_chunks == 1 else got.combine_chunks()


def field(column: Any, key: str) -> Any:  # noqa: ANN401 - as above
    """Return one field of a column of objects; None where there is none."""
    pa = load()
    if column is None:
        return None
    if pa.types.is_struct(column.type):
        return pa.compute.struct_field(column, key) if column.type.get_field_index(key) >= 0 else None
    return pa.array([dict(one).get(key) if one else None for one in column.to_pylist()])


def is_dictionary(column: Any) -> bool:  # noqa: ANN401 - as above
    """Tell whether a column holds numbers into a list of values."""
    return bool(load().types.is_dictionary(column.type))


def is_text(column: Any) -> bool:  # noqa: ANN401 - as above
    """Tell whether a column holds strings, plain or as a dictionary."""
    types = load().types
    kind = column.type.value_type if types.is_dictionary(column.type) else column.type
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def missing(column: Any) -> NDArray[np.bool_]:  # noqa: ANN401 - as above
    """Tell which rows are null."""
    return np.asarray(column.is_null().to_numpy(zero_copy_only=False), np.bool_)


def dictionary(column: Any) -> tuple[NDArray[np.signedinteger[Any]], list[str]]:  # noqa: ANN401 - as above
    """Return a column as codes (-1 for null) into labels."""
    if load().types.is_string_view(column.type):
        column = column.cast(load().large_string())
    coded = column if is_dictionary(column) else column.dictionary_encode()
    indices = coded.indices
    if load().types.is_unsigned_integer(indices.type):
        indices = indices.cast(load().int64())
    codes = np.asarray((indices.fill_null(-1) if indices.null_count else indices).to_numpy(zero_copy_only=False))
    names = coded.dictionary.to_pylist()
    if None in names:
        codes = np.array([*(-1 if name is None else code for code, name in enumerate(names)), -1], np.int64)[codes]
    return codes, [str(name) for name in names]


def codes_of(column: Any, names: list[str]) -> NDArray[np.int8] | None:  # noqa: ANN401 - as above
    """Return a column of strings as codes into `names`; None where it is none, or holds anything else."""
    pa = load()
    if is_dictionary(column) or not is_text(column) or pa.types.is_string_view(column.type):
        return None
    codes = pa.compute.index_in(column, pa.array(names, column.type))
    return None if codes.null_count else np.asarray(codes.to_numpy(zero_copy_only=False), np.int8)


def texts(column: Any) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:  # noqa: ANN401 - as above
    """Return a column as the bytes of its strings, and where each begins and the last ends, shape (n + 1,)."""
    pa = load()
    whole = column.cast(pa.large_string())
    _, ends, data = whole.buffers()
    marks = np.frombuffer(ends, np.int64)[whole.offset : whole.offset + len(whole) + 1]
    return np.frombuffer(data if data is not None else b"", np.uint8), marks


def numbers(column: Any) -> NDArray[np.float64]:  # noqa: ANN401 - as above
    """Return a column as numbers, nan for null.

    Raises:
        ValueError, NotImplementedError: its type is none of numbers or booleans.
    """
    pa = load()
    if pa.types.is_null(column.type):
        return np.full(len(column), np.nan)
    if not pa.types.is_floating(column.type) or column.type != pa.float64():
        column = column.cast(pa.float64(), safe=False)
    return np.asarray(column.to_numpy(zero_copy_only=False), np.float64)


def seconds(column: Any) -> NDArray[np.float64]:  # noqa: ANN401 - as above
    """Return times as unix seconds, nan for null.

    Raises:
        ValueError, NotImplementedError: its type is none of times, or a time in words without an offset.
    """
    pa = load()
    if is_text(column):
        column = column.cast(pa.timestamp("us", tz="UTC"))
    if pa.types.is_timestamp(column.type):
        fine = pa.timestamp("us", tz=column.type.tz)
        return numbers(pa.compute.cast(column, fine, safe=False).cast(pa.int64())) / 1e6
    return numbers(column)


def says_something(column: Any) -> NDArray[np.bool_]:  # noqa: ANN401 - as above
    """Tell which rows are neither null, nor false, nor zero, nor nan."""
    types = load().types
    if types.is_boolean(column.type):
        return np.asarray(column.fill_null(False).to_numpy(zero_copy_only=False), np.bool_)  # noqa: FBT003 - Arrow's
    if types.is_floating(column.type) or types.is_integer(column.type):
        return np.asarray(np.nan_to_num(numbers(column)) != 0)
    return ~missing(column)

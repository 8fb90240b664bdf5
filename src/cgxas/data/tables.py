"""Rows of the tables of `cgxas.data.schema` out of Parquet files, and into them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from cgxas.data.schema import Column, Kind, MaterialRow, SpectrumRow, columns_of
from cgxas.errors import DatasetError, MissingExtra
from cgxas.limits import POINTS, ROWS
from cgxas.reading import refuse_unreadable

try:
    import pyarrow
    import pyarrow.compute
    import pyarrow.parquet
    from pyarrow import types
except ImportError as error:
    raise MissingExtra.of("pyarrow", "data") from error

Row = TypeVar("Row", MaterialRow, SpectrumRow)

_ROWS_AT_ONCE = 1000
_TYPES: dict[Kind, Any] = {
    Kind.TEXT: pyarrow.string(),
    Kind.WHOLE: pyarrow.int32(),
    Kind.NUMBER: pyarrow.float64(),
    Kind.FLAG: pyarrow.bool_(),
    Kind.NUMBERS: pyarrow.list_(pyarrow.float64()),
    Kind.TEXTS: pyarrow.list_(pyarrow.string()),
}


@dataclass(frozen=True)
class Incomplete:
    """A row without a value that it must have.

    Attributes:
        name: of the row, or its number.
        column: what is empty.
    """

    name: str
    column: str


def read_rows(folder: Path, row_type: type[Row]) -> Iterator[Row | Incomplete]:
    """Yield the rows of one table of a data-set folder.

    Columns that are not in the schema are not read.

    Raises:
        DatasetError: the table is missing or not readable, lacks a column, or one holds values of
            another type.
    """
    with _opened(folder, row_type) as (file, wanted, path):
        first = 1
        names = [column.name for column in wanted]
        for batch in file.iter_batches(_ROWS_AT_ONCE, columns=names):
            values = [_values(batch.column(each.name), each, path) for each in wanted]
            for number, row in enumerate(zip(*values, strict=True), start=first):
                yield _row(row_type, wanted, row, number)
            first += len(batch)


def count_materials(folder: Path) -> int:
    """Return how many crystals a data-set folder holds, having seen that each has its own name.

    Raises:
        DatasetError: two have one name, or the table is missing or not readable.
    """
    with _opened(folder, MaterialRow) as (file, wanted, path):
        name = wanted[0].name
        counts = pyarrow.compute.value_counts(file.read([name]).column(name))
        how_many = counts.field("counts").to_numpy(zero_copy_only=False)
        if how_many.max(initial=0) > 1:
            twice = counts.field("values")[int(np.argmax(how_many))]
            raise DatasetError(f"{path} holds two crystals called {twice}; rename one")
        return int(file.metadata.num_rows)


@contextmanager
def _opened(folder: Path, row_type: type[Row]) -> Iterator[tuple[Any, list[Column], Path]]:
    """Open a table, having looked at its size and columns; lend it with those that are read."""
    path = folder / row_type.FILE
    if not path.exists():
        raise DatasetError(f"{path} is missing; a data set has one")
    refuse_unreadable(path, DatasetError)
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            _refuse_too_many(file.metadata, path)
            yield file, _wanted(file.schema_arrow, columns_of(row_type), path), path
    except DatasetError:
        raise
    except (OSError, ValueError, MemoryError, pyarrow.ArrowException) as error:
        raise DatasetError(f"{path} is not a readable Parquet table") from error


def _refuse_too_many(metadata: Any, path: Path) -> None:
    """Refuse what a few bytes may stand for, before any of it is unpacked."""
    ROWS.refuse_beyond(metadata.num_rows, f"{path} has", DatasetError)
    for group in (metadata.row_group(n) for n in range(metadata.num_row_groups)):
        most = max((group.column(n).num_values for n in range(group.num_columns)), default=0)
        each = most / max(group.num_rows, 1)
        POINTS.refuse_beyond(each, f"a list of {path} has on average", DatasetError)


def write_rows(folder: Path, row_type: type[Row], rows: Sequence[Row]) -> None:
    """Write one table of a data-set folder; optional columns only if a row has a value there."""
    table = {}
    for column in columns_of(row_type):
        values = [getattr(row, column.name) for row in rows]
        if column.is_needed or any(_is_stated(value, column.default) for value in values):
            table[column.name] = pyarrow.array(values, type=_TYPES[column.kind])
    pyarrow.parquet.write_table(pyarrow.table(table), folder / row_type.FILE, compression="zstd")


def _is_stated(value: Any, default: Any) -> bool:
    return isinstance(value, np.ndarray) or value != default


def _wanted(schema: Any, columns: Sequence[Column], path: Path) -> list[Column]:
    """Return the columns to be read, if they are there and hold what they should."""
    found = []
    for column in columns:
        if column.name not in schema.names:
            if column.is_needed:
                raise DatasetError(f"{path} has no column {column.name!r}; a data set needs it")
        elif schema.names.count(column.name) > 1:
            raise DatasetError(f"{path} has several columns {column.name!r}; keep one")
        elif column.is_read:
            held = schema.field(column.name).type
            if not (types.is_null(held) or _FITS[column.kind](held)):
                raise DatasetError(_wrong(path, column, str(held)))
            found.append(column)
    return found


def _wrong(path: Path, column: Column, held: str) -> str:
    return f"{path}: column {column.name!r} holds {held}; it must hold {column.kind.value}"


def _is_number(held: Any) -> bool:
    return bool(types.is_integer(held) or types.is_floating(held))


def _is_text(held: Any) -> bool:
    if types.is_dictionary(held):
        return _is_text(held.value_type)
    return bool(types.is_string(held) or types.is_large_string(held) or types.is_string_view(held))


def _is_list(held: Any) -> bool:
    return bool(types.is_list(held) or types.is_large_list(held) or types.is_fixed_size_list(held))


def _is_list_of(held: Any, fits: Callable[[Any], bool]) -> bool:
    """Tell whether a type is a list, or a list of lists, of fitting values; empty ones fit."""
    if not _is_list(held):
        return False
    inner = held.value_type
    return bool(types.is_null(inner)) or fits(inner) or _is_list_of(inner, fits)


_FITS: dict[Kind, Callable[[Any], bool]] = {
    Kind.TEXT: _is_text,
    Kind.WHOLE: _is_number,
    Kind.NUMBER: _is_number,
    Kind.FLAG: types.is_boolean,
    Kind.NUMBERS: lambda held: _is_list_of(held, _is_number),
    Kind.TEXTS: lambda held: (
        _is_list(held) and (types.is_null(held.value_type) or _is_text(held.value_type))
    ),
}


def _values(array: Any, column: Column, path: Path) -> Sequence[Any]:
    """Return the values of a column as Python has them; None where there is none."""
    match column.kind:
        case Kind.NUMBERS if not types.is_null(array.type):
            values, starts = _lists(array)
            return [values[start:end] for start, end in pairwise(starts)]
        case Kind.TEXTS:
            return [tuple(text or "" for text in texts or ()) for texts in array.to_pylist()]
        case Kind.WHOLE:
            try:  # pandas keeps whole numbers with gaps as floating ones
                whole: list[Any] = array.cast(pyarrow.int64()).to_pylist()
            except pyarrow.ArrowInvalid as error:
                raise DatasetError(_wrong(path, column, "fractions or NaN")) from error
            return whole
        case Kind.NUMBER:
            return [None if value is None else float(value) for value in array.to_pylist()]
        case _:
            plain: list[Any] = array.to_pylist()
            return plain


def _lists(array: Any) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the numbers of all lists in a row, and where each list starts, with the end.

    Lists of lists, such as the three vectors of a lattice, are taken as one list.
    """
    lengths = pyarrow.compute.list_value_length(array).fill_null(0).to_numpy(zero_copy_only=False)
    starts = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
    values = pyarrow.compute.list_flatten(array)
    if _is_list(values.type):
        flat, inner = _lists(values)
        return flat, inner[starts]
    numbers = values.cast(pyarrow.float64()).to_numpy(zero_copy_only=False)
    return np.asarray(numbers, dtype=np.float64), starts


def _row(
    row_type: type[Row], columns: Sequence[Column], values: Sequence[Any], number: int
) -> Row | Incomplete:
    found: dict[str, Any] = {}
    for column, value in zip(columns, values, strict=True):
        if value is None and not column.may_be_empty:
            name = values[0] if columns[0].kind is Kind.TEXT and values[0] else f"row {number}"
            return Incomplete(name, column.name)
        empty = np.empty(0) if column.kind is Kind.NUMBERS else column.default
        found[column.name] = empty if value is None else value
    return row_type(**found)

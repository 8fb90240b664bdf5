"""Scans out of a Parquet table: a row for each, a row for each of its points, or a column for each.

- a row per scan: lists of the same length, ``energy`` and ``mu``, ``norm`` or counters;
- a row per point: numbers, and a column of names, ``scan``;
- a column per scan: numbers, and no names.

The columns are told by their names as those of a text are. Texts tell what a scan is of:
``absorber`` or ``element``, ``edge``. Of what `cgxas` predicted, the curve is left as it is.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from cgxas.errors import CgxasError, MissingExtra, UnclearSpectrum, UnreadableSpectrum
from cgxas.limits import FILE_SIZE, ROWS
from cgxas.spectra.io.base import Choice, NamedScan
from cgxas.spectra.io.scan import Scan, listed
from cgxas.spectra.io.table.columns import Columns, columns_of
from cgxas.spectra.io.table.names import is_energy
from cgxas.spectra.io.text.many import scans_of
from cgxas.spectra.io.text.read import scan_of
from cgxas.typing import FloatArray

NAMES = ("scan", "name", "file", "filename", "spectrum_id", "id", "source", "spectrum")
"""Columns that tell scans apart, the most telling first."""

FORMAT_NAME = "Parquet table"

_SITE = "site"
_BYTES = 8  # of a number, unpacked


@dataclass(frozen=True)
class _Row:
    """What a table tells of one scan.

    Attributes:
        name: that tells it from the others, as far as the table does.
        curves: (P,) numbers each, by the name of the column.
        facts: what holds for the whole scan.
    """

    name: str
    curves: Mapping[str, FloatArray]
    facts: Mapping[str, Any]


def read_one(path: Path, choice: Choice) -> Scan:
    """Read the scan that is chosen, or the only one.

    Raises:
        UnreadableSpectrum: the file is no Parquet table of scans.
        UnclearSpectrum: it holds several scans and none was chosen, or no mu can be told.
        MissingExtra: pyarrow is not installed.
    """
    rows = list(_rows(path))
    if choice.group is not None:
        rows = [row for row in rows if row.name == choice.group]
    if len(rows) != 1:
        names = [row.name for row in (rows or _rows(path))]
        told = f"{len(rows)} scans" if choice.group is None else f"{len(rows)} {choice.group!r}"
        raise UnclearSpectrum(
            f"{path.name} holds {told}: choose one with --group (elsewhere: FILE:GROUP) of "
            f"{listed(names)}."
        )
    return _scan(path, rows[0], choice)


def read_all(path: Path, choice: Choice) -> list[NamedScan]:
    """Read every scan; as `read_one`, with an error in place of a row that is none."""
    rows = list(_rows(path))
    if choice.columns is not None:
        if len(rows) > 1:
            raise UnclearSpectrum(
                f"{path.name} holds {len(rows)} scans: --columns is for a table of one column each."
            )
        return scans_of([("1", _columns(path, rows[0], choice), [])], choice, _of_table, path.name)
    return [("" if len(rows) == 1 else row.name, _tried(path, row, choice)) for row in rows]


def _tried(path: Path, row: _Row, choice: Choice) -> Scan | CgxasError:
    try:
        return _scan(path, row, choice)
    except CgxasError as error:
        return error


def _scan(path: Path, row: _Row, choice: Choice) -> Scan:
    facts = {name.lower(): value for name, value in row.facts.items()}
    scan = scan_of(_columns(path, row, choice), choice, format=FORMAT_NAME)
    # A table of predictions names the model, or tells how sure it is.
    predicted = facts.get("model") or ("model" not in facts and "sigma" in row.curves)
    stated = facts.get("theory", "experiment") != "experiment"
    return replace(
        scan,
        kind="simulated" if predicted or stated else scan.kind,
        element=str(facts.get("absorber") or facts.get("element") or ""),
        edge=str(facts.get("edge") or ""),
        label=row.name,
    )


def _of_table(table: Columns, _: Sequence[str], choice: Choice) -> Scan:
    return scan_of(table, choice, format=FORMAT_NAME)


def _columns(path: Path, row: _Row, choice: Choice) -> Columns:
    """Return the curves of a scan as a table; a number of the whole scan where it is asked for."""
    curves = {name: curve for name, curve in row.curves.items() if curve.size}
    energies = [name for name in curves if name == choice.energy or is_energy(name)]
    if not energies:
        raise UnreadableSpectrum(
            f"{path.name}: {row.name or 'a scan'} has no energies among {listed(list(curves))}; "
            "name them with --energy."
        )
    size = curves[energies[0]].size
    curves = {name: curve for name, curve in curves.items() if curve.size == size}
    asked = row.facts.get(choice.mu or "")
    if choice.mu not in curves and isinstance(asked, int | float) and asked is not True:
        curves[str(choice.mu)] = np.full(size, float(asked))
    return columns_of(list(curves), np.array(list(curves.values())), (), path.name)


def _rows(path: Path) -> Iterator[_Row]:
    with _opened(path) as table:
        from pyarrow import types

        kinds = {name: table.schema.field(name).type for name in table.column_names}
        lists = [n for n, kind in kinds.items() if types.is_list(kind) or types.is_large_list(kind)]
        lists = [n for n in lists if _is_number(kinds[n].value_type)]
        facts = [n for n, kind in kinds.items() if types.is_string(kind) or _is_number(kind)]
        names = [n for n in NAMES if n in facts]
        if any(map(is_energy, lists)):
            yield from _nested(table.select([*lists, *facts]).to_pylist(), lists, facts, names)
            return
        named = next(iter(names), None)
        numbers = [n for n in facts if _is_number(kinds[n]) and n != named]
        if not numbers:
            raise UnreadableSpectrum(f"{path.name} holds no numbers: it is no table of scans.")
        curves = {n: table[n].to_numpy().astype(np.float64) for n in numbers}
        texts = [n for n in facts if types.is_string(kinds[n]) and n != named]
        if named is None:
            yield _Row("", curves, {})
            return
        yield from _of_points([str(n) for n in table[named].to_pylist()], curves, table, texts)


def _nested(
    rows: list[dict[str, Any]], lists: list[str], facts: list[str], names: list[str]
) -> Iterator[_Row]:
    """Yield the scans of a table with a row each; curves of single sites, which cgxas adds, not."""
    rows = [row for row in rows if row.get(_SITE) is None]
    told = {n: {row[n] for row in rows} - {None, ""} for n in names}
    named = next((n for n, values in told.items() if len(values) == len(rows)), None)
    for number, row in enumerate(rows, 1):
        curves = {n: np.array(row[n] or [], dtype=np.float64) for n in lists}
        name = number if named is None else row[named]
        yield _Row(str(name), curves, {n: row[n] for n in facts if row[n] is not None})


def _of_points(
    names: list[str], curves: Mapping[str, FloatArray], table: Any, texts: list[str]
) -> Iterator[_Row]:
    """Yield the scans of a table of points, in the order in which they begin."""
    at: dict[str, list[int]] = {}
    for n, name in enumerate(names):
        at.setdefault(name, []).append(n)
    for name, places in at.items():
        own = {n: curve[places] for n, curve in curves.items()}
        yield _Row(name, own, {n: table[n][places[0]].as_py() for n in texts})


def _is_number(kind: Any) -> bool:
    from pyarrow import types

    return bool(types.is_floating(kind) or types.is_integer(kind))


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    MissingExtra.refuse_without("pyarrow", "pyarrow", "data")
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            about = file.metadata
            ROWS.refuse_beyond(about.num_rows, f"{path.name} has", UnreadableSpectrum)
            groups = [about.row_group(n) for n in range(about.num_row_groups)]
            values = sum(g.column(n).num_values for g in groups for n in range(g.num_columns))
            what = f"{path.name} unpacks to"
            FILE_SIZE.refuse_beyond(_BYTES * values, what, UnreadableSpectrum)
            if len(set(file.schema_arrow.names)) < len(file.schema_arrow.names):
                raise UnreadableSpectrum(f"{path.name} has two columns of one name: rename one.")
            table = file.read()
        yield table
    except CgxasError:
        raise
    except (OSError, ValueError, MemoryError, pa.ArrowException) as error:
        raise UnreadableSpectrum(f"{path.name} is no readable Parquet table.") from error

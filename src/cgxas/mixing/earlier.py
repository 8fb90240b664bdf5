"""Tables of mixtures that were written before, to go on with them."""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cgxas.errors import MissingExtra, OutputError
from cgxas.limits import FILE_SIZE
from cgxas.reading import refuse_unreadable

Row = Mapping[str, Any]


def earlier_rows(path: Path) -> list[Row]:
    """Return the rows of a table that `Mixture.save` wrote; none where there is no file.

    Raises:
        OutputError: the file is there, and is none.
    """
    if not path.exists():
        return []
    read = {".csv": _csv, ".json": _json}.get(path.suffix.lower(), _parquet)
    FILE_SIZE.refuse_beyond(refuse_unreadable(path, OutputError), f"{path} holds", OutputError)
    try:
        rows = read(path)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise OutputError(
            f"{path} is there, and is no table of a mixture to go on with: name another file"
        ) from error
    if not all(isinstance(row, Mapping) and row.get("scan") for row in rows):
        raise OutputError(
            f"{path} is there, and has no column scan to go on with: name another file"
        )
    return rows


def continued(rows: Sequence[Row], new: Sequence[Row], path: Path) -> list[Row]:
    """Return rows that were written before, as they are, and those of other scans behind them.

    Args:
        rows: written before.
        new: all rows of the series.
        path: of the table, for a message.

    Raises:
        OutputError: they have other columns.
    """
    if rows and new and list(rows[0]) != list(new[0]):
        raise OutputError(
            f"{path} has the columns {', '.join(rows[0])}, this series {', '.join(new[0])}: name "
            "another file"
        )
    known = {row["scan"] for row in rows}
    more = [dict(row) for row in new if row["scan"] not in known]
    for n, row in enumerate(more, len(rows) + 1):
        if "order" in row:
            row["order"] = float(n)
    return [*rows, *more]


def _csv(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _json(path: Path) -> list[Row]:
    found: list[Row] = json.loads(path.read_text("utf-8"))["scans"]
    return found


def _parquet(path: Path) -> list[Row]:
    MissingExtra.refuse_without("pyarrow", "pyarrow", "data")
    import pyarrow.parquet as pq

    found: list[Row] = pq.read_table(path).to_pylist()
    return found

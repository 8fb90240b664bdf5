"""All scans of one text: its tables one after the other, or the columns of one table."""

import re
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np

from cgxas.errors import CgxasError, UnclearSpectrum
from cgxas.spectra.io.base import Choice, NamedScan
from cgxas.spectra.io.scan import Scan
from cgxas.spectra.io.table.axis import is_count
from cgxas.spectra.io.table.columns import Columns
from cgxas.spectra.io.text.read import read_tables

ScanOf = Callable[[Columns, Sequence[str], Choice], Scan]
"""Makes the scan of a table, from the lines above it and what was chosen."""

_RANGE = re.compile(r"(\d{1,6})-(\d{1,6})")


def read_all(path: Path, choice: Choice, scan_of: ScanOf) -> list[NamedScan]:
    """Read every scan of a text.

    Args:
        path: the file.
        choice: the columns of energy and mu, or those that are scans.
        scan_of: makes a scan of a table.

    Returns:
        Name and scan of each: the name of the column, or the number of the table; the name is
        empty where there is only one.

    Raises:
        UnreadableSpectrum: there are no columns of numbers.
        UnclearSpectrum: the columns that are asked for are not there, or stand in several tables.
    """
    return scans_of(read_tables(path, choice), choice, scan_of, path.name)


def scans_of(
    tables: Sequence[tuple[str, Columns, Sequence[str]]],
    choice: Choice,
    scan_of: ScanOf,
    source: str,
) -> list[NamedScan]:
    """Return the scans of tables, or of the columns of the only one.

    Args:
        tables: each with its number, and the lines above it.
        choice: as for `read_all`.
        scan_of: likewise.
        source: name of the file.

    Raises:
        UnclearSpectrum: the columns that are asked for are not there, or stand in several tables.
    """
    if choice.columns is None:
        only = len(tables) == 1
        return [
            ("" if only else number, _tried(table, above, choice, scan_of))
            for number, table, above in tables
        ]
    if len(tables) > 1:
        raise UnclearSpectrum(
            f"{source} holds {len(tables)} tables: --columns is for a file of one table."
        )
    _, table, above = tables[0]
    _, at_energy, _ = table.energy(choice.energy)
    chosen = _chosen(table, choice.columns, at_energy)
    each = [Choice(energy=str(at_energy + 1), mu=str(n + 1)) for n in chosen]
    names = [table.called(n) for n in chosen]
    return [
        (name, _tried(table, above, one, scan_of)) for name, one in zip(names, each, strict=True)
    ]


def _tried(
    table: Columns, above: Sequence[str], choice: Choice, scan_of: ScanOf
) -> Scan | CgxasError:
    try:
        return scan_of(table, above, choice)
    except CgxasError as error:
        return error


def _chosen(table: Columns, wanted: str, at_energy: int) -> list[int]:
    """Return the columns that are scans, in the order of the file, without that of energies."""
    chosen: set[int] = set()
    for word in filter(None, (part.strip() for part in wanted.split(","))):
        if match := _RANGE.fullmatch(word):
            found = [n - 1 for n in range(int(match[1]), int(match[2]) + 1)]
        elif word.isdecimal():
            found = [int(word) - 1]
        else:
            found = [
                n
                for n in range(len(table.data))
                if fnmatchcase(table.called(n).casefold(), word.casefold())
                and not is_count(table.data[n])
                and not np.array_equal(table.data[n], table.data[at_energy])
            ]
        if not found or not 0 <= min(found) <= max(found) < len(table.data):
            raise UnclearSpectrum(f"{table.source} has no columns {word!r}: it holds {table.told}.")
        chosen.update(found)
    return sorted(chosen - {at_energy})

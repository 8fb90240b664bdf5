"""Columns of numbers below a header or none, as beamlines and FEFF write them; only read."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from cgxas.spectra.io.base import Choice, Format, NamedScan
from cgxas.spectra.io.scan import Scan
from cgxas.spectra.io.table.columns import Columns
from cgxas.spectra.io.text.many import read_all
from cgxas.spectra.io.text.read import read_table, scan_of
from cgxas.spectra.io.text.stated import stated_edge


def _read(path: Path, choice: Choice) -> Scan:
    return _scan_of(*read_table(path, choice), choice)


def _read_all(path: Path, choice: Choice) -> list[NamedScan]:
    return read_all(path, choice, _scan_of)


def _scan_of(table: Columns, header: Sequence[str], choice: Choice) -> Scan:
    element, edge = stated_edge(header)
    scan = scan_of(table, choice, format=FORMAT.name, element=element, edge=edge)
    is_feff = "omega" in table.names and any("feff" in line.lower() for line in header)
    return replace(scan, kind="simulated") if is_feff else scan


FORMAT = Format(
    name="columns",
    suffixes=(".dat", ".txt"),
    recognises=lambda path, head: True,
    read=_read,
    read_all=_read_all,
    has_groups=True,
    has_columns=True,
)

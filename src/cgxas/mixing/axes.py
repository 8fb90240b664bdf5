"""What a series is laid along: its order, the time, a table, or a column of the scans."""

import csv
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from cgxas.errors import CgxasError, UnclearSpectrum, UnreadableSpectrum
from cgxas.mixing.scans import How, NamedScan
from cgxas.reading import read_head
from cgxas.spectra.io.read import read_scan
from cgxas.spectra.io.scan import listed
from cgxas.typing import FloatArray

ORDER, TIME = "order", "time"

_HEAD = 64_000
_ISO = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:?\d\d)?")
_SPEC = re.compile(r"^#D (\w{3} \w{3} +\d+ \d\d:\d\d:\d\d \d{4})", re.MULTILINE)
_SPEC_TIME = "%a %b %d %H:%M:%S %Y"
_NAMES = ("scan", "name", "file", "filename")


def axis_of(word: str, scans: Sequence[NamedScan], how: How) -> tuple[str, FloatArray]:
    """Return what an axis is called, with its unit, and where the scans stand on it, (N,).

    Args:
        word: "order"; "time", as the files state their start; "TABLE.csv" or "TABLE.csv:COLUMN",
            with a row per scan and a column ``scan``; else a column of the scans, the mean of
            which is taken.
        scans: the scans.
        how: how they were read.

    Raises:
        UnclearSpectrum: a scan does not tell where it stands.
        UnreadableSpectrum: there is no such table.
    """
    if word == ORDER or not scans:
        return ORDER, np.arange(1.0, len(scans) + 1)
    if word == TIME:
        return _time(scans)
    file, _, column = word.partition(".csv:")
    if word.endswith(".csv") or column:
        return _tabled(Path(word if not column else f"{file}.csv"), column, scans)
    return word, np.array([_mean_of(word, scan, how) for scan in scans])


def _time(scans: Sequence[NamedScan]) -> tuple[str, FloatArray]:
    """Return seconds since the first scan."""
    found = {scan.name: _start(scan) for scan in scans}
    missing = [name for name, start in found.items() if start is None]
    if missing:
        raise UnclearSpectrum(
            f"{listed(missing)} state no time at which they were begun: give their times in a "
            "table, --axis TABLE.csv with the columns scan and time_s"
        )
    stamps = np.array([start.timestamp() for start in found.values() if start], dtype=np.float64)
    return "time_s", stamps - stamps.min()


def _start(scan: NamedScan) -> datetime | None:
    """Return when a scan was begun, as its file states it."""
    if scan.path.suffix.lower() in (".nxs", ".h5", ".hdf5"):
        return _hdf5_start(scan)
    head = read_head(scan.path, _HEAD, UnreadableSpectrum).decode("utf-8", "replace")
    if found := _SPEC.search(head):
        return datetime.strptime(found[1], _SPEC_TIME).replace(tzinfo=UTC)
    dated = [line for line in head.splitlines() if _ISO.search(line)]
    first = next((line for line in dated if "start" in line.lower()), dated[0] if dated else "")
    match = _ISO.search(first)
    return _parsed(match[0]) if match else None


def _hdf5_start(scan: NamedScan) -> datetime | None:
    from cgxas.spectra.io.nexus.hdf5 import opened

    with opened(scan.path) as tree:
        groups = [tree.find(scan.group)] if scan.group else []
        groups = [*groups, *(each for _, each in tree.members(tree.root))]
        starts = (tree.text(tree.find("start_time", each)) for each in groups if each is not None)
        match = next(filter(None, map(_ISO.search, starts)), None)
    return _parsed(match[0]) if match else None


def _parsed(text: str) -> datetime:
    """Return a time; one without a zone counts as UTC, for only differences matter."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _tabled(path: Path, column: str, scans: Sequence[NamedScan]) -> tuple[str, FloatArray]:
    """Return a column of a table that has a row for each scan."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UnreadableSpectrum(
            f"the table of the axis, {path}, cannot be read: {error}"
        ) from error
    names = list(table[0]) if table else []
    scan = next((name for name in names if name and name.strip().lower() in _NAMES), None)
    others = [name for name in names if name != scan]
    wanted = column or (others[0] if others else "")
    if scan is None or wanted not in others:
        what = f"a column {wanted}" if column else "a column of numbers"
        raise UnclearSpectrum(
            f"{path} has the columns {listed(names) or 'of nothing'}: it needs scan and {what}"
        )
    rows = {Path(row[scan].strip()).stem: row[wanted] for row in table if row[scan]}
    rows |= {row[scan].strip(): row[wanted] for row in table if row[scan]}
    missing = [s.name for s in scans if s.name not in rows and s.path.name not in rows]
    if missing:
        raise UnclearSpectrum(f"{path} has no row for {listed(missing)}")
    values = [rows.get(s.name) or rows.get(s.path.name) or "" for s in scans]
    try:
        return wanted, np.array([float(value) for value in values])
    except ValueError as error:
        raise UnclearSpectrum(f"{path}: the column {wanted} holds no number: {error}") from error


def _mean_of(column: str, scan: NamedScan, how: How) -> float:
    try:
        values = read_scan(scan.path, scan.group or None, how.energy, column).mu
    except CgxasError as error:
        raise UnclearSpectrum(
            f"the axis {column} is neither order, time, a table such as times.csv, nor a column of "
            f"the scans: {error}"
        ) from error
    return float(np.mean(values))

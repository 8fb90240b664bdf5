"""What a series is laid along: its order, the time, a table, or a column of the scans."""

import csv
import re
from collections.abc import Sequence
from io import StringIO
from pathlib import Path

import numpy as np

from cgxas.errors import CgxasError, UnclearSpectrum, UnreadableSpectrum
from cgxas.limits import COLUMNS
from cgxas.mixing.scans import How, NamedScan
from cgxas.mixing.times import stamps_of, start_in, times_of
from cgxas.reading import read_bounded, read_head
from cgxas.spectra.io.read import read_scan
from cgxas.spectra.io.scan import listed
from cgxas.typing import FloatArray

ORDER, TIME, MTIME = "order", "time", "mtime"

_HEAD, _WHOLE = 64_000, 50_000_000  # characters
_SCANS = re.compile(r"^#S ", re.MULTILINE)  # of a file of SPEC
_NAMES = ("scan", "name", "file", "filename")


def axis_of(word: str, scans: Sequence[NamedScan], how: How) -> tuple[str, FloatArray]:
    """Return what an axis is called, with its unit, and where the scans stand on it, (N,).

    Args:
        word: "order"; "time", as the files state their start; "mtime", when they were last
            written; "TABLE.csv" or "TABLE.csv:COLUMN", with a row per scan and a column ``scan``;
            else a column of the scans, the mean of which is taken.
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
    if word == MTIME:
        return _seconds([scan.path.stat().st_mtime for scan in scans])
    file, _, column = word.partition(".csv:")
    if word.endswith(".csv") or column:
        return _tabled(Path(word if not column else f"{file}.csv"), column, scans)
    return word, np.array([_mean_of(word, scan, how) for scan in scans])


def _time(scans: Sequence[NamedScan]) -> tuple[str, FloatArray]:
    """Return seconds since the first scan."""
    texts: dict[Path, str] = {}
    stated = [_stated(scan, texts) for scan in scans]
    missing = [scan.name for scan, text in zip(scans, stated, strict=True) if not text]
    if missing:
        raise UnclearSpectrum(
            f"{listed(missing)} state no time at which they were begun: give their times in a "
            "table, --axis TABLE.csv with the columns scan and time_s, or take --axis mtime, when "
            "the files were last written"
        )
    return _seconds(stamps_of(stated))


def _seconds(stamps: Sequence[float]) -> tuple[str, FloatArray]:
    found = np.array(stamps, dtype=np.float64)
    return "time_s", found - found.min()


def _stated(scan: NamedScan, texts: dict[Path, str]) -> str:
    """Return the time at which a scan was begun as its file states it, or nothing.

    Args:
        scan: it.
        texts: files of several scans that were read before, which this one joins.
    """
    if scan.path.suffix.lower() in (".nxs", ".h5", ".hdf5"):
        return _hdf5_stated(scan)
    if not scan.group.isdecimal():
        head = read_head(scan.path, _HEAD, UnreadableSpectrum)
        return start_in(head.decode("utf-8", "replace"))
    if scan.path not in texts:
        whole = read_head(scan.path, _WHOLE, UnreadableSpectrum)
        texts[scan.path] = whole.decode("utf-8", "replace")
    parts, at = _SCANS.split(texts[scan.path]), int(scan.group)
    return start_in((parts[at] if 0 < at < len(parts) else parts[0])[:_HEAD])


def _hdf5_stated(scan: NamedScan) -> str:
    from cgxas.spectra.io.nexus.hdf5 import opened

    with opened(scan.path) as tree:
        groups = [tree.find(scan.group)] if scan.group else []
        groups = [*groups, *(each for _, each in tree.members(tree.root))]
        starts = (tree.text(tree.find("start_time", each)) for each in groups if each is not None)
        return next(filter(None, map(start_in, starts)), "")


def _tabled(path: Path, column: str, scans: Sequence[NamedScan]) -> tuple[str, FloatArray]:
    """Return a column of a table that has a row for each scan."""
    try:
        text = read_bounded(path, UnreadableSpectrum).decode("utf-8-sig")
        head = next(csv.reader(StringIO(text, newline="")), [])
        COLUMNS.refuse_beyond(len(head), f"{path} has", UnreadableSpectrum)
        table = list(csv.DictReader(StringIO(text, newline="")))
    except (UnicodeDecodeError, csv.Error) as error:
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
    if times := times_of(values):
        return _seconds(times)
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

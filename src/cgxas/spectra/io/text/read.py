"""Numbers below a header, as CSV, XDI and plain columns have them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from cgxas.errors import BadMeasurement, UnclearSpectrum, UnreadableSpectrum
from cgxas.limits import COLUMNS, POINTS
from cgxas.reading import read_bounded
from cgxas.spectra.io.base import Choice
from cgxas.spectra.io.scan import Scan, listed
from cgxas.spectra.io.table.axis import looks_like_energies
from cgxas.spectra.io.table.columns import Columns, columns_of
from cgxas.spectra.io.text.blocks import FEW_ROWS, Block, blocks_of
from cgxas.spectra.io.text.labels import labels
from cgxas.spectra.io.text.numbers import Style, style_of
from cgxas.typing import FloatArray

_ANY = Choice()
_ROW = "0123456789+-.,;"  # with which a row of numbers begins
_BLANKS = " \t\0\x1a\f\ufeff\v"
_SPEC = re.compile(r"#S (\d{1,9})\b")
_LONGEST_RECORD, _FEWEST_RECORDS = 8, 20
_NEAR, _GAP = 10, 20.0  # points whose steps are looked at, in steps
_FEFF = ("omega", "e", "k", "mu", "mu0", "chi")


def lines_of(path: Path) -> list[str]:
    """Return the lines of a text in whatever encoding, without blanks at their ends.

    Raises:
        UnreadableSpectrum: it holds more bytes, lines or columns than are taken.
    """
    raw = read_bounded(path, UnreadableSpectrum)
    try:
        text = raw.decode(_encoding(raw))
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    unix = text.replace("\r\n", "\n").replace("\r", "\n")
    POINTS.refuse_beyond(unix.count("\n"), f"{path.name} holds up to", UnreadableSpectrum)
    lines = [line.strip(_BLANKS) for line in unix.split("\n")]
    _refuse_many_columns(lines, path.name)
    return lines


def _refuse_many_columns(lines: Sequence[str], source: str) -> None:
    """Refuse a very long row before it is split; lines of words may be long."""
    most = COLUMNS.value
    for n, line in enumerate(lines, 1):
        if len(line) > most and line[0] in _ROW:
            separators = max(line.count(each) for each in ",;")
            count = max(separators + 1, len(line.split(maxsplit=most)))
            what = f"line {n} of {source} holds at least"
            COLUMNS.refuse_beyond(count, what, UnreadableSpectrum)


def _encoding(raw: bytes) -> str:
    """Tell UTF-16 by its mark, or by the zeros in every second byte of plain letters."""
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    even, odd = raw[:400:2].count(0), raw[1:400:2].count(0)
    if max(even, odd) > 0.4 * len(raw[:400]):
        return "utf-16-be" if even > odd else "utf-16-le"
    return "utf-8-sig"


def read_table(path: Path, choice: Choice = _ANY) -> tuple[Columns, list[str]]:
    """Read columns of numbers, however they are separated, and the lines above them.

    Args:
        path: the file.
        choice: the wanted scan, by its number, and the column of energies.

    Raises:
        UnreadableSpectrum: there are no columns of numbers, or too many damaged lines.
        UnclearSpectrum: there are several scans, and none is chosen.
    """
    return table_of(lines_of(path), path.name, choice)


def table_of(lines: Sequence[str], source: str, choice: Choice) -> tuple[Columns, list[str]]:
    """Return the columns in the lines of a text; as `read_table`."""
    style = style_of(lines)
    found = blocks_of(lines, style, source)
    tables = [(block, _table(block, found.blocks[0], source)) for block in found.blocks]
    scans = _joined(tables, choice)
    block, table = _chosen(scans, source, choice)
    _refuse_unsure(style, table)
    left_out = [each for each, _ in tables if each.lines[-1] < block.lines[0]]
    header = [line for each in left_out for line in each.above] + block.above
    return replace(table, done=(*found.done, *table.done)), header


def read_tables(path: Path, choice: Choice = _ANY) -> list[tuple[str, Columns, list[str]]]:
    """Read all scans or tables of a text: the number of each, its columns, the lines above.

    Args:
        path: the file.
        choice: the column of energies.

    Raises:
        UnreadableSpectrum: there are no columns of numbers, or too many damaged lines.
    """
    lines, source = lines_of(path), path.name
    style = style_of(lines)
    found = blocks_of(lines, style, source)
    tables = [(block, _table(block, found.blocks[0], source)) for block in found.blocks]
    scans = _joined(tables, choice)
    for _, table in scans:
        _refuse_unsure(style, table)
    first = scans[0][0].above
    return [
        (number, replace(table, done=(*found.done, *table.done)), [*first, *block.above])
        for number, (block, table) in _by_number(scans).items()
    ]


def _refuse_unsure(style: Style, table: Columns) -> None:
    if style.is_unsure and len(table.names) != len(table.data):
        raise UnreadableSpectrum(
            f"{table.source}: its commas may stand between columns or before decimals: save it "
            "again with decimal points or semicolons."
        )


def scan_of(columns: Columns, choice: Choice, **about: Any) -> Scan:
    """Return the scan that the chosen columns hold, or those that names and units point to.

    Args:
        columns: of the file.
        choice: the wanted columns of energy and mu.
        about: further attributes of the scan.

    Raises:
        UnclearSpectrum: no column, or several, can be mu.
        BadMeasurement: the energies are in unknown units.
    """
    energy, at, done = columns.energy(choice.energy)
    mu, kind, how = columns.mu(at, choice.mu)
    hint = columns.clearer_than(kind) if choice.mu is None else ""
    done = [*columns.done, *done, *how]
    return Scan(energy, mu, kind, source=columns.source, hint=hint, done=tuple(done), **about)


def rows(columns: Mapping[str, FloatArray], separator: str) -> Iterator[str]:
    """Yield the lines of a table: energies to 1e-8 eV, the others to 12 digits.

    Args:
        columns: each (P,), by name; the first is the energy in eV.
        separator: between the numbers of a line.
    """
    for energy, *values in zip(*columns.values(), strict=True):
        yield separator.join([f"{energy:.8f}", *(f"{value:.12g}" for value in values)])


def _table(block: Block, first: Block, source: str) -> Columns:
    """Return the columns of a block, named by what stands above it, or above the first one."""
    data, done = _records(block.data(), block.above)
    found = labels(block.above, data)
    if not found.names and block is not first and first.width == block.width:
        found = labels(first.above, data)
    if not found.names and _is_feff(block.above, data):
        return columns_of(_FEFF, data, (), source, done=done)
    return columns_of(found.names, data, found.units, source, found.doubt, done)


def _is_feff(above: Sequence[str], data: FloatArray) -> bool:
    """Tell an xmu.dat of FEFF without labels: its second energies are the first from the edge."""
    if len(data) != len(_FEFF) or not any("feff" in line.lower() for line in above):
        return False
    return bool(np.ptp(data[0] - data[1]) < 0.01 * np.ptp(data[0]))


def _records(data: FloatArray, above: Sequence[str]) -> tuple[FloatArray, list[str]]:
    """Join records that are written over several lines of equal length.

    They are told by a first column that runs like energies in every n-th line alone, and has
    other values between.
    """
    n_columns, n_rows = data.shape
    if looks_like_energies(data[0]):
        return data, []
    for n in range(2, _LONGEST_RECORD + 1):
        if n_rows % n or n_rows // n < _FEWEST_RECORDS:
            continue
        first, others = data[0, ::n], np.delete(data[0], np.s_[::n])
        between = (others >= first.min()) & (others <= first.max())
        steps = np.diff(first)
        is_one_way = bool(np.all(steps > 0) or np.all(steps < 0))
        if is_one_way and looks_like_energies(first) and not between.any():
            joined = data.T.reshape(n_rows // n, n * n_columns).T
            return joined, [f"joined the {n} lines of each of {n_rows // n} records"]
    return data, []


def _joined(tables: Sequence[tuple[Block, Columns]], choice: Choice) -> list[tuple[Block, Columns]]:
    """Join blocks whose energies go on; leave out a few numbers below a scan."""
    largest = max(len(block.lines) for block, _ in tables)
    found: list[tuple[Block, Columns]] = []
    for block, table in tables:
        last = found[-1] if found else None
        if last and _goes_on(last[1], table, choice):
            said = f"went on after the words above line {block.lines[0]}"
            data = np.hstack([last[1].data, table.data])
            done = tuple(dict.fromkeys([*last[1].done, *table.done, said]))
            lines = last[0].lines + block.lines
            found[-1] = (
                Block(last[0].above, last[0].rows, lines),
                replace(last[1], data=data, done=done),
            )
        elif len(block.lines) >= min(FEW_ROWS, largest) or last is None:
            found.append((block, table))
        else:
            said = f"left out {len(block.lines)} rows of numbers from line {block.lines[0]} on"
            found[-1] = last[0], replace(last[1], done=(*last[1].done, said))
    return found


def _goes_on(before: Columns, after: Columns, choice: Choice) -> bool:
    """Tell a block that is the rest of the scan before it."""
    if len(before.data) != len(after.data) or before.names != after.names:
        return False
    at = 0
    with suppress(UnclearSpectrum, BadMeasurement):
        at = before.energy(choice.energy)[1]
    first, second = before.data[at][-_NEAR:], after.data[at][:_NEAR]
    steps = np.concatenate([np.diff(first), np.diff(second)])
    if not steps.size or not np.isfinite(steps).any():
        return False
    step, jump = float(np.nanmedian(steps)), float(second[0] - first[-1])
    return jump * step > 0 and abs(jump) <= _GAP * float(np.nanmax(np.abs(steps)))


def _chosen(
    scans: Sequence[tuple[Block, Columns]], source: str, choice: Choice
) -> tuple[Block, Columns]:
    """Return the only scan, or the one that is asked for by its number."""
    named = _by_number(scans)
    if choice.group is None and len(scans) == 1:
        return scans[0]
    if choice.group is None:
        told = [f"{name} from line {block.lines[0]}" for name, (block, _) in named.items()]
        raise UnclearSpectrum(
            f"{source} holds {len(scans)} scans or tables: {listed(told)}; choose one by number "
            "with --group (in compare: FILE:NUMBER), or split the file."
        )
    if choice.group not in named:
        raise UnclearSpectrum(
            f"{source} has no scan {choice.group!r} to choose: it holds {listed(list(named))}; "
            "leave out --group if there is one."
        )
    return named[choice.group]


def _by_number(scans: Sequence[tuple[Block, Columns]]) -> dict[str, tuple[Block, Columns]]:
    """Return the scans by the numbers SPEC gave them, or by their places where these repeat."""
    named = {_number(block, n): (block, table) for n, (block, table) in enumerate(scans, 1)}
    if len(named) < len(scans):
        named = {str(n): each for n, each in enumerate(scans, 1)}
    return named


def _number(block: Block, n: int) -> str:
    """Return the number that SPEC gave to a scan, else its place in the file."""
    stated = [found[1] for found in map(_SPEC.match, block.above) if found]
    return stated[-1] if stated else str(n)

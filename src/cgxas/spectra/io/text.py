"""Numbers below a header, as CSV, XDI and plain columns have them; read by Larch."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from cgxas.errors import UnreadableSpectrum
from cgxas.spectra.io.base import Choice
from cgxas.spectra.io.columns import Columns, columns_of
from cgxas.spectra.io.header import column_names
from cgxas.spectra.io.larch import need_larch, quiet
from cgxas.spectra.io.scan import Scan
from cgxas.typing import FloatArray

_WITHOUT_POINT = re.compile(r"([-+]?\d+,\d+([eE][-+]?\d+)?|[-+]?\d+)")
_LAST_BYTES, _LAST_ROWS = 2000, 3
_BLOCK = 10


def read_table(path: Path) -> tuple[Columns, list[str]]:
    """Read columns of numbers, separated by spaces, tabs or commas, and the lines above them.

    Raises:
        UnreadableSpectrum: there are no columns of numbers, or several blocks of them.
        MissingExtra: Larch is not installed.
    """
    need_larch()
    group = _read(path)
    return _columns(group, path), [str(line) for line in group.header]


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
    return Scan(energy, mu, kind, source=columns.source, done=(*done, *how), **about)


def rows(columns: Mapping[str, FloatArray], separator: str) -> Iterator[str]:
    """Yield the lines of a table: energies to 1e-8 eV, the others to 12 digits.

    Args:
        columns: each (P,), by name; the first is the energy in eV.
        separator: between the numbers of a line.
    """
    for energy, *values in zip(*columns.values(), strict=True):
        yield separator.join([f"{energy:.8f}", *(f"{value:.12g}" for value in values)])


def _read(path: Path) -> Any:
    """Let Larch read a file; whatever it stumbles over is one error."""
    from larch.io import read_ascii

    _refuse_decimal_commas(path)
    try:
        with quiet():
            group = read_ascii(str(path))
    except Exception as error:  # a damaged file fails anywhere in Larch, with any error
        raise UnreadableSpectrum(
            f"{path.name} is no spectrum that Larch reads: it needs columns of numbers, the "
            "energy and mu or what it is made of."
        ) from error
    _refuse_blocks(group, path)
    return group


def _refuse_decimal_commas(path: Path) -> None:
    """Refuse 7112,5;0,34: Larch takes commas for the ends of columns."""
    end = path.read_bytes()[-_LAST_BYTES:].decode("latin-1").splitlines()
    rows = [re.split(r"[;\s]+", line.strip(" ;\t")) for line in end[1:] if line.strip()]
    if rows and all(map(_has_decimal_commas, rows[-_LAST_ROWS:])):
        raise UnreadableSpectrum(
            f"{path.name} has decimal commas: save it again with decimal points."
        )


def _has_decimal_commas(row: list[str]) -> bool:
    is_plain = all(_WITHOUT_POINT.fullmatch(word) for word in row)
    return is_plain and len(row) > 1 and any("," in word for word in row)


def _refuse_blocks(group: Any, path: Path) -> None:
    """Refuse numbers above a line of words: Larch reads what stands below the last such line."""
    width = len(group.data)
    above = [line for line in group.header if len(_numbers(line)) == width > 1]
    if len(above) >= _BLOCK:
        raise UnreadableSpectrum(
            f"{path.name} holds several blocks of numbers with words between them: split the file, "
            "or remove those lines."
        )


def _numbers(line: str) -> list[float]:
    """Return the numbers of a line, or none if there are words in it."""
    try:
        return [float(word) for word in re.split(r"[,;\s]+", line.strip())]
    except ValueError:
        return []


def _columns(group: Any, path: Path) -> Columns:
    data = np.asarray(group.data)
    try:
        data = data.astype(np.float64)
    except (TypeError, ValueError) as error:  # words between the numbers
        raise UnreadableSpectrum(
            f"{path.name} holds words between its numbers: remove those lines or columns."
        ) from error
    if data.ndim != 2:
        return columns_of((), data, (), path.name)
    names, units = column_names(group, len(data))
    columns = columns_of(names, data, units, path.name)
    spacing = getattr(group, "mono_dspace", 0.0)  # Larch knows it of files of the Photon Factory
    return columns.with_energy(group.energy_column - 1, spacing) if spacing else columns

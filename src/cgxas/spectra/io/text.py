"""Text files read by Larch: XDI, columns of beamlines with a header or none, CSV."""

import re
from pathlib import Path
from typing import Any

import numpy as np

from cgxas.errors import UnreadableSpectrum
from cgxas.spectra.io.columns import Columns, columns_of
from cgxas.spectra.io.header import column_names
from cgxas.spectra.io.larch import quiet
from cgxas.spectra.io.scan import Scan

_FIELD = re.compile(r"[#\s]*(\w+\.\w+)\s*:\s*(.*)")
_WITHOUT_POINT = re.compile(r"([-+]?\d+,\d+([eE][-+]?\d+)?|[-+]?\d+)")
_LAST_BYTES, _LAST_ROWS = 2000, 3
_BLOCK = 10


def read_xdi_file(path: Path, energy: str | None = None, mu: str | None = None) -> Scan:
    """Read an XDI file.

    Larch reads the numbers; its reader of the header stops at "Mono.d_spacing: 3.1356 A", which
    is how NSLS-II BMM writes it, so the header is read here.

    Args:
        path: the file.
        energy: name of the energy column, if it is not "energy".
        mu: name or formula of mu; found by the names of the columns without it.

    Raises:
        UnreadableSpectrum: Larch does not understand it.
        UnclearSpectrum: no column, or several, can be mu.
    """
    group = _read(path)
    fields = {
        found[1].lower(): found[2].strip() for found in map(_FIELD.match, group.header) if found
    }
    columns = _columns(group, path)
    spacing = _number(fields.get("mono.d_spacing", ""))
    if energy is None and "energy" not in columns.names and "angle" in columns.names and spacing:
        columns = columns.with_energy(columns.names.index("angle"), spacing)
    return _scan(
        columns,
        (energy, mu),
        format="XDI",
        label=fields.get("sample.name", ""),
        element=fields.get("element.symbol", "").capitalize(),
        edge=fields.get("element.edge", "").upper(),
        energy_shift=_number(fields.get("cgxas.energy_shift", "")),
        simulated="cgxas.model" in fields,
    )


def read_column_file(path: Path, energy: str | None = None, mu: str | None = None) -> Scan:
    """Read columns of numbers below a header or none; separated by spaces, tabs or commas.

    Args:
        path: the file.
        energy: name or number (from 1) of the energy column.
        mu: name, number or formula of mu.

    Raises:
        UnreadableSpectrum: there are no columns of numbers.
        UnclearSpectrum: no column, or several, can be mu.
    """
    group = _read(path)
    columns = _columns(group, path)
    header = " ".join(group.header).lower()
    return _scan(
        columns,
        (energy, mu),
        format="CSV" if path.suffix.lower() == ".csv" else "columns",
        simulated="feff" in header and "omega" in columns.names,
    )


def _scan(
    columns: Columns, wanted: tuple[str | None, str | None], simulated: bool, **about: Any
) -> Scan:
    values, at, done = columns.energy(wanted[0])
    mu, kind, how = columns.mu(at, wanted[1])
    kind = "simulated" if simulated else kind
    return Scan(values, mu, kind, source=columns.source, done=(*done, *how), **about)


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


def _number(text: str) -> float:
    found = re.match(r"[-+]?\d+(\.\d*)?", text.strip())
    return float(found[0]) if found else 0.0

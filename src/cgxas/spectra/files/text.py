"""Text files read by Larch: XDI, columns of beamlines with a header or none, CSV."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cgxas.errors import UnreadableSpectrum
from cgxas.spectra.files.columns import Columns, columns_of
from cgxas.spectra.files.scan import Scan

_COMMENT = re.compile(r"^\s*(#[LC]\b|[#%;!*$]+)?\s*")
_UNIT = re.compile(r"\s*[(\[]\s*(k?eV|deg(?:rees)?)\s*[)\]]", re.IGNORECASE)
_LAST_LINES = 3


def read_xdi_file(path: Path, energy: str | None = None, mu: str | None = None) -> Scan:
    """Read an XDI file.

    Args:
        path: the file.
        energy: name of the energy column, if it is not "energy".
        mu: name or formula of mu; found by the names of the columns without it.

    Raises:
        UnreadableSpectrum: Larch does not understand it.
        UnclearSpectrum: no column, or several, can be mu.
    """
    from larch.io import read_xdi

    group = _read(read_xdi, path)
    columns = _columns(group, path)
    if energy is None and "energy" not in columns.names and hasattr(group, "energy"):
        # Larch has made it of the angle and the spacing of the monochromator's planes.
        columns = Columns(
            ("energy", *columns.names),
            np.vstack([group.energy, columns.data]),
            ("eV", *columns.units),
            columns.source,
        )
    sample = group.attrs.get("sample", {})
    own = group.attrs.get("cgxas", {})
    return _scan(
        columns,
        (energy, mu),
        format="XDI",
        label=str(sample.get("name", "")),
        element=str(group.element or "").strip().capitalize(),
        edge=str(group.edge or "").strip(),
        energy_shift=_number(own.get("energy_shift", "")),
        simulated="model" in own,
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
    from larch.io import read_ascii

    group = _read(read_ascii, path)
    columns = _columns(group, path)
    header = " ".join(getattr(group, "header", [])).lower()
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


def _read(reader: Any, path: Path) -> Any:
    """Let Larch read a file; whatever it stumbles over is one error."""
    from cgxas.spectra.files.quiet import quiet

    try:
        with quiet():
            return reader(str(path))
    except Exception as error:  # a damaged file fails anywhere in Larch, with any error
        raise UnreadableSpectrum(
            f"{path.name} is no spectrum that Larch reads: it needs columns of numbers, the "
            "energy and mu or what it is made of."
        ) from error


def _columns(group: Any, path: Path) -> Columns:
    data = np.asarray(getattr(group, "data", []))
    try:
        data = data.astype(np.float64)
    except (TypeError, ValueError) as error:  # words between the numbers
        raise UnreadableSpectrum(
            f"{path.name} holds words between its numbers: remove those lines or columns."
        ) from error
    if data.ndim != 2:
        return columns_of((), data, (), path.name)
    names, units = _names(group, len(data))
    return columns_of(names, data, units, path.name)


def _names(group: Any, n_columns: int) -> tuple[Sequence[str], Sequence[str]]:
    """Return names and units of the columns; no names if the file does not tell them.

    Larch splits "Energy (eV)" into two names, so a plain header is read here once more.
    """
    from larch.io import guess_beamline

    stated = getattr(group, "array_units", None)
    if stated is not None:
        return list(group.array_labels), list(stated)
    header = list(getattr(group, "header", []))
    if guess_beamline(header).name == "generic":
        for line in reversed(header[-_LAST_LINES:]):
            names = _split(line, n_columns)
            if names:
                return [_UNIT.sub("", name) for name in names], [_unit(name) for name in names]
        return (), ()
    return list(group.array_labels), ()


def _split(line: str, n_columns: int) -> list[str] | None:
    """Return the names in a line of the header, if there are as many as columns."""
    text = _COMMENT.sub("", line.strip(), count=1)
    for separator in (r"\s*,\s*", r"\t+", r"\s{2,}", r"\s+"):
        words = [word.strip("\"' ") for word in re.split(separator, text) if word.strip("\"' ")]
        joined = _UNIT.sub(lambda found: f"({found[1]})", text)
        if len(words) != n_columns and separator == r"\s+":
            words = joined.split()
        if len(words) == n_columns and any(re.search(r"[A-Za-z]", word) for word in words):
            return words
    return None


def _unit(name: str) -> str:
    found = _UNIT.search(name)
    return found[1] if found else ""


def _number(text: str) -> float:
    found = re.match(r"[-+]?\d+(\.\d*)?", text.strip())
    return float(found[0]) if found else 0.0

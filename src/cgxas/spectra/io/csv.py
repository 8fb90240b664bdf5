"""CSV: one row of names, then the numbers.

Columns: ``energy`` (eV), ``mu`` (raw; measurements only), ``norm``, ``sigma`` and
``norm_<site>`` where a model tells them. There is no header to carry anything else.
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from cgxas.spectra.io.base import Choice, Curve, Format, NamedScan
from cgxas.spectra.io.facts import columns
from cgxas.spectra.io.scan import Scan
from cgxas.spectra.io.table.columns import Columns
from cgxas.spectra.io.text.many import read_all
from cgxas.spectra.io.text.read import read_table, rows, scan_of

_OLD_NAMES = re.compile(r"energy,mu(,sigma)?(,mu_\d+)*")


def _read(path: Path, choice: Choice) -> Scan:
    table, _ = read_table(path, choice)
    scan = _scan_of(table, (), choice)
    return replace(scan, kind="simulated") if _is_old_prediction(path) else scan


def _read_all(path: Path, choice: Choice) -> list[NamedScan]:
    return read_all(path, choice, _scan_of)


def _scan_of(table: Columns, _: Sequence[str], choice: Choice) -> Scan:
    return scan_of(table, choice, format=FORMAT.name)


def _is_old_prediction(path: Path) -> bool:
    """Tell what 'cgxas predict' of version 0.1.0 wrote: its mu is normalised.

    It is told from a measured ``energy,mu`` by how every number is written: energies with just
    8 decimals, the others with at most 10 digits and no zeros at their end.
    """
    with suppress(ValueError):  # no line, or words between the numbers
        names, *lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        return bool(_OLD_NAMES.fullmatch(names)) and all(map(_is_old_row, lines))
    return False


def _is_old_row(line: str) -> bool:
    energy, *values = line.split(",")
    is_energy = energy == f"{float(energy):.8f}"
    return is_energy and all(value == f"{float(value):.10g}" for value in values)


def _write(path: Path, curve: Curve, sites: bool) -> None:
    table = columns(curve, sites)
    lines = [",".join(table), *rows(table, ",")]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


FORMAT = Format(
    name="CSV",
    suffixes=(".csv",),
    recognises=lambda path, head: path.suffix.lower() == ".csv",
    read=_read,
    read_all=_read_all,
    write_one=_write,
    has_groups=True,
    has_columns=True,
)

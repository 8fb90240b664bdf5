"""Any file of a measured spectrum -> a scan, by what the file holds."""

import os
from pathlib import Path

from cgxas.errors import UnclearSpectrum, UnreadableSpectrum
from cgxas.spectra.io import athena, nexus, text
from cgxas.spectra.io.larch import need_larch
from cgxas.spectra.io.scan import Scan
from cgxas.spectra.measurement import Measurement
from cgxas.spectra.normalise import normalise

_XDI = b"XDI/"
_FIRST_LINE = 80


def read_scan(
    path: str | os.PathLike[str],
    group: str | None = None,
    energy: str | None = None,
    mu: str | None = None,
) -> Scan:
    """Read a scan: XDI, Athena project, NeXus NXxas, CSV, or columns with a header or none.

    Args:
        path: the file; what it is, is recognised by what it holds.
        group: name of a group of a project, or of an entry of a NeXus file.
        energy: name or number (from 1) of the energy column.
        mu: name, number or formula ("ln(i0/it)") of mu, or transmission, fluorescence, reference.

    Raises:
        UnreadableSpectrum: no reader understands the file.
        UnclearSpectrum: several groups or columns fit, and none was chosen.
        BadMeasurement: the energies are in unknown units.
        MissingExtra: Larch is not installed.
    """
    file = Path(path)
    _refuse_unreadable(file)
    need_larch()
    if nexus.is_nexus(file):
        return nexus.read_nexus_file(file, group, energy, mu)
    if athena.is_athena(file):
        if energy or mu:
            raise UnclearSpectrum(
                f"{file.name} is an Athena project, which has no columns to choose: leave out "
                "--energy and --mu."
            )
        return athena.read_athena_file(file, group)
    if file.suffix.lower() == ".prj":
        raise UnreadableSpectrum(
            f"{file.name} is a damaged Athena project, or none: save it again in Athena."
        )
    if group:
        raise UnclearSpectrum(f"{file.name} has no groups to choose from: leave out --group.")
    with file.open("rb") as opened:
        is_xdi = _XDI in opened.readline(_FIRST_LINE)
    reader = text.read_xdi_file if is_xdi else text.read_column_file
    return reader(file, energy, mu)


def _refuse_unreadable(path: Path) -> None:
    if path.is_dir():
        raise UnreadableSpectrum(f"{path} is a folder: give the file of one spectrum.")
    if not path.exists():
        raise UnreadableSpectrum(f"{path}: no such file.")
    if path.stat().st_size == 0:
        raise UnreadableSpectrum(f"{path.name} is empty: copy it again.")


def read_measurement(
    path: str | os.PathLike[str],
    element: str | None = None,
    group: str | None = None,
    energy: str | None = None,
    mu: str | None = None,
) -> Measurement:
    """Read a measured spectrum and normalise it.

    Args:
        path: XDI, Athena project, NeXus NXxas, CSV or columns.
        element: the absorber; the one the file states, or that of the nearest edge, if None.
        group: of an Athena project or NeXus file.
        energy: name or number of the energy column.
        mu: name, number or formula of mu, or transmission, fluorescence, reference.

    Raises:
        SpectrumError: it cannot be read or normalised; the message says why.
        MissingExtra: Larch is not installed.
    """
    return normalise(read_scan(path, group, energy, mu), element)

"""Any file of a spectrum -> a scan, and a normalised measurement, by what the file holds."""

import os
from dataclasses import replace
from pathlib import Path

from cgxas.arguments import as_path, as_text_or_none
from cgxas.errors import UnclearSpectrum, UnknownElement, UnreadableSpectrum, WrongEdge
from cgxas.limits import FILE_SIZE, POINTS
from cgxas.reading import refuse_unreadable
from cgxas.spectra.absorber import plain_edge
from cgxas.spectra.io.base import Choice, Format, NamedScan
from cgxas.spectra.io.formats import format_of, readable_suffixes
from cgxas.spectra.io.scan import Scan, tidy
from cgxas.spectra.measurement import Measurement
from cgxas.spectra.normalise import normalise
from cgxas.typing import FloatArray


def read_spectrum(
    path: str | os.PathLike[str],
    element: str | None = None,
    group: str | None = None,
    energy: str | None = None,
    mu: str | None = None,
    edge: str | None = None,
) -> Measurement:
    """Read a measured spectrum and normalise it; a predicted one is left as it is.

    Args:
        path: the file: XDI, Athena project, NeXus or other HDF5, CSV, columns with a header or
            none, or what cgxas wrote; what it is, is recognised by what it holds.
        element: the absorber; the one the file states, else a guess by the energy, if None.
        group: name of a group of a project, of an entry of a NeXus file, or number of a scan of a
            text.
        energy: name or number (from 1) of the energy column; its path in an HDF5 file.
        mu: name, number, path or formula ("(if1+if2)/i0") of mu, or transmission, fluorescence,
            reference.
        edge: K, L1, L2 or L3; the one the file states, else a guess by the energy, if None.

    Raises:
        SpectrumError: it cannot be read or normalised; the message says why.
        UnknownElement: the element is none.
        MissingExtra: Larch is not installed.
    """
    as_text_or_none(element, "element", UnknownElement)
    as_text_or_none(edge, "edge", UnknownElement)
    return normalise(read_scan(path, group, energy, mu), element, edge)


def read_prediction(
    path: str | os.PathLike[str], element: str, group: str | None = None, edge: str = ""
) -> tuple[FloatArray, FloatArray]:
    """Read a spectrum that is known to be predicted; it is left as it is.

    Args:
        path: what cgxas wrote, or columns such as FEFF's xmu.dat.
        element: the absorber it should be of.
        group: of an Athena project.
        edge: the one it should be of; any if empty.

    Returns:
        Energies in eV and norm, each (P,).

    Raises:
        SpectrumError: it cannot be read.
        WrongEdge: the file states another absorber or edge.
        MissingExtra: Larch is not installed.
    """
    scan = tidy(replace(read_scan(path, group), kind="simulated"))
    if scan.element and scan.element != element:
        raise WrongEdge(
            f"{scan.source} is of {scan.element}, the measured spectrum of {element}: compare the "
            "same absorber."
        )
    stated = plain_edge(scan.edge)
    if edge and stated not in ("", edge):
        raise WrongEdge(
            f"{scan.source} is of {element} {stated}, the measured spectrum of {element} {edge}: "
            "compare the same edge."
        )
    return scan.energy, scan.mu


def is_spectrum_file(path: Path) -> bool:
    """Tell a file of a spectrum from one of a crystal by its suffix."""
    return path.suffix.lower() in readable_suffixes()


def read_scan(
    path: str | os.PathLike[str],
    group: str | None = None,
    energy: str | None = None,
    mu: str | None = None,
) -> Scan:
    """Read a scan as the file gives it; the arguments are those of `read_spectrum`.

    Raises:
        UnreadableSpectrum: no reader understands the file.
        UnclearSpectrum: several groups or columns fit, and none was chosen.
        BadMeasurement: the energies are in unknown units.
        MissingExtra: Larch is not installed.
    """
    file = as_path(path, "the file of a spectrum", UnreadableSpectrum)
    for name, wish in {"group": group, "energy": energy, "mu": mu}.items():
        as_text_or_none(wish, name, UnclearSpectrum)
    size = refuse_unreadable(file, UnreadableSpectrum)
    found, choice = format_of(file), Choice(group, energy, mu)
    _refuse_choice(found, choice, file)
    if found.read is None:
        raise UnreadableSpectrum(
            f"{file.name} is a {found.name}, which is only written: give a file of one spectrum, "
            "such as .xdi."
        )
    if not found.is_read_in_parts:
        FILE_SIZE.refuse_beyond(size, f"{file.name} holds", UnreadableSpectrum)
    scan = found.read(file, choice)
    POINTS.refuse_beyond(scan.energy.size, f"{file.name} holds", UnreadableSpectrum)
    return scan


def read_scans(
    path: str | os.PathLike[str],
    energy: str | None = None,
    mu: str | None = None,
    columns: str | None = None,
) -> list[NamedScan]:
    """Read every scan of a file: groups of a project, entries, tables of a text, or columns.

    Args:
        path: the file.
        energy: as for `read_spectrum`; a path from the entry where each entry has it.
        mu: likewise; of an HDF5 file also a stack, (N, P) or (P, N).
        columns: the columns of a text that are scans: names with wildcards, numbers and ranges
            of them, with commas between ("mu*", "2-30").

    Returns:
        Name and scan of each, the name empty where the file holds one; an error in place of a
        scan that is none.

    Raises:
        SpectrumError: no scan can be told, as `read_scan`.
        MissingExtra: Larch is not installed.
    """
    file = as_path(path, "the file of a spectrum", UnreadableSpectrum)
    for name, wish in {"energy": energy, "mu": mu, "columns": columns}.items():
        as_text_or_none(wish, name, UnclearSpectrum)
    size = refuse_unreadable(file, UnreadableSpectrum)
    found, choice = format_of(file), Choice(None, energy, mu, columns)
    has_many = found.has_columns and found.read_all and not found.is_read_in_parts
    if columns and (mu or not has_many):
        why = "--mu names a single one" if mu else f"its format is {found.name}"
        raise UnclearSpectrum(f"{file.name} has no columns of scans to choose: {why}.")
    if found.read_all is None:
        return [("", read_scan(path, None, energy, mu))]
    _refuse_choice(found, choice, file)
    if not found.is_read_in_parts:
        FILE_SIZE.refuse_beyond(size, f"{file.name} holds", UnreadableSpectrum)
    return list(found.read_all(file, choice))


def _refuse_choice(found: Format, choice: Choice, path: Path) -> None:
    """Refuse to choose from what files of this format do not have."""
    if choice.group and not found.has_groups:
        raise UnclearSpectrum(f"{path.name} has no groups to choose from: leave out --group.")
    if (choice.energy or choice.mu) and not found.has_columns:
        raise UnclearSpectrum(
            f"{path.name} is of the format {found.name}, which has no columns to choose: leave "
            "out --energy and --mu."
        )

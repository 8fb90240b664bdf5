"""Spectra into files, one or many, in the format of the suffix; never half a file."""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from cgxas.arguments import as_path, one_of_kind, refuse_single
from cgxas.errors import OutputError, SpectrumError
from cgxas.spectra.io.base import Curve
from cgxas.spectra.io.formats import format_to_write, table_suffixes, writable_suffixes
from cgxas.spectra.measurement import Measurement
from cgxas.spectra.spectrum import Spectrum
from cgxas.writing import atomic_path

_CURVES = (Spectrum, Measurement)
_WANTED = "what is written is a Spectrum or a Measurement"


def write_spectrum(spectrum: Curve, path: str | os.PathLike[str], sites: bool = False) -> None:
    """Write one spectrum, predicted or measured, in the format of the suffix.

    The energies of a measurement are those of its source; where the format can, its energy shift
    stands beside them.

    Args:
        spectrum: what to write.
        path: ``.xdi``, ``.json``, ``.csv``, or a file that could hold many, ``.prj``,
            ``.parquet``; an existing one is replaced.
        sites: add the curves of the distinct sites (JSON always holds them).

    Raises:
        OutputError: it cannot be written there, or the format cannot hold so many sites.
        SpectrumError: an Athena project is asked for, and the spectrum has no edge.
        MissingExtra: Larch, which writes Athena projects, is not installed.
    """
    one_of_kind(spectrum, _CURVES, _WANTED, SpectrumError)
    target = check_spectrum_output(path)
    found = format_to_write(target)
    if found and found.write_one:
        with atomic_path(target) as temporary:
            found.write_one(temporary, spectrum, sites)
    else:
        write_spectra([spectrum], target, sites)


def write_spectra(
    spectra: Iterable[Curve], path: str | os.PathLike[str], sites: bool = False
) -> None:
    """Write many spectra, predicted or measured, into one file.

    Args:
        spectra: what to write; may be a generator: a Parquet table holds only some in memory.
        path: ``.prj`` or ``.parquet``; an existing one is replaced.
        sites: add the curves of the distinct sites, each after its mean.

    Raises:
        OutputError: it cannot be written there.
        SpectrumError: an Athena project is asked for, and a spectrum has no edge.
        MissingExtra: Larch, which writes Athena projects, is not installed.
    """
    target = check_spectrum_output(path, table_suffixes())
    found = format_to_write(target)
    refuse_single(spectra, "what is written are spectra", SpectrumError)
    checked: Iterator[Any] = (one_of_kind(s, _CURVES, _WANTED, SpectrumError) for s in spectra)
    if found and found.write_many:
        with atomic_path(target) as temporary:
            found.write_many(temporary, checked, sites)


def check_spectrum_output(
    path: str | os.PathLike[str], suffixes: Sequence[str] | None = None
) -> Path:
    """Refuse a file for spectra that cannot be written, before any work is done.

    Args:
        path: the wanted file; an existing one will be replaced.
        suffixes: the allowed ones; all that a spectrum can be written to if None.

    Returns:
        The path.

    Raises:
        OutputError: as `check_output`.
        MissingExtra: a library that writes such files is not installed.
    """
    target = check_output(path, writable_suffixes() if suffixes is None else suffixes)
    found = format_to_write(target)
    if found and found.prepare:
        found.prepare()
    return target


def check_output(path: str | os.PathLike[str], suffixes: Sequence[str]) -> Path:
    """Refuse an output file that cannot be written, before any work is done.

    Args:
        path: The wanted file; an existing one will be replaced.
        suffixes: The allowed suffixes, lower case, with their dots.

    Returns:
        The path.

    Raises:
        OutputError: Unknown suffix, no such folder, a folder, or no permission to write.
    """
    target = as_path(path, "an output", OutputError)
    if target.suffix.lower() not in suffixes:
        raise OutputError(f"{target} has no known file type: use {', '.join(suffixes)}.")
    if target.is_dir():
        raise OutputError(f"{target} is a folder: choose the name of a file.")
    if not target.parent.is_dir():
        raise OutputError(f"The folder {target.parent} does not exist: create it first.")
    # The folder decides, since a file is replaced; but a write-protected file is a wish, too.
    if not all(os.access(p, os.W_OK) for p in (target.parent, target) if p.exists()):
        raise OutputError(f"{target} cannot be written: permission denied.")
    return target

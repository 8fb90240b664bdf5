"""Measurements into files: XDI and CSV with raw and normalised mu, Athena projects."""

import os
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path

from cgxas.spectra.io.athena import write_athena_file
from cgxas.spectra.io.write import check_output
from cgxas.spectra.measurement import Measurement
from cgxas.spectra.spectrum import Spectrum
from cgxas.writing import atomic_path

MEASUREMENT_SUFFIXES = (".xdi", ".csv", ".prj")
"""File types for one measurement."""


def write_measurement(measurement: Measurement, path: str | os.PathLike[str]) -> None:
    """Write a measurement, chosen by the suffix: energy, mu as given, norm.

    The energies are those of the source; the energy shift stands beside them, in the header of an
    XDI file and as the shift of the group in an Athena project.

    Args:
        measurement: what to write.
        path: ``.xdi``, ``.csv`` or ``.prj``; an existing file is replaced.

    Raises:
        OutputError: it cannot be written there.
        MissingExtra: Larch, which writes projects, is not installed.
    """
    target = check_output(path, MEASUREMENT_SUFFIXES)
    suffix = target.suffix.lower()
    if suffix == ".prj":
        write_athena([measurement], target)
        return
    header = ["energy,mu,norm"] if suffix == ".csv" else list(_xdi_header(measurement))
    separator = "," if suffix == ".csv" else " "
    text = "\n".join([*header, *_rows(measurement, separator)]) + "\n"
    with atomic_path(target) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_athena(spectra: Sequence[Measurement | Spectrum], path: str | os.PathLike[str]) -> None:
    """Write spectra, measured or predicted, as one Athena project.

    Args:
        spectra: what to write; the names in Athena are their labels.
        path: a ``.prj`` file; an existing one is replaced.

    Raises:
        OutputError: it cannot be written there, or there are no spectra.
        SpectrumError: a predicted spectrum has no edge.
        MissingExtra: Larch is not installed.
    """
    target = check_output(path, (".prj",))
    groups = []
    for each in spectra:
        group = each.to_larch()
        if isinstance(each, Spectrum):
            group.e0, group.edge_step, group.filename = each.e0, 1.0, each.label
        groups.append(group)
    write_athena_file(Path(target), groups)


def _rows(measurement: Measurement, separator: str) -> Iterator[str]:
    for energy, mu, norm in zip(measurement.energy, measurement.mu, measurement.norm, strict=True):
        yield separator.join([f"{energy:.8f}", f"{mu:.12g}", f"{norm:.10g}"])


def _xdi_header(measurement: Measurement) -> Iterator[str]:
    """Yield the lines of an XDI/1.0 header."""
    fields = {
        "Element.symbol": measurement.element,
        "Element.edge": measurement.edge,
        "Sample.name": measurement.label,
        "Column.1": "energy eV",
        "Column.2": "mu",
        "Column.3": "norm",
        "Cgxas.kind": measurement.kind,
        "Cgxas.source": measurement.source,
        "Cgxas.e0": f"{measurement.e0:.6f} eV",
        "Cgxas.edge_step": f"{measurement.edge_step:.10g}",
        "Cgxas.energy_shift": f"{measurement.energy_shift:.6f} eV",
    }
    if measurement.ranges:
        r = measurement.ranges
        fields["Cgxas.pre_edge"] = f"{r.pre1:.2f} to {r.pre2:.2f} eV, degree {r.npre}"
        fields["Cgxas.post_edge"] = f"{r.norm1:.2f} to {r.norm2:.2f} eV, degree {r.nnorm}"
    yield f"# XDI/1.0 cgxas/{version('cgxas')}"
    for name, value in fields.items():
        if value:  # a line break inside a value would start a line of its own
            yield f"# {name}: {' '.join(value.split())}"
    yield from ("# ///", "# " + "-" * 30, "# energy mu norm")

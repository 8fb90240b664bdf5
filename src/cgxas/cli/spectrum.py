"""cgxas spectrum: what is understood of a measured file."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cgxas.cli.messages import one_line, say
from cgxas.cli.options import Degrees, Edge, Energy, Group, Mu, PrePost, normalised_as

if TYPE_CHECKING:
    from cgxas.spectra.measurement import Measurement
    from cgxas.spectra.trust import Trust


def spectrum(  # noqa: PLR0913, PLR0917  # the options of a command
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="XDI, Athena project, NeXus or other HDF5, CSV, or columns."
        ),
    ],
    group: Group = None,
    energy: Energy = None,
    mu: Mu = None,
    element: Annotated[
        str | None,
        typer.Option("--element", "-e", help="Absorber; the stated or a guessed one otherwise."),
    ] = None,
    edge: Edge = None,
    ranges: PrePost = None,
    degrees: Degrees = None,
    flatten: Annotated[
        bool, typer.Option("--flatten", help="Draw and write it with its post-edge made level.")
    ] = False,
    plot: Annotated[
        Path | None,
        typer.Option("--plot", metavar="FIG", help="Draw it raw and normalised: .png, .svg, .pdf."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="OUT",
            help="To .xdi, .json, .csv, .prj, .parquet, .nxs, .h5, .hdf5.",
        ),
    ] = None,
) -> None:
    """Read and normalise a measured spectrum, and show what was understood.

    Data that are normalised already, and simulations, are left as they are. The energies are
    never shifted.
    """
    from cgxas.spectra.io.read import read_spectrum

    _check(output, plot)
    found = read_spectrum(file, element, group, energy, mu, edge)
    found = normalised_as(found, ranges, degrees)
    written = _write(found, flatten, output, plot)
    facts = list(_facts(found))
    width = max(len(name) for name, _ in facts) + 2
    for name, value in facts:
        typer.echo(f"{name:{width}}{one_line(value)}")
    if written:
        say(f"wrote {', '.join(written)}")


def _check(output: Path | None, plot: Path | None) -> None:
    """Refuse, before any work, what cannot be written."""
    from cgxas.figures.style import FIGURE_SUFFIXES
    from cgxas.spectra.io.write import check_output, check_spectrum_output

    if output:
        check_spectrum_output(output)
    if plot:
        check_output(plot, FIGURE_SUFFIXES)


def _write(
    found: "Measurement", flatten: bool, output: Path | None, plot: Path | None
) -> list[str]:
    """Write what is asked for, before anything is shown, and return the names."""
    from cgxas.figures.measured import plot_measurement
    from cgxas.figures.style import write_figure

    if output:
        (found.flattened() if flatten else found).save(output)
    if plot:
        write_figure(lambda: plot_measurement(found, flatten), plot)
    return [str(path) for path in (output, plot) if path]


def _facts(found: "Measurement") -> Iterator[tuple[str, str]]:
    """Yield name and value of everything worth knowing."""
    yield "file", found.source
    yield "format", found.format
    yield "sample", found.label or "-"
    yield "kind", found.kind
    guess = f" (guessed: {found.edge_guess})" if found.edge_guess else ""
    yield "edge", f"{found.element} {found.edge}{guess}"
    yield "points", f"{found.energy.size}, {found.energy[0]:.2f} to {found.energy[-1]:.2f} eV"
    yield "energy step", f"{found.energy_step:.2f} eV near the edge"
    yield "E0", f"{found.e0:.2f} eV"
    yield "half step", f"{found.half_step:.2f} eV"
    yield "edge step", f"{found.edge_step:.4g}"
    if found.ranges:
        r = found.ranges
        yield "pre-edge", f"{r.pre1:.1f} to {r.pre2:.1f} eV from E0, degree {r.npre}"
        yield "post-edge", f"{r.norm1:.1f} to {r.norm2:.1f} eV from E0, degree {r.nnorm}"
    if found.trust:
        yield "trust", _trust(found.trust)
    yield "energy shift", f"{found.energy_shift:+.2f} eV, not applied"
    for what in found.done:
        yield "done", what


def _trust(trust: "Trust") -> str:
    """Return how far a predicted spectrum can be trusted, in one line."""
    error = "" if trust.expected_rse is None else f"expected RSE {trust.expected_rse:.2g}"
    reason = trust.reason if trust.nearest else ""
    return ", ".join(filter(None, [trust.text, reason, error]))

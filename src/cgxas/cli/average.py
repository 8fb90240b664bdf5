"""cgxas average: the frames of a trajectory -> their mean, and how sure it is."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cgxas.cli.messages import say, table_console
from cgxas.cli.options import HowDisorder, Seed
from cgxas.cli.predict import Model
from cgxas.cli.screen import Fidelity, Workers, told
from cgxas.errors import MissingExtra, OutputError

if TYPE_CHECKING:
    from cgxas.spectra.average import Average

_SUFFIX = ".csv"


def average(  # noqa: PLR0913, PLR0917  # words of the command line
    source: Annotated[
        list[str],
        typer.Argument(
            metavar="TRAJECTORY",
            help="XYZ, ASE, LAMMPS dump, XDATCAR, OUTCAR, vasprun.xml; or frames in a folder.",
        ),
    ],
    absorber: Annotated[
        str, typer.Option("--absorber", "-a", metavar="ELEMENT", help="Absorbing element.")
    ],
    model: Model = None,
    fidelity: Fidelity = None,
    disorder: HowDisorder = "refuse",
    seed: Seed = 0,
    every: Annotated[
        int, typer.Option("--every", metavar="N", min=1, help="Take every N-th frame.")
    ] = 1,
    workers: Workers = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="OUT", help="Write the mean with its errors: .csv."),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option("--plot", metavar="FIG", help="Draw mean and convergence: .png, .svg, .pdf."),
    ] = None,
) -> None:
    """Average the spectrum of an absorber over all its sites in all frames of a trajectory.

    The standard error is that of the mean. Frames that follow each other are alike, so it counts
    no more of them than are independent, by the autocorrelation time; a trajectory too short to
    tell that time is called so. The table shows what fewer frames would have told.
    """
    _check(output, plot)
    MissingExtra.refuse_without("pyarrow", "pyarrow", "data")
    from cgxas.crystals.disorder.order import Disorder
    from cgxas.screening import Where
    from cgxas.screening import average as averaged

    with told() as tell:
        found = averaged(
            source,
            absorber,
            model,
            fidelity,
            Disorder.of(disorder, seed),
            every,
            Where(workers),
            tell,
        )
    _show(found)
    _write(found, output, plot)


def _check(output: Path | None, plot: Path | None) -> None:
    if output is not None and output.suffix.lower() != _SUFFIX:
        raise OutputError(f"{output}: a mean with its errors is written as {_SUFFIX}")
    if plot is not None:
        from cgxas.figures import FIGURE_SUFFIXES
        from cgxas.spectra.io.write import check_output

        check_output(plot, FIGURE_SUFFIXES)


def _show(found: "Average") -> None:
    from rich.table import Table

    from cgxas.spectra.average import LONG_ENOUGH

    mean = found.spectrum
    table = Table(box=None, pad_edge=False)
    for name in ("Frames", "Distance from the mean of all", "Standard error"):
        table.add_column(name, justify="right")
    for each in found.convergence:
        table.add_row(str(each.n_frames), f"{each.distance:.5f}", f"{each.standard_error:.5f}")
    console = table_console()
    trust = f", {mean.trust.text}" if mean.trust else ""
    console.print(f"{mean.formula}, {mean.absorber} K edge, {mean.model}{trust}")
    console.print(table)
    console.print(f"the autocorrelation time is {found.correlation_time:.1f} frames")
    if not found.is_settled:
        say(f"the trajectory lasts less than {LONG_ENOUGH} such times, too short to tell them: the "
            "standard error is likely to be too small; take a longer one")  # fmt: skip


def _write(found: "Average", output: Path | None, plot: Path | None) -> None:
    import numpy as np

    from cgxas.writing import atomic_path

    mean = found.spectrum
    if output is not None:
        columns = {
            "energy": mean.energy,
            "norm": mean.norm,
            "standard_error": found.standard_error,
            "spread": found.spread,
        }
        if mean.sigma is not None:
            columns["sigma"] = mean.sigma
        rows = np.column_stack(list(columns.values()))
        with atomic_path(output) as temporary:
            np.savetxt(
                temporary, rows, fmt="%.8g", delimiter=",", header=",".join(columns), comments=""
            )
    if plot is not None:
        from cgxas.figures import plot_average
        from cgxas.figures.style import write_figure

        write_figure(lambda: plot_average(found), plot)
    written = [str(path) for path in (output, plot) if path is not None]
    if written:
        say(f"wrote {', '.join(written)}")

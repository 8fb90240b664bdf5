"""cgxas predict: crystals -> table, files, figure."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cgxas.cli.messages import say
from cgxas.cli.options import HowDisorder, Seed
from cgxas.cli.outputs import Outputs
from cgxas.errors import UnreadableCrystal

if TYPE_CHECKING:
    from cgxas.crystals.disorder.order import Disorder
    from cgxas.spectra.spectrum import Spectrum

MANY_CRYSTALS = 20
"""More crystals than these are worth a progress bar."""

MANY_FILES = 5
"""More files than these are told as a number."""

Crystals = Annotated[
    list[Path],
    typer.Argument(
        metavar="CRYSTAL",
        help="Crystal files: CIF, POSCAR, XYZ, JSON, FEFF, LAMMPS and others.",
    ),
]
Absorbers = Annotated[
    list[str],
    typer.Option(
        "--absorber",
        "-a",
        metavar="ELEMENT",
        help="Absorbing element, such as Fe; repeat it for several, or say 'all'.",
    ),
]
Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        metavar="NAME|PATH",
        help="A bundled model or a model file. Else: calibrated; with --fidelity, universal.",
    ),
]


def predict(  # noqa: PLR0913, PLR0917  # words of the command line
    crystals: Crystals,
    absorber: Absorbers,
    sites: Annotated[
        bool,
        typer.Option("--sites", help="Every distinct site in table, files and figure."),
    ] = False,
    model: Model = None,
    fidelity: Annotated[
        str | None,
        typer.Option("--fidelity", metavar="THEORY", help="Answer as this would, such as FEFF10."),
    ] = None,
    disorder: HowDisorder = "refuse",
    seed: Seed = 0,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="OUT",
            help="Write the spectra: .xdi, .json, .csv (one file per spectrum), or .prj (Athena), "
            ".nxs, .h5, .hdf5 (NeXus), .parquet (one file of all).",
        ),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option("--plot", metavar="FIG", help="Draw the spectra: .png, .svg or .pdf."),
    ] = None,
) -> None:
    """Predict the K-edge XANES of crystals.

    One crystal and one element go to OUT itself. Several crystals, several elements or 'all' go
    to one file each, named after OUT, the crystal's file and the element: -o out.xdi gives
    out_LiFePO4_Fe.xdi. A .prj, .nxs or .parquet file always holds all
    of them.

    Of a disordered crystal the table says what answers for it. The spread of a sample is the band
    of the figure and the sigma of the files.

    The column Trust says whether the compound was learnt from (seen), or its like (near), or
    nothing like it (far), with the nearest compound that was, and the error to expect.

    The table shows up to 12 distinct sites of a spectrum, --sites shows all. Nothing is written
    if any of the crystals fails.
    """
    from cgxas.crystals.disorder.order import Disorder

    how = Disorder.of(disorder, seed)
    outputs = Outputs(tuple(crystals), tuple(dict.fromkeys(absorber)), output, plot, sites)
    outputs.check()
    spectra = _predicted(crystals, absorber, model, fidelity, how)
    written = outputs.write(spectra)
    _show([each for row in spectra for each in row], sites)
    _tell(written)


def _predicted(
    crystals: list[Path],
    absorbers: list[str],
    model: str | None,
    fidelity: str | None,
    disorder: "Disorder",
) -> "list[list[Spectrum]]":
    from cgxas.reading import refuse_unreadable

    for crystal in crystals:  # before anything heavy is loaded
        refuse_unreadable(crystal, UnreadableCrystal)
    from cgxas.predict import load

    predictor = load(model, fidelity)
    with progress(len(crystals)) as advance:
        return predictor.predict_each(crystals, absorbers, on_crystal=advance, disorder=disorder)


@contextmanager
def progress(total: int) -> Iterator[Callable[[], None]]:
    """Draw a progress bar on stderr for many crystals, if somebody sits before it."""
    if total <= MANY_CRYSTALS or not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = ("crystals", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("crystals", total=total)
        yield lambda: bar.advance(task)


def _show(spectra: "list[Spectrum]", all_sites: bool) -> None:
    from cgxas.cli.messages import table_console
    from cgxas.cli.tables import cuts_sites, spectra_table, trust_table

    console = table_console()
    console.print(spectra_table(spectra, all_sites, is_terminal=console.is_terminal))
    if console.is_terminal and (trust := trust_table(spectra)):
        console.print()
        console.print(trust)
    if not all_sites and any(cuts_sites(spectrum) for spectrum in spectra):
        say("some spectra have more distinct sites than shown: --sites shows all")


def _tell(written: list[Path]) -> None:
    if len(written) > MANY_FILES:
        say(f"wrote {len(written)} files, {written[0]} to {written[-1]}")
    elif written:
        say(f"wrote {', '.join(str(path) for path in written)}")

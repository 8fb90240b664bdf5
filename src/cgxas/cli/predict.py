"""cgxas predict: crystals -> table, files, figure."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cgxas.cli.crystals import Crystals, answered, listed
from cgxas.cli.messages import say
from cgxas.cli.options import HowDisorder, Seed
from cgxas.cli.outputs import Outputs

if TYPE_CHECKING:
    from cgxas.spectra.spectrum import Spectrum

MANY_FILES = 5
"""More files than these are told as a number."""

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
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="OUT",
        help="Write the spectra: .xdi, .json, .csv (one file per spectrum), or .prj (Athena), "
        ".nxs, .h5, .hdf5 (NeXus), .parquet (one file of all).",
    ),
]
Overlay = Annotated[
    bool,
    typer.Option(
        "--overlay",
        help="Draw all on one axis, ordered by E0; more than 12 as a map of colours.",
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
    output: Output = None,
    plot: Annotated[
        Path | None,
        typer.Option("--plot", metavar="FIG", help="Draw the spectra: .png, .svg or .pdf."),
    ] = None,
    overlay: Overlay = False,
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

    The table shows up to 12 distinct sites of a spectrum, --sites shows all.

    Of several crystals, those that cannot be answered are named at the end, the others are
    written, and the exit code is 3. A crystal without the element is told, and is no error.
    """
    from cgxas.crystals.disorder.order import Disorder

    how = Disorder.of(disorder, seed)
    wanted = tuple(dict.fromkeys(absorber))
    outputs = Outputs(wanted, output, plot, sites, overlay)
    outputs.check()
    collection, named = listed(crystals)
    outputs = outputs.named(named)

    from cgxas.predict import load

    found = answered(load(model, fidelity), collection, named, wanted, how)
    written = outputs.write([(named[n], each) for n, each in found.spectra.items()])
    _show([each for row in found.spectra.values() for each in row], sites)
    _tell(written)
    found.tell(wanted)
    found.end()


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

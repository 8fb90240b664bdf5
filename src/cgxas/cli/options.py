"""Options that several commands share."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

if TYPE_CHECKING:
    from cgxas.spectra.measurement import Measurement

Four: TypeAlias = tuple[float, float, float, float]

Predicts = Annotated[
    str, typer.Option("--model", "-m", metavar="NAME|PATH", help="What predicts crystals.")
]
OfScan = Annotated[
    str | None,
    typer.Option(
        "--absorber", "-a", metavar="ELEMENT", help="Absorber; that of the scan otherwise."
    ),
]
HowDisorder = Annotated[
    str,
    typer.Option(
        "--disorder",
        metavar="refuse|majority|sample[:N]",
        help="Shared or partly empty sites: refuse them, take the majority of each, or average "
        "over N random ordered supercells of the composition (5 unless N says so).",
    ),
]
Seed = Annotated[
    int, typer.Option("--seed", min=0, max=2**32 - 1, help="Of the sample of --disorder sample.")
]
Group = Annotated[
    str | None,
    typer.Option(
        "--group",
        metavar="NAME",
        help="Group of an Athena project or NeXus file, or number of a scan in a text.",
    ),
]
Energy = Annotated[
    str | None,
    typer.Option(
        "--energy",
        metavar="COLUMN",
        help="Energy column of the measured file, by name, number, or path in HDF5.",
    ),
]
Mu = Annotated[
    str | None,
    typer.Option(
        "--mu",
        metavar="COLUMN",
        help="Column of mu of the measured file, a formula such as 'ln(i0/it)' or '(if1+if2)/i0', "
        "or transmission, fluorescence, reference.",
    ),
]
Edge = Annotated[
    str | None,
    typer.Option(
        "--edge",
        metavar="K|L1|L2|L3",
        help="Edge of the measured file; the stated or a guessed one otherwise.",
    ),
]
PrePost = Annotated[
    Four | None,
    typer.Option(
        "--ranges",
        metavar="PRE1 PRE2 NORM1 NORM2",
        help="Where pre-edge and post-edge of the measured file are fitted, eV from E0; chosen by "
        "how far it reaches otherwise.",
    ),
]
Degrees = Annotated[
    tuple[int, int] | None,
    typer.Option(
        "--degrees", metavar="NPRE NNORM", help="Of these fits, 0 or 1 and 0 to 2; chosen likewise."
    ),
]


def normalised_as(
    measured: "Measurement", ranges: Four | None, degrees: tuple[int, int] | None
) -> "Measurement":
    """Return a measurement normalised with the ranges and degrees that are wanted.

    Raises:
        BadMeasurement: it was normalised already, or they do not suit it.
    """
    if ranges is None and degrees is None:
        return measured
    from cgxas.spectra.normalise import renormalised
    from cgxas.spectra.ranges import Ranges

    chosen = measured.ranges or Ranges(0.0, 0.0, 0, 0.0, 0.0, 0)  # `renormalised` refuses it
    first, last, begin, end = ranges or (chosen.pre1, chosen.pre2, chosen.norm1, chosen.norm2)
    n_pre, n_norm = degrees or (chosen.npre, chosen.nnorm)
    wanted = replace(
        chosen, pre1=first, pre2=last, norm1=begin, norm2=end, npre=n_pre, nnorm=n_norm, said=()
    )
    return renormalised(measured, wanted)

"""Options that several commands share."""

from typing import Annotated

import typer

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

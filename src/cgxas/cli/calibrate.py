"""cgxas calibrate: measured spectra in, a model whose spectra lie on them out."""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cgxas.cli.messages import say, table_console

if TYPE_CHECKING:
    from rich.table import Table

    from cgxas.calibration.compounds import Compounds
    from cgxas.calibration.scores import Trial
    from cgxas.model.checkpoint import Checkpoint

ENOUGH = 8
"""Elements with this many compounds are calibrated unless others are named."""

_NAMED = 5


def calibrate(
    model: Annotated[
        str, typer.Argument(metavar="NAME|PATH", help="The model to calibrate, such as universal.")
    ],
    data: Annotated[
        list[Path],
        typer.Argument(metavar="DATASET", help="Measured spectra with their crystals."),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="RUN", help="Run folder.")],
    element: Annotated[
        list[str] | None,
        typer.Option(
            "--element",
            metavar="ELEMENT",
            help="Absorber to calibrate; repeat it for several. Else: all with 8 compounds.",
        ),
    ] = None,
    method: Annotated[
        list[str] | None,
        typer.Option(
            "--method",
            metavar="METHOD",
            help="gaussian, alone, offset, paper, shrink, last-layer, ensemble or rigid; repeat it "
            "to compare. The first makes the model. Else: gaussian and rigid.",
        ),
    ] = None,
    repeats: Annotated[int, typer.Option("--repeats", min=1, help="Random splits to test on.")] = 20,
    split: Annotated[
        str,
        typer.Option(
            "--split", metavar="BY", help="What stays together: formula, spectrum, leave-one-out."
        ),
    ] = "formula",
    theory: Annotated[
        Path | None,
        typer.Option(
            "--theory", metavar="DATASET", help="Simulations of the same crystals, to compare with."
        ),
    ] = None,
    among: Annotated[
        list[Path] | None,
        typer.Option(
            "--among", metavar="DATASET", help="Simulated sites for a map with the measured ones."
        ),
    ] = None,
    name: Annotated[str, typer.Option("--name", help="Of the calibrated model.")] = "calibrated",
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the calibration in the folder.")
    ] = False,
) -> None:
    """Calibrate a model to measured spectra, and test that on compounds it did not learn from.

    Each repeat divides the compounds of an element 6:1:1 at random; the table shows errors before
    and after, as mean and standard deviation over the repeats. The model in the folder has learnt
    from all compounds.
    """

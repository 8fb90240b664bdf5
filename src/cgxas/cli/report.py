"""cgxas report: what came of training runs, as figures and one page."""

from pathlib import Path
from typing import Annotated

import typer

from cgxas.cli.messages import say


def report(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN", help="Run folders.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="The folder for the report.")
    ],
    data: Annotated[
        list[Path] | None,
        typer.Option(
            "--data", metavar="FOLDER", help="A data set for the maps; else the run's own."
        ),
    ] = None,
) -> None:
    """Draw what came of training runs: learning curves, errors, examples, elements, site maps.

    DIR/index.html shows everything and opens without a network. Universal runs, runs of one
    element and fine-tuned ones may be mixed; runs split by formula and by spectrum are shown
    apart.
    """
    from cgxas.report import write_report

    files = write_report(runs, output, data or ())
    say(f"wrote {len(files)} files; open {output / 'index.html'}")

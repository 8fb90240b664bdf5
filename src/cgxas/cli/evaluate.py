"""cgxas evaluate: how good a model is on the spectra it never saw."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cgxas.cli.messages import say, table_console

if TYPE_CHECKING:
    from rich.table import Table

    from cgxas.evaluation.report import Evaluation, Scores

_HEADINGS = (
    "Train",
    "Tested",
    "RSE",
    "median",
    "90 %",
    "PCC",
    "E0 error (eV)",
    "RSE mean",
    "RSE nearest",
)


def evaluate(
    model: Annotated[str, typer.Argument(metavar="NAME|PATH", help="A model, or a model file.")],
    data: Annotated[
        list[Path], typer.Option("--data", metavar="FOLDER", help="The data it was trained with.")
    ],
    part: Annotated[
        Literal["train", "validation", "test"], typer.Option("--part", help="Which part to test.")
    ] = "test",
    output: Annotated[
        Path | None, typer.Option("--json", metavar="OUT.json", help="Write all figures there.")
    ] = None,
) -> None:
    """Score a model per absorber, beside two baselines.

    RSE mean is the error of the element's mean training spectrum, RSE nearest that of the
    training spectrum whose crystal has the nearest composition.
    """
    from cgxas.atomic import atomic_path
    from cgxas.model.checkpoint import load_checkpoint
    from cgxas.spectra.io import check_output
    from cgxas.training.run import retest

    target = check_output(output, (".json",)) if output else None
    evaluation = retest(load_checkpoint(model), data, part)
    console = table_console()
    console.print(scores_table(evaluation, console.is_terminal))
    if target:
        with atomic_path(target) as temporary:
            temporary.write_text(json.dumps(evaluation.to_json(), indent=1), encoding="utf-8")
        say(f"wrote {target}")


def scores_table(evaluation: "Evaluation", is_terminal: bool) -> "Table":
    """Return a row per absorber and one for all."""
    from cgxas.cli.tables import plain_table

    table = plain_table(("Absorber",), _HEADINGS, is_terminal)
    for symbol, scores in evaluation.elements.items():
        table.add_row(symbol, *_row(scores))
    table.add_row("all", *_row(evaluation.overall))
    return table


def _row(scores: "Scores") -> list[str]:
    errors = (scores.rse, scores.rse_median, scores.rse_90, scores.pcc)
    e0 = "-" if scores.e0_error is None else f"{scores.e0_error:.2f}"
    baselines = (scores.rse_mean_spectrum, scores.rse_nearest)
    return [
        str(scores.n_train),
        str(scores.n),
        *(f"{x:.4f}" for x in errors),
        e0,
        *(f"{x:.4f}" for x in baselines),
    ]

"""cgxas evaluate: how good a model is on the spectra it never saw."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cgxas.cli.messages import say, table_console

if TYPE_CHECKING:
    from rich.table import Table

    from cgxas.evaluation.scores import Evaluation, Scores

_HEADINGS = (
    "Train",
    "Tested",
    "RSE",
    "median",
    "90 %",
    "PCC",
    "Half step error (eV)",
    "RSE mean",
    "RSE nearest",
)


def evaluate(
    model: Annotated[str, typer.Argument(metavar="NAME|PATH", help="A model, or a model file.")],
    data: Annotated[list[Path], typer.Argument(metavar="DATASET...", help="Data-set folders.")],
    split: Annotated[
        Path | None,
        typer.Option("--split", metavar="FILE", help="Parts made by 'cgxas dataset split'."),
    ] = None,
    part: Annotated[
        Literal["train", "validation", "test", "all"],
        typer.Option("--part", help="Which part to test."),
    ] = "test",
    output: Annotated[
        Path | None, typer.Option("--json", metavar="OUT.json", help="Write all figures there.")
    ] = None,
) -> None:
    """Score a model per absorber, beside two baselines.

    RSE mean is the error of the element's mean training spectrum, RSE nearest that of the
    training spectrum whose crystal has the nearest composition. Errors of the edge are those of
    the energy at half the edge step. Without --split the parts are
    those the model was trained with.
    """
    from cgxas.data.split import read_split
    from cgxas.model.checkpoint import load_checkpoint
    from cgxas.spectra.io.write import check_output
    from cgxas.training.processes import ALONE
    from cgxas.training.run import Data, retest, split_of
    from cgxas.writing import atomic_path

    if split and part == "all":
        raise typer.BadParameter("--part all tests every spectrum: leave out --split")
    target = check_output(output, (".json",)) if output else None
    checkpoint = load_checkpoint(model)
    checkpoint.refuse_calibrated("its errors stand in 'cgxas models info', see also cgxas compare")
    found = Data.read(data, checkpoint.config, ALONE)
    if part == "all":
        parts = found.everything
    else:
        parts = read_split(split, found.records) if split else split_of(checkpoint, found)
    evaluation = retest(checkpoint, found, parts, "test" if part == "all" else part)
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
    figures = (
        scores.rse.mean,
        scores.rse.median,
        scores.rse.q90,
        scores.pcc.mean,
        scores.half_step_error.mean if scores.half_step_error else None,
        scores.rse_mean_spectrum,
        scores.rse_nearest,
    )
    counts = [str(scores.n_train), str(scores.n)]
    return counts + ["-" if figure is None else f"{figure:.4f}" for figure in figures]

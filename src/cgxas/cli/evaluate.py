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
_BAND = ("Within 1 sigma", "Within 2 sigma", "NLL")


def evaluate_model(
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

    A calibrated model is scored on measured spectra; where the model tells a standard deviation,
    so are the shares of points within one and two of them, and the mean negative log likelihood.

    RSE mean is the error of the element's mean training spectrum, RSE nearest that of the
    training spectrum whose crystal has the nearest composition. Errors of the edge are those of
    the energy at half the edge step. Without --split the parts are
    those the model was trained with.
    """
    from cgxas.spectra.io.write import check_output
    from cgxas.verbs import evaluate
    from cgxas.writing import atomic_path

    if split and part == "all":
        raise typer.BadParameter("--part all tests every spectrum: leave out --split")
    target = check_output(output, (".json",)) if output else None
    evaluation = evaluate(model, data, split=split, part=part)
    console = table_console()
    console.print(scores_table(evaluation, console.is_terminal))
    if target:
        with atomic_path(target) as temporary:
            temporary.write_text(json.dumps(evaluation.to_json(), indent=1), encoding="utf-8")
        say(f"wrote {target}")


def scores_table(evaluation: "Evaluation", is_terminal: bool) -> "Table":
    """Return a row per absorber and one for all."""
    from cgxas.cli.tables import plain_table

    has_band = evaluation.overall.nll is not None
    headings = (*_HEADINGS, *_BAND) if has_band else _HEADINGS
    table = plain_table(("Absorber",), headings, is_terminal)
    for symbol, scores in evaluation.elements.items():
        table.add_row(symbol, *_row(scores)[: len(headings)])
    table.add_row("all", *_row(evaluation.overall)[: len(headings)])
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
        scores.within_1,
        scores.within_2,
        scores.nll,
    )
    counts = [str(scores.n_train), str(scores.n)]
    return counts + ["-" if figure is None else f"{figure:.4f}" for figure in figures]

"""cgxas calibrate: measured spectra in, a model whose spectra lie on them out."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cgxas.cli.messages import say, table_console

if TYPE_CHECKING:
    from rich.table import Table

    from cgxas.calibration.trials import Trial

_FIGURES = (
    ("rse", "RSE", 4),
    ("half_step", "half step error (eV)", 2),
    ("within_1", "within 1 sigma", 2),
    ("within_2", "within 2 sigma", 2),
    ("nll", "NLL per point", 2),
    ("half_step_within_1", "half step within 1 sigma", 2),
    ("half_step_within_2", "half step within 2 sigma", 2),
    ("half_step_nll", "NLL of the half step", 2),
)
_Model = Annotated[
    str, typer.Argument(metavar="NAME|PATH", help="The model to calibrate, such as universal.")
]
_Data = Annotated[
    list[Path], typer.Argument(metavar="DATASET", help="Measured spectra with their crystals.")
]
_Output = Annotated[Path, typer.Option("--output", "-o", metavar="RUN", help="Run folder.")]
_Element = Annotated[
    list[str] | None,
    typer.Option(
        "--element",
        metavar="ELEMENT",
        help="Absorber to calibrate; repeat it for several. Else: all with 8 compounds.",
    ),
]
_Method = Annotated[
    list[str] | None,
    typer.Option(
        "--method",
        metavar="METHOD",
        help="gaussian, alone, offset, paper or rigid; repeat it to compare. The first makes the "
        "model. Else: gaussian and rigid.",
    ),
]
_Repeats = Annotated[int, typer.Option("--repeats", min=1, help="Random splits to test on.")]
_Split = Annotated[
    Literal["formula", "spectrum", "leave-one-out"],
    typer.Option("--split", help="What stays on one side; spectrum is the paper's way."),
]
_Simulated = Annotated[
    list[Path] | None,
    typer.Option(
        "--simulated",
        metavar="DATASET",
        help="Simulations: of the same crystals to compare with, of others to draw a map.",
    ),
]


def calibrate_model(
    model: _Model,
    data: _Data,
    output: _Output,
    element: _Element = None,
    method: _Method = None,
    repeats: _Repeats = 20,
    split: _Split = "formula",
    simulated: _Simulated = None,
) -> None:
    """Calibrate a model to measured spectra, and test that on compounds it did not learn from.

    Each repeat divides the compounds of an element 6:1:1 at random; the table shows errors before
    and after, as mean and standard deviation over the repeats. The model in the folder, called as
    the folder is, has learnt from all compounds. The same command goes on where it was stopped.
    """
    from cgxas.calibration.calibrators import DEFAULT
    from cgxas.verbs import calibrate

    with _progress() as advance:
        found = calibrate(
            model,
            data,
            output,
            elements=element or (),
            methods=method or (DEFAULT, "rigid"),
            repeats=repeats,
            split=split,
            simulated=simulated or (),
            on_trial=advance,
        )
    _tell_left_out(found.left_out)
    console = table_console()
    console.print(_scores_table(found.trials, console.is_terminal))
    say(f"wrote {found.files[0]} and {len(found.files) - 1} figures beside it")


def _tell_left_out(left_out: "Sequence[tuple[str, str]]") -> None:
    """Say which spectra are not learnt from, and why: once per reason."""
    reasons: dict[str, list[str]] = {}
    for key, reason in left_out:
        reasons.setdefault(reason, []).append(key)
    for reason, keys in reasons.items():
        also = f" and {len(keys) - 1} more" if len(keys) > 1 else ""
        say(f"left out {keys[0]}{also}: {reason}")


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """Draw a bar of trials on stderr, if somebody sits before it."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    console = Console(stderr=True)
    columns = ("trials", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("trials", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _scores_table(found: "Sequence[Trial]", is_terminal: bool) -> "Table":
    """Return a row per element, method and figure: means and deviations over the repeats."""
    from cgxas.calibration.trials import Summary, by_method
    from cgxas.cli.tables import plain_table
    from cgxas.data.split import PARTS

    headings = [part.capitalize() for part in PARTS]
    table = plain_table(("Absorber", "Method", "Mean"), headings, is_terminal)
    for element in dict.fromkeys(trial.element for trial in found):
        for name, mine in by_method(found, element):
            for figure, label, digits in _FIGURES:
                parts = [Summary.of(mine, figure, part) for part in PARTS]
                cells = [f"{s.mean:.{digits}f} ± {s.deviation:.{digits}f}" for s in parts if s]
                if cells:
                    table.add_row(element, name, label, *cells)
    return table

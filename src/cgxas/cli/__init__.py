"""The command line: words -> calls; no science.

A command is a function in a module of its own, added to `app` below. Heavy modules are imported
inside the functions, so that ``cgxas --help`` answers at once.
"""

import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from cgxas.cli import (
    average,
    calibrate,
    compare,
    dataset,
    embed,
    evaluate,
    match,
    messages,
    mix,
    models,
    predict,
    report,
    screen,
    serve,
    simulate,
    spectrum,
    train,
)

app = typer.Typer(
    name="cgxas",
    add_completion=False,
    pretty_exceptions_enable=False,  # a traceback is a bug, and is reported as Python writes it
    rich_markup_mode=None,  # plain help: no boxes, and brackets in the text are brackets
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
app.command("predict")(predict.predict)
app.command("simulate")(simulate.simulate)
app.command("spectrum")(spectrum.spectrum)
app.command("compare")(compare.compare)
app.command("match")(match.match)
app.command("mix", cls=mix.MixCommand)(mix.mix_scans)
app.command("screen")(screen.screen)
app.command("average")(average.average)
app.command("calibrate")(calibrate.calibrate_model)
app.command("train")(train.train_model)
app.command("finetune")(train.finetune_model)
app.command("evaluate")(evaluate.evaluate_model)
app.command("embed")(embed.embed)
app.command("tsne")(embed.tsne)
app.command("report")(report.report)
app.command("serve")(serve.serve)
app.add_typer(models.app, name="models")
app.add_typer(dataset.app, name="dataset")


ONE_THREAD = ("predict", "compare", "match", "mix", "screen", "average", "serve")
"""Commands of many small products of matrices, which two threads make no faster, or slower."""


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"cgxas {version('cgxas')}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _start(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Crystal structure in, K-edge XANES out."""
    if context.invoked_subcommand in ONE_THREAD:
        os.environ.setdefault("OMP_NUM_THREADS", "1")
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 2 refused with one line on stderr, 130 interrupted.

    3 is done but for some crystals, which are named.

    Args:
        arguments: the words after ``cgxas``; those of the process if None.
    """
    words = sys.argv[1:] if arguments is None else list(arguments)
    command = typer.main.get_command(app)
    sys.exit(messages.exit_code(lambda: command.main(words, "cgxas", standalone_mode=False)))

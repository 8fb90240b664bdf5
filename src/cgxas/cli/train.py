"""cgxas train: data-set folders and a configuration in, a model out."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cgxas.cli.messages import say

if TYPE_CHECKING:
    from cgxas.training.fit import Epoch


def train(
    config: Annotated[
        Path, typer.Argument(metavar="CONFIG.toml", help="Model, training and split.")
    ],
    data: Annotated[list[Path], typer.Option("--data", metavar="FOLDER", help="A data set.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="RUN", help="Run folder; a run goes on in it.")
    ],
    threads: Annotated[int, typer.Option("--threads", min=0, help="CPU threads; 0: all.")] = 0,
) -> None:
    """Train a model, test it on formulas it never saw, and write it to the run folder."""
    import torch

    from cgxas.cli.evaluate import scores_table
    from cgxas.cli.messages import table_console
    from cgxas.training.run import RunConfig, train

    run_config = RunConfig.from_toml(config)
    if threads:
        torch.set_num_threads(threads)
    command = shlex.join(["cgxas", *sys.argv[1:]])
    _, evaluation = train(run_config, data, output, command, _tell)
    console = table_console()
    console.print(scores_table(evaluation, console.is_terminal))
    say(f"wrote {output / run_config.name}.safetensors")


def _tell(epoch: "Epoch") -> None:
    say(
        f"epoch {epoch.epoch}: training loss {epoch.train_loss:.5f}, validation RSE "
        f"{epoch.validation_rse:.5f}, {epoch.spectra_per_second:.0f} spectra/s"
    )

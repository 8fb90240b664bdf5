"""cgxas train and cgxas finetune: data-set folders and a configuration in, a tested model out."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cgxas.cli.messages import say, table_console
from cgxas.elements import atomic_number

if TYPE_CHECKING:
    from cgxas.verbs import Trained

_Data = Annotated[list[Path], typer.Option("--data", metavar="FOLDER", help="A data set.")]
_Output = Annotated[Path, typer.Option("--output", "-o", metavar="RUN", help="Run folder.")]
_Split = Annotated[
    Path | None,
    typer.Option("--split", metavar="FILE", help="Parts made by 'cgxas dataset split'."),
]
_Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="KEY=VALUE",
        help="Settings to change, such as training.epochs=5 name=mine.",
        show_default=False,
    ),
]
_Resume = Annotated[bool, typer.Option("--resume", help="Go on with the run in the folder.")]
_TensorBoard = Annotated[bool, typer.Option("--tensorboard", help="Write RUN/tensorboard too.")]


def train_model(  # noqa: PLR0913, PLR0917  # words of the command line
    config: Annotated[
        Path, typer.Argument(metavar="SETTINGS.toml", help="Name, model, training and split.")
    ],
    data: _Data,
    output: _Output,
    words: _Words = None,
    element: Annotated[
        str | None, typer.Option("--element", help="Learn the spectra of this absorber alone.")
    ] = None,
    split: _Split = None,
    resume: _Resume = False,
    prepare: Annotated[
        bool,
        typer.Option(
            "--prepare",
            help="Only prepare the run, to be trained with 'python -m cgxas.training RUN' on a "
            "machine that has torch, numpy and pydantic alone.",
        ),
    ] = False,
    tensorboard: _TensorBoard = False,
) -> None:
    """Train a model, test it on spectra it never saw, and write it to the run folder.

    Several GPUs: torchrun --nproc-per-node 4 -m cgxas train SETTINGS.toml ...
    """
    from cgxas.cli.progress import watching
    from cgxas.training.settings import RunSettings
    from cgxas.verbs import train

    if element:
        atomic_number(element)
    settings = RunSettings.from_toml(config, words or ())
    if element:
        settings = replace(settings, name=f"spec_{element}").changed(words or ())
    with watching(output, tensorboard) as watcher:
        found = train(
            settings,
            data,
            output,
            element=element,
            split=split,
            resume=resume,
            prepare_only=prepare,
            watcher=watcher,
        )
    _show(found)


def finetune_model(  # noqa: PLR0913, PLR0917  # as above
    model: Annotated[str, typer.Argument(metavar="NAME|PATH", help="The model to start from.")],
    data: _Data,
    output: _Output,
    element: Annotated[str, typer.Option("--element", help="The absorber to tune it to.")],
    words: _Words = None,
    config: Annotated[
        Path | None,
        typer.Option("--config", metavar="TOML", help="Table [training]; else the default."),
    ] = None,
    split: _Split = None,
    resume: _Resume = False,
    tensorboard: _TensorBoard = False,
) -> None:
    """Tune a model to one absorber; the graph part of its network stays as it is.

    The kernel of a model takes in the training spectra, where it has one of their theory; else the
    head of the network is tuned.

    Training, validation and test part are those the model was trained with, unless --split names
    others.
    """
    from cgxas.cli.progress import watching
    from cgxas.model.checkpoint import load_checkpoint
    from cgxas.training.settings import RunSettings
    from cgxas.verbs import finetune, finetune_settings

    parent = load_checkpoint(model)
    settings = finetune_settings(parent, element)
    if config:
        settings = replace(settings, training=RunSettings.from_toml(config).training)
    settings = settings.changed(words or ())
    with watching(output, tensorboard) as watcher:
        found = finetune(
            parent,
            data,
            output,
            element,
            settings=settings,
            split=split,
            resume=resume,
            watcher=watcher,
        )
    _show(found)


def _show(found: "Trained | None") -> None:
    """Show the scores, in the process that has them."""
    from cgxas.cli.evaluate import scores_table

    if found is None:
        return
    console = table_console()
    console.print(scores_table(found.evaluation, console.is_terminal))
    say(f"wrote {found.folder / found.model.name}.safetensors")

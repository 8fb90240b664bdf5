"""cgxas train and cgxas finetune: data-set folders and a configuration in, a tested model out."""

import shlex
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cgxas.cli.messages import say, table_console
from cgxas.elements import atomic_number
from cgxas.errors import ConfigError, UnsupportedAbsorber

if TYPE_CHECKING:
    from cgxas.data.dataset import Dataset
    from cgxas.model.checkpoint import Checkpoint
    from cgxas.training.processes import Processes
    from cgxas.training.run import Run
    from cgxas.training.settings import RunSettings

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


def train(  # noqa: PLR0913, PLR0917  # words of the command line
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
    from cgxas.training.settings import RunSettings

    if element:
        atomic_number(element)
    run_config = RunSettings.from_toml(config, words or ())
    if element:
        run_config = replace(run_config, name=f"spec_{element}").changed(words or ())
    wish = _Wish(data, output, element, split, resume, tensorboard)
    _start(wish, run_config, None, prepare)


def finetune(  # noqa: PLR0913, PLR0917  # as above
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
    """Tune the head of a model to one absorber; the graph part stays as it is.

    Training, validation and test part are those the model was trained with, unless --split names
    others.
    """
    from cgxas.model.checkpoint import load_checkpoint
    from cgxas.training.settings import FINETUNE, RunSettings, SplitSettings

    parent = load_checkpoint(model)
    parent.refuse_calibrated("tune the model it came from")
    atomic_number(element)
    if element not in parent.elements:
        raise UnsupportedAbsorber(f"{parent.name} has no answer for {element}")
    told = parent.provenance.get("configuration", {})
    training = RunSettings.from_toml(config).training if config else FINETUNE
    parts = SplitSettings.from_dict(told.get("split", {}))
    usual = RunSettings(f"ft_{element}", parent.config, training, parts)
    run_config = usual.changed(words or ())
    if (run_config.model, run_config.split) != (usual.model, usual.split):
        raise ConfigError(
            f"a tuned model keeps the network and the split of {parent.name}: set nothing but "
            "name and training.*, or name a split with --split"
        )
    wish = _Wish(data, output, element, split, resume, tensorboard)
    _start(wish, run_config, parent)


@dataclass(frozen=True)
class _Wish:
    """What both commands are told.

    Attributes:
        data: data-set folders.
        output: run folder.
        element: the only absorber; None for all.
        split: file of a split; None for that of the configuration.
        resume: go on with the run in the folder.
        tensorboard: write event files.
    """

    data: list[Path]
    output: Path
    element: str | None
    split: Path | None
    resume: bool
    tensorboard: bool


def _start(
    wish: _Wish, config: "RunSettings", parent: "Checkpoint | None", prepare_only: bool = False
) -> None:
    """Train, and show the scores."""
    from cgxas.cli.evaluate import scores_table
    from cgxas.cli.progress import watching
    from cgxas.training.folder import check_folder
    from cgxas.training.processes import processes
    from cgxas.training.run import prepare, train

    check_folder(wish.output, wish.resume)
    with processes() as group, watching(wish.output, wish.tensorboard, group.is_first) as watcher:
        run = replace(_run(wish, config, parent, group), watcher=watcher)
        if group.is_first:
            say(_size(run.data.dataset))
        if prepare_only:
            prepare(run, with_data=True)
            return
        _, evaluation = train(run)
    if group.is_first:
        console = table_console()
        console.print(scores_table(evaluation, console.is_terminal))
        say(f"wrote {wish.output / run.config.name}.safetensors")


def _size(data: "Dataset") -> str:
    return (
        f"{len(data):,} spectra on {data.n_crystals:,} crystals with {len(data.numbers):,} nodes: "
        f"{data.bytes_per_spectrum:.0f} bytes per spectrum, {data.bytes_per_node:.0f} per node"
    )


def _run(
    wish: _Wish, config: "RunSettings", parent: "Checkpoint | None", group: "Processes"
) -> "Run":
    """Read the data and the split."""
    from cgxas.data.split import read_saved_split, read_split
    from cgxas.training.run import Data, Run, split_of
    from cgxas.training.settings import SplitSettings

    data = Data.read(wish.data, config.model, group)
    if wish.split:
        saved = read_saved_split(wish.split)
        parts = read_split(wish.split, data.records)
        train, validation, _ = saved.fractions
        config = replace(config, split=SplitSettings(saved.by, train, validation, saved.seed))
    else:
        parts = split_of(parent, data) if parent else data.divide(config.split)
    return Run(
        config=config,
        data=data,
        split=parts,
        path=wish.output,
        command=shlex.join(["cgxas", *sys.argv[1:]]),
        element=wish.element,
        parent=parent,
        resume=wish.resume,
        processes=group,
    )

"""What the command line can do, as calls: train, finetune, evaluate, calibrate.

`predict`, `compare` and `read_spectrum` are nearer to what they work on: cgxas.predict,
cgxas.spectra.compare, cgxas.spectra.io.read.
"""

import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from cgxas.arguments import as_choice, as_list, as_path, one_of_kind
from cgxas.calibration.calibrators import DEFAULT
from cgxas.calibration.figures import draw_figures, draw_maps
from cgxas.calibration.measured import read_compounds
from cgxas.calibration.outcome import finish
from cgxas.calibration.program import program_curves
from cgxas.calibration.repeats import ENOUGH, SplitBy, well_measured
from cgxas.calibration.run import CalibrationSettings, prepare, trials
from cgxas.calibration.trials import Trial
from cgxas.data.compile import CompiledData
from cgxas.data.split import PARTS, Part, Split, SplitSettings, read_saved_split, read_split
from cgxas.elements import atomic_number
from cgxas.errors import (
    CheckpointNotFound,
    ConfigError,
    DatasetError,
    OutputError,
    UnsupportedAbsorber,
)
from cgxas.evaluation.scores import Evaluation
from cgxas.evaluation.testing import divided_as_told, retest, split_of
from cgxas.model.checkpoint import Checkpoint, load_checkpoint
from cgxas.training.fit import SILENT, Watcher
from cgxas.training.folder import check_folder
from cgxas.training.processes import Processes, processes
from cgxas.training.run import Run, carry_out, read_data
from cgxas.training.run import prepare as prepare_run
from cgxas.training.settings import FINETUNE, RunSettings

AnyPath: TypeAlias = str | PathLike[str]
AnyModel: TypeAlias = AnyPath | Checkpoint


@dataclass(frozen=True, eq=False)
class Trained:
    """What came of training.

    Attributes:
        model: the model.
        evaluation: its scores on the test part.
        folder: the run folder.
    """

    model: Checkpoint
    evaluation: Evaluation
    folder: Path


@dataclass(frozen=True, eq=False)
class CalibratedModel:
    """What came of a calibration.

    Attributes:
        model: the calibrated model.
        trials: how each method did on each repeat.
        files: the model file and the figures.
        left_out: name and reason of spectra that could not be learnt from.
    """

    model: Checkpoint
    trials: Sequence[Trial]
    files: Sequence[Path]
    left_out: Sequence[tuple[str, str]]


def train(
    settings: RunSettings | AnyPath,
    data: Sequence[AnyPath],
    output: AnyPath,
    *,
    element: str | None = None,
    split: AnyPath | None = None,
    resume: bool = False,
    prepare_only: bool = False,
    watcher: Watcher = SILENT,
) -> Trained | None:
    """Train a model, test it on spectra it never saw, and write it to a run folder.

    Args:
        settings: of the run, or a TOML file with them.
        data: data-set folders.
        output: the run folder.
        element: learn the spectra of this absorber alone.
        split: a file with the parts; else those the settings ask for.
        resume: go on with the run in the folder.
        prepare_only: only prepare the run, to be trained on another machine.
        watcher: who follows the run.

    Returns:
        What came of it; None if it was only prepared, and in all processes but the first.

    Raises:
        ConfigError: the settings are impossible, or the folder holds another run.
        DatasetError: the data cannot be read.
        OutputError: the folder holds a run already, and `resume` is not set.
        Interrupted: the watcher wanted to stop; the run can be resumed.
    """
    if element is not None:
        atomic_number(element)
    known = settings
    if not isinstance(known, RunSettings):
        known = RunSettings.from_toml(as_path(known, "a file of settings", ConfigError))
    wish = _Wish(data, _folder(output), element, split, resume, watcher)
    return _trained(wish, known, None, prepare_only)


def finetune(
    model: AnyModel,
    data: Sequence[AnyPath],
    output: AnyPath,
    element: str,
    *,
    settings: RunSettings | None = None,
    split: AnyPath | None = None,
    resume: bool = False,
    watcher: Watcher = SILENT,
) -> Trained | None:
    """Tune a model to one absorber; the graph part of its network stays as it is.

    The kernel of a model takes in the training spectra, where it has one of their theory; else the
    head of the network is tuned, and the model answers for this absorber alone.

    Args:
        model: name, file or checkpoint of the model to start from.
        data: data-set folders.
        output: the run folder.
        element: the absorber.
        settings: as `finetune_settings` returns them, perhaps changed; those if None.
        split: a file with the parts; else those the model was trained with.
        resume: go on with the run in the folder.
        watcher: who follows the run.

    Raises:
        UnsupportedAbsorber: the model has no answer for the absorber.
        ConfigError, DatasetError, OutputError, Interrupted: as in `train`.
    """
    parent = _model(model)
    usual = finetune_settings(parent, element)
    known = usual
    if settings is not None:
        known = one_of_kind(settings, RunSettings, "settings are RunSettings", ConfigError)
    if (known.model, known.split) != (usual.model, usual.split):
        raise ConfigError(
            f"a tuned model keeps the network and the split of {parent.name}: set nothing but "
            "name and training.*, or name a split with --split"
        )
    return _trained(_Wish(data, _folder(output), element, split, resume, watcher), known, parent)


def finetune_settings(model: AnyModel, element: str) -> RunSettings:
    """Return the usual settings for tuning a model to an absorber.

    Raises:
        UnsupportedAbsorber: the model has no answer for the absorber.
        ConfigError: the model is calibrated.
    """
    parent = _model(model)
    parent.refuse_calibrated("tune the model it came from")
    atomic_number(element)
    if element not in parent.elements:
        raise UnsupportedAbsorber(f"{parent.name} has no answer for {element}")
    told = divided_as_told(parent)
    parts = SplitSettings.from_dict(told.configuration["split"] if told else {})
    return RunSettings(f"ft_{element}", parent.config, FINETUNE, parts)


def evaluate(
    model: AnyModel,
    data: Sequence[AnyPath],
    *,
    split: AnyPath | None = None,
    part: Part | Literal["all"] = "test",
    device: str = "cpu",
) -> Evaluation:
    """Score a model per absorber, beside two baselines.

    Args:
        model: name, file or checkpoint.
        data: data-set folders; measured spectra for a calibrated model.
        split: a file with the parts; else those the model was trained with.
        part: which part to test; all: every spectrum.
        device: where the network computes.

    Raises:
        CheckpointError: the model cannot be used.
        ConfigError: there is no such part, or the model does not tell how its data were split.
        DatasetError: the data cannot be read.
    """
    as_choice(part, (*PARTS, "all"), "part", ConfigError)
    if split is not None and part == "all":
        raise ConfigError("part all tests every spectrum: leave out the split")
    checkpoint = _model(model)
    found = CompiledData.read(_paths(data), checkpoint.config)
    if part == "all":
        return retest(checkpoint, found, found.everything, "test", device)
    named = None if split is None else as_path(split, "a split", ConfigError)
    parts = read_split(named, found.records) if named else split_of(checkpoint, found)
    return retest(checkpoint, found, parts, part, device)


def calibrate(  # noqa: PLR0913  # the words of a verb
    model: AnyModel,
    data: Sequence[AnyPath],
    output: AnyPath,
    *,
    elements: Sequence[str] = (),
    methods: Sequence[str] = (DEFAULT, "rigid"),
    repeats: int = 20,
    split: SplitBy = "formula",
    simulated: Sequence[AnyPath] = (),
    on_trial: Callable[[int, int], None] = lambda done, total: None,
) -> CalibratedModel:
    """Calibrate a model to measured spectra, and test that on compounds it did not learn from.

    The same call goes on where it was stopped.

    Args:
        model: name, file or checkpoint of a model that answers as simulated.
        data: data-set folders of measured spectra with their crystals.
        output: the run folder, after which the model is called.
        elements: absorbers; all with 8 compounds or more if none is named.
        methods: tried on the same repeats; the first makes the model.
        repeats: how many divisions of each element.
        split: what stays on one side.
        simulated: data sets of simulations: of the same crystals to compare with, of others to
            draw a map.
        on_trial: told how many trials are done, and how many there are, after each.

    Raises:
        ConfigError: a method is unknown, or the folder holds another calibration.
        DatasetError: the data cannot be read, or hold too few compounds.
        OutputError: the folder cannot be written.
    """
    as_choice(split, get_args(SplitBy), "split", ConfigError)
    methods = as_list(methods, str, "methods are names such as 'rigid'", ConfigError)
    elements, simulated = _symbols(elements), _paths(simulated)
    parent, folder = _model(model), _folder(output)
    parent.refuse_calibrated("calibrate the model it came from")
    compounds = read_compounds(_paths(data), parent, elements, each_scan=split == "spectrum")
    wanted = list(elements) or well_measured(compounds)
    if not wanted:
        raise DatasetError(
            f"no element has measured spectra of {ENOUGH} compounds; name one with --element"
        )
    config = CalibrationSettings(
        name=folder.absolute().name,
        elements=tuple(dict.fromkeys(wanted)),
        methods=tuple(dict.fromkeys(methods)),
        split_by=split,
        repeats=repeats,
    )
    program = program_curves(_paths(simulated), compounds) if simulated else None
    prepare(config, compounds, folder, _command())
    found = trials(config, compounds, folder, program, on_trial)
    file = finish(config, compounds, found, folder, _command())
    files = [file, *draw_figures(config, compounds, found, folder)]
    if simulated:
        files += draw_maps(config.elements, compounds, _paths(simulated), folder)
    return CalibratedModel(load_checkpoint(file), found, files, compounds.left_out)


@dataclass(frozen=True)
class _Wish:
    """What training and tuning are told alike.

    Attributes:
        data: data-set folders.
        output: run folder.
        element: the only absorber; None for all.
        split: file of a split; None for that of the settings.
        resume: go on with the run in the folder.
        watcher: who follows the run.
    """

    data: Sequence[AnyPath]
    output: Path
    element: str | None
    split: AnyPath | None
    resume: bool
    watcher: Watcher


def _trained(
    wish: _Wish, settings: RunSettings, parent: Checkpoint | None, prepare_only: bool = False
) -> Trained | None:
    check_folder(wish.output, wish.resume)
    with processes() as group:
        run = _run(wish, settings, parent, group)
        if group.is_first:
            wish.watcher.on_data(run.data.dataset)
        if prepare_only:
            prepare_run(run, with_data=True)
            return None
        found = carry_out(run)
    return Trained(*found, wish.output) if found else None


def _run(wish: _Wish, settings: RunSettings, parent: Checkpoint | None, group: Processes) -> Run:
    """Read the data and the split."""
    data = read_data(_paths(wish.data), settings.model, group)
    parts: Split
    if wish.split is not None:
        file = as_path(wish.split, "a split", ConfigError)
        saved = read_saved_split(file)
        parts = read_split(file, data.records)
        train, validation, _ = saved.fractions
        settings = replace(settings, split=SplitSettings(saved.by, train, validation, saved.seed))
    else:
        parts = split_of(parent, data) if parent else data.divide(settings.split)
    return Run(
        config=settings,
        data=data,
        split=parts,
        path=wish.output,
        command=_command(),
        element=wish.element,
        parent=parent,
        resume=wish.resume,
        processes=group,
        watcher=wish.watcher,
    )


def _model(model: AnyModel) -> Checkpoint:
    if isinstance(model, Checkpoint):
        return model
    path = as_path(model, "a model", CheckpointNotFound)
    return load_checkpoint(model if isinstance(model, str) else path)


def _symbols(elements: Sequence[str]) -> list[str]:
    found = as_list(elements, str, "elements are symbols such as 'Fe'", ConfigError)
    for each in found:
        atomic_number(each)
    return found


def _folder(output: AnyPath) -> Path:
    return as_path(output, "an output", OutputError)


def _paths(folders: Sequence[AnyPath]) -> list[Path]:
    given = as_list(folders, object, "data are folders", ConfigError)
    return [as_path(each, "a folder of data", ConfigError) for each in given]


def _command() -> str:
    """Return the words that started this process, for the record."""
    name = Path(sys.argv[0]).name
    name = "cgxas" if name == "__main__.py" else name  # python -m cgxas
    return shlex.join([name, *sys.argv[1:]]) if name else ""

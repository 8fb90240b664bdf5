"""Whole runs: data-set folders and a configuration in, a run folder with a tested model out."""

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from cgxas.data.compile import compiled
from cgxas.data.dataset import Dataset
from cgxas.data.folder import read_records
from cgxas.data.record import Record, Records
from cgxas.data.split import Part, Split, split_records, write_split
from cgxas.elements import atomic_number
from cgxas.errors import ConfigError
from cgxas.evaluation.scores import Answers, Evaluation, evaluate
from cgxas.model.architecture import Architecture, ArchitectureSettings
from cgxas.model.checkpoint import AbsorberCard, Checkpoint
from cgxas.spectra.spectrum import EnergyGrid
from cgxas.spectra.xray import WINDOWS
from cgxas.training.fit import SILENT, Answer, Job, Watcher, fit, new_network, predict_targets
from cgxas.training.folder import (
    CONFIG,
    DATA,
    SPLIT,
    Kind,
    RunFolder,
    check_folder,
    environment,
    is_run,
    open_run,
)
from cgxas.training.processes import ALONE, Processes
from cgxas.training.settings import RunSettings, SplitSettings
from cgxas.typing import FloatArray
from cgxas.writing import atomic_path


@dataclass(frozen=True, eq=False)
class Data:
    """Records, and what a network trains on, in the same order.

    Attributes:
        folders: where they came from.
        records: the records.
        dataset: the same, compiled.
    """

    folders: tuple[Path, ...]
    records: Records
    dataset: Dataset

    @classmethod
    def read(
        cls, folders: Sequence[Path], config: ArchitectureSettings, processes: Processes
    ) -> Self:
        """Read data-set folders; the first process compiles them, the others wait for it."""
        records = read_records(folders)
        if not processes.is_first:
            processes.wait()
        dataset = compiled(records.records, windows(config), config)
        if processes.is_first:
            processes.wait()
        return cls(tuple(folders), records, dataset)

    @property
    def everything(self) -> Split:
        """All spectra as a test part, for data a model knows nothing of."""
        none = np.zeros(0, dtype=np.int64)
        return Split(none, none, np.arange(len(self.dataset)))

    def divide(self, config: SplitSettings) -> Split:
        """Return the parts a configuration asks for."""
        return split_records(self.records, config.by, config.fractions, config.seed)


@dataclass(frozen=True, eq=False)
class Run:
    """What a run is to do.

    Attributes:
        config: name, network, training and split.
        data: what to learn from.
        split: its parts, for all elements.
        path: run folder.
        command: the command line, for the record.
        element: the only absorber to learn; None for all.
        parent: the model whose head is tuned; None to train a new network.
        resume: go on in a folder that holds this run.
        processes: who shares the work.
        watcher: who is told.
    """

    config: RunSettings
    data: Data
    split: Split
    path: Path
    command: str
    element: str | None = None
    parent: Checkpoint | None = None
    resume: bool = False
    processes: Processes = ALONE
    watcher: Watcher = SILENT

    @property
    def kind(self) -> Kind:
        """All elements at once, one alone, or the head of a model tuned to one."""
        if self.parent is not None:
            return "finetune"
        return "element" if self.element else "universal"

    @property
    def job(self) -> Job:
        """The work of the training loop."""
        dataset = self.data.dataset.renumbered(self.config.model.fidelities)
        split = self.data.dataset.only(self.split, self.element)
        if not len(split.train) or not len(split.validation) or not len(split.test):
            raise ConfigError(
                f"the split leaves a part without spectra of {self.element or 'any element'}"
            )
        config = self.config.training
        return Job(dataset, split, config, self.path, self.processes, self.watcher)


def train(run: Run) -> tuple[Checkpoint, Evaluation]:
    """Train a model, test it on the spectra it never saw, and write both to the run folder.

    Raises:
        OutputError: the folder holds a run already, and `resume` is not set.
        ConfigError: the folder holds another run.
        Interrupted: the watcher wanted to stop; the run can be resumed.
    """
    job = run.job
    folder = prepare(run)
    network = _starting_network(run, job)
    network = fit(network, job).to("cpu")
    evaluation = score(network, run.data, run.split, element=run.element)
    checkpoint = Checkpoint(
        name=run.config.name,
        config=run.config.model,
        cards=_cards(run, job.split, evaluation),
        state=network.state_dict(),
        provenance=_provenance(run, job.split, evaluation),
    )
    if run.processes.is_first:
        checkpoint.save(folder.model)
        folder.save_scores(evaluation)
    return checkpoint, evaluation


def prepare(run: Run, with_data: bool = False) -> RunFolder:
    """Write the description of a run into its folder, or see that the one there is the same.

    Args:
        run: the run.
        with_data: put the compiled data set beside it, for a machine that has only torch.

    Raises:
        ConfigError: it cannot be trained; or the folder holds another run.
    """
    _ = run.job  # what cannot be trained is refused before there is a folder
    about = RunFolder(
        path=run.path,
        name=run.config.name,
        kind=run.kind,
        element=run.element,
        split_by=run.config.split.by,
        split_sha256=run.split.sha256,
        data=run.data.folders,
        data_sha256=run.data.records.sha256,
        command=run.command,
        environment=environment(run.processes.count, run.processes.device),
    )
    if not run.processes.is_first:
        return about
    if is_run(run.path):
        _refuse_another(run, about)
        return about
    run.path.mkdir(parents=True, exist_ok=True)
    with atomic_path(run.path / CONFIG) as temporary:
        temporary.write_text(run.config.to_toml(), encoding="utf-8")
    _write_split(run)
    if with_data:
        shutil.rmtree(run.path / DATA, ignore_errors=True)  # of a preparation that was killed
        run.data.dataset.save(run.path / DATA)
    about.save()
    return about


def _write_split(run: Run) -> None:
    config = run.config.split
    by, fractions, seed = config.by, config.fractions, config.seed
    write_split(run.path / SPLIT, run.split, run.data.records, by, fractions, seed)


def _refuse_another(run: Run, about: RunFolder) -> None:
    check_folder(run.path, run.resume)
    there = open_run(run.path)
    for name in ("name", "kind", "element", "split_sha256", "data_sha256"):
        if getattr(there, name) != getattr(about, name):
            raise ConfigError(
                f"{run.path} holds another run: its {name} is {getattr(there, name)}, not "
                f"{getattr(about, name)}"
            )
    if RunSettings.from_toml(run.path / CONFIG) != run.config:
        raise ConfigError(f"{run.path} holds a run with other settings; see its {CONFIG}")


def _starting_network(run: Run, job: Job) -> Architecture:
    if run.parent is None:
        return new_network(job, run.config.model)
    network = run.parent.network()
    state = {name: tensor.clone() for name, tensor in run.parent.state.items()}
    network.load_state_dict(state, assign=True)
    network.requires_grad_(False)
    for layer in network.head_layers:
        layer.requires_grad_(True)
    return network


def split_of(checkpoint: Checkpoint, data: Data) -> Split:
    """Return the split a model was trained with.

    Raises:
        ConfigError: the model does not tell, or the data are not those it came from.
    """
    told = checkpoint.provenance
    if "split" not in told.get("configuration", {}):
        raise ConfigError(f"{checkpoint.name} does not tell how its data were split")
    if data.records.sha256 != told["data_sha256"]:
        raise ConfigError(
            f"these are not the data {checkpoint.name} was trained with "
            f"({', '.join(told['data'])}); name a split with --split, or test on all of them with "
            "--part all"
        )
    split = data.divide(SplitSettings.from_dict(told["configuration"]["split"]))
    if split.sha256 != told["split_sha256"]:
        raise ConfigError(
            f"{checkpoint.name} was trained with a split of its own; name its file with --split"
        )
    return split


def retest(checkpoint: Checkpoint, data: Data, split: Split, part: Part = "test") -> Evaluation:
    """Score a model on a part of a data set.

    A spectrum of a theory the model does not know is compared with the element's usual one.

    Raises:
        ConfigError: the part holds no spectrum the model has an answer for.
    """
    checkpoint.refuse_calibrated("it is tested by cgxas calibrate")
    fidelities = checkpoint.config.fidelities
    usual = {atomic_number(s): card.fidelity or "" for s, card in checkpoint.elements.items()}
    other = dict.fromkeys(range(256), fidelities[0] if fidelities else "")  # not tested at all
    dataset = data.dataset.renumbered(fidelities, other | usual)
    known = np.isin(dataset.absorber.numpy(), list(usual))
    parts = (p[known[p]] for p in (split.train, split.validation, split.test))
    told = Data(data.folders, data.records, dataset)
    return score(checkpoint.network(), told, Split(*parts), part)


def score(
    network: Architecture, data: Data, split: Split, part: Part = "test", element: str | None = None
) -> Evaluation:
    """Score a network on the spectra of a part whose site is certain.

    Args:
        network: the network.
        data: the data set.
        split: its parts; the training part gives the baselines.
        part: which one is tested.
        element: the only absorber to test; None for all.
    """
    records = data.records.records
    mine = data.dataset.only(split, element)
    tested = getattr(mine, part)
    tested = tested[data.dataset.certain.numpy()[tested]]
    dataset = data.dataset.renumbered(network.config.fidelities)
    predicted = np.zeros((len(tested), network.config.n_outputs))
    place = {int(target): row for row, target in enumerate(tested)}
    for targets, _, spectra in predict_targets(Answer(network), dataset, tested):
        predicted[[place[int(target)] for target in targets]] = spectra.double().numpy()
    answers = Answers([records[n] for n in tested], curves(data.dataset, tested), predicted)
    train = [records[n] for n in mine.train]
    return evaluate(answers, train, curves(data.dataset, mine.train), windows(network.config))


def windows(config: ArchitectureSettings) -> dict[str, EnergyGrid]:
    """Return the energy windows, with as many points as a network answers with."""
    return {s: replace(window, n_points=config.n_outputs) for s, window in WINDOWS.items()}


def curves(dataset: Dataset, targets: NDArray[np.int64]) -> FloatArray:
    """Return (T, P) spectra on their grids, NaN where the source did not compute them."""
    known, _ = dataset.weights(torch.from_numpy(targets))
    norm = dataset.norm[torch.from_numpy(targets)].double().numpy()
    return np.where(known.numpy() > 0, norm, np.nan)


def _cards(run: Run, split: Split, evaluation: Evaluation) -> dict[tuple[str, str], AbsorberCard]:
    records = run.data.records.records
    counts_uncertain = run.config.training.uncertain_weight > 0
    learnt = [records[n] for n in split.train if records[n].site_certain or counts_uncertain]
    symbols = [record.element for record in learnt]
    cards, grids = {}, windows(run.config.model)
    for symbol in sorted(set(symbols), key=list(grids).index):
        scores = evaluation.elements.get(symbol)
        cards[symbol, "K"] = AbsorberCard(
            grid=grids[symbol],
            n_train=symbols.count(symbol),
            n_test=scores.n if scores else 0,
            test_rse=scores.rse.mean if scores else None,
            test_pcc=scores.pcc.mean if scores else None,
            fidelity=_usual_fidelity(learnt, symbol) if run.config.model.fidelities else None,
        )
    return cards


def _usual_fidelity(learnt: Sequence[Record], symbol: str) -> str:
    """Return the theory most training spectra of an absorber were made with."""
    names = [record.fidelity for record in learnt if record.element == symbol]
    return max(sorted(set(names)), key=names.count)


def _provenance(run: Run, split: Split, evaluation: Evaluation) -> dict[str, Any]:
    theories = [record.theory for record in run.data.records.records]
    configuration = run.config.tables
    told = {
        "data": list(run.data.records.names),
        "data_sha256": run.data.records.sha256,
        "theories": {theory: theories.count(theory) for theory in sorted(set(theories))},
        "spectra": {part: len(getattr(split, part)) for part in ("train", "validation", "test")},
        "split_sha256": run.split.sha256,
        "configuration": configuration,
        "configuration_sha256": hashlib.sha256(
            json.dumps(configuration, sort_keys=True).encode()
        ).hexdigest(),
        "metrics": asdict(evaluation.overall),
        "command": run.command,
        "date": datetime.now(UTC).date().isoformat(),
        "cgxas": version("cgxas"),
        "torch": version("torch"),
        "references": ["arXiv:2512.23449", "doi:10.1038/s43246-021-00194-3"],
    }
    if run.parent is not None:
        told["parent"] = {"name": run.parent.name, "tensors_sha256": run.parent.sha256}
    return told

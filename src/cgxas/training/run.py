"""Whole runs: data-set folders and a configuration in, a run folder with a tested model out."""

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from cgxas.data.compile import CompiledData
from cgxas.data.record import EDGE
from cgxas.data.split import Split, write_split
from cgxas.errors import ConfigError
from cgxas.evaluation.scores import Evaluation
from cgxas.evaluation.testing import retest, test_network
from cgxas.model.architecture import Architecture, ArchitectureSettings, architecture
from cgxas.model.checkpoint import Checkpoint
from cgxas.model.description import AbsorberCard
from cgxas.training.cards import cards
from cgxas.training.fit import SILENT, Job, Watcher, fit, new_network
from cgxas.training.folder import (
    CONFIG,
    DATA,
    SPLIT,
    TAKEN_IN,
    Kind,
    RunFolder,
    check_folder,
    environment,
    is_run,
    open_run,
)
from cgxas.training.kernel import fitted_kernel
from cgxas.training.processes import ALONE, Processes
from cgxas.training.settings import RunSettings
from cgxas.training.taking_in import can_take_in, taken_in
from cgxas.training.trust import learnt_from
from cgxas.writing import atomic_path


def read_data(
    folders: Sequence[Path], config: ArchitectureSettings, processes: Processes = ALONE
) -> CompiledData:
    """Read data-set folders; the first process compiles them, the others wait for it."""
    if not processes.is_first:
        processes.wait()
    data = CompiledData.read(folders, config)
    if processes.is_first:
        processes.wait()
    return data


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
    data: CompiledData
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


def carry_out(run: Run) -> tuple[Checkpoint, Evaluation] | None:
    """Train a model, test it on the spectra it never saw, and write both to the run folder.

    Returns:
        The model and its scores; None in all processes but the first, which tests alone.

    Raises:
        OutputError: the folder holds a run already, and `resume` is not set.
        ConfigError: the folder holds another run.
        Interrupted: the watcher wanted to stop; the run can be resumed.
    """
    job = run.job
    folder = prepare(run)
    if new := _taken_in(run, job.split):
        return _take_in(run, folder, new) if run.processes.is_first else None
    network = fit(_starting_network(run, job), job)
    if not run.processes.is_first:
        return None
    evaluation = test_network(network, run.data, run.split, element=run.element)
    wish = run.config.kernel
    kernel = fitted_kernel(network, run.data, job.split, wish) if wish.fidelities else None
    trust = learnt_from(run.data, job.split, network, kernel)
    checkpoint = Checkpoint(
        name=run.config.name,
        config=run.config.model,
        cards=_cards(run, job.split, evaluation),
        state=network.to("cpu").state_dict(),
        provenance=_provenance(run, job.split, evaluation),
        kernel=kernel,
        trust=trust,
    )
    if kernel is not None:  # what was tested is the network alone
        evaluation = retest(checkpoint, run.data, run.split)
        checkpoint = replace(
            checkpoint,
            cards=_cards(run, job.split, evaluation),
            provenance=_provenance(run, job.split, evaluation),
        )
    checkpoint.save(folder.model)
    folder.save_scores(evaluation)
    return checkpoint, evaluation


def _taken_in(run: Run, split: Split) -> list[int]:
    """Return the training spectra that the kernel of the parent can learn, none without one."""
    parent, element, dataset = run.parent, run.element, run.data.dataset
    if parent is None or element is None:
        return []
    records, computed = run.data.records.records, dataset.computed.numpy()
    every = (0, dataset.norm.shape[1])
    return [
        int(n)
        for n in split.train
        if can_take_in(parent, element, records[n].fidelity)
        and records[n].site_certain
        and len(records[n].sites) == 1
        and tuple(computed[n]) == every
    ]


def _take_in(run: Run, folder: RunFolder, new: Sequence[int]) -> tuple[Checkpoint, Evaluation]:
    """Let the kernel of the parent learn some spectra; all other absorbers stay as they were."""
    if run.parent is None or run.element is None:
        raise ConfigError("only a model that is tuned to an element takes spectra in")
    records = run.data.records.records
    norm = run.data.dataset.norm[torch.tensor(new)].double().numpy()
    found = taken_in(run.parent, [records[n] for n in new], norm)
    mine = run.data.dataset.only(run.split, run.element)
    evaluation = retest(found, run.data, mine)
    key = (run.element, EDGE)
    card = run.parent.cards[key]
    cards_now = {**run.parent.cards, key: replace(card, n_train=(card.n_train or 0) + len(new))}
    provenance = _provenance(run, mine, evaluation) | {TAKEN_IN: len(new)}
    found = replace(found, name=run.config.name, cards=cards_now, provenance=provenance)
    found.save(folder.model)
    folder.save_scores(evaluation)
    return found, evaluation


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


def _cards(run: Run, split: Split, evaluation: Evaluation) -> dict[tuple[str, str], AbsorberCard]:
    records = run.data.records.records
    counts_uncertain = run.config.training.uncertain_weight > 0
    learnt = [n for n in split.train if records[n].site_certain or counts_uncertain]
    return cards(run.config.model, run.data, np.array(learnt), evaluation)


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
        "references": list(architecture(run.config.model.architecture).references),
    }
    if run.parent is not None:
        told["parent"] = {"name": run.parent.name, "tensors_sha256": run.parent.sha256}
    return told

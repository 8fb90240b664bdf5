"""A run folder, which tells all about its run.

RUN/
├── run.json             what was run, on which data, with which command, where
├── config.toml          the configuration, every setting written out
├── split.json           which spectrum stood in which part
├── log.csv              a row per epoch
├── data/                the compiled data set, in a run prepared for another machine
├── state/               last.pt and best.pt, to go on from
├── NAME.safetensors     the model
├── evaluation.json      its scores on the test part
└── test.parquet         every test spectrum with the model's answer
"""

import csv
import json
import os
import platform
from dataclasses import dataclass, fields, replace
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field

from cgxas.data.split import SplitBy
from cgxas.errors import ConfigError, OutputError
from cgxas.evaluation.scores import Evaluation
from cgxas.evaluation.tested import TestedSpectra
from cgxas.jsonfile import JsonFile
from cgxas.model.checkpoint import Checkpoint, load_checkpoint
from cgxas.model.container import SUFFIX
from cgxas.reading import read_bounded
from cgxas.settings import FileName
from cgxas.training.fit import LOG
from cgxas.writing import atomic_path

Kind = Literal["universal", "element", "finetune"]

_Symbol = Annotated[str, Field(min_length=1, max_length=2)]
_Hash = Annotated[str, Field(max_length=64)]
_RUN = "run.json"
CONFIG, SPLIT, DATA = "config.toml", "split.json", "data"
_SCORES, _TESTED = "evaluation.json", "test.parquet"

TAKEN_IN = "taken_in"
"""What the provenance of a model calls the number of spectra that its kernel took in."""


@dataclass(frozen=True)
class RunFolder:
    """A run and where its files lie.

    Attributes:
        path: the folder.
        name: how its model is called.
        kind: all elements at once, one element alone, or the head of a model tuned to one.
        element: that element; None for all.
        split_by: what the split keeps together.
        split_sha256: hash of the split.
        data: data-set folders, as they were named.
        data_sha256: hash of their tables.
        command: the command line.
        environment: versions, machine and processes.
    """

    path: Path
    name: FileName
    kind: Kind
    element: _Symbol | None
    split_by: SplitBy
    split_sha256: _Hash
    data: tuple[Path, ...]
    data_sha256: _Hash
    command: str
    environment: dict[str, str]

    @property
    def model(self) -> Path:
        """The file of the model."""
        return self.path / f"{self.name}{SUFFIX}"

    @property
    def has_epochs(self) -> bool:
        """Whether it was trained epoch by epoch; a kernel takes spectra in at once."""
        if (self.path / LOG).exists() or not self.model.exists():
            return True
        return TAKEN_IN not in self.checkpoint().provenance

    def log(self) -> dict[str, NDArray[np.float64]]:
        """Return the columns of the log, a row per epoch.

        Raises:
            ConfigError: there is none yet.
        """
        try:
            text = read_bounded(self.path / LOG, ConfigError).decode()
            rows = list(csv.DictReader(text.splitlines()))
            return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}
        except (ValueError, TypeError, IndexError, csv.Error) as error:
            raise ConfigError(f"{self.path} has no readable {LOG}: no epoch is done") from error

    def tested(self) -> TestedSpectra:
        """Return every test spectrum with the model's answer.

        Raises:
            DatasetError: the run did not come to its end.
        """
        return TestedSpectra.read(self.path / _TESTED)

    def checkpoint(self) -> Checkpoint:
        """Return the model.

        Raises:
            CheckpointError: the run did not come to its end, or the file is damaged.
        """
        return load_checkpoint(self.model)

    def save(self) -> None:
        """Write run.json."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        values["data"] = [str(folder) for folder in self.data]
        del values["path"]
        with atomic_path(self.path / _RUN) as temporary:
            temporary.write_text(json.dumps(values, indent=1), encoding="utf-8")

    def save_scores(self, evaluation: Evaluation) -> None:
        """Write what the test gave."""
        with atomic_path(self.path / _SCORES) as temporary:
            temporary.write_text(json.dumps(evaluation.to_json(), indent=1), encoding="utf-8")
        evaluation.tested.write(self.path / _TESTED)


def open_run(path: Path) -> RunFolder:
    """Return what a run folder tells.

    Raises:
        ConfigError: it is not one.
    """
    if not is_run(path):
        raise ConfigError(f"{path} is not a run folder: it has no readable {_RUN}")
    about = JsonFile(path / _RUN, ConfigError, "run", "name the folder of another run")
    return replace(about.as_kind(RunFolder, more={"path": "."}), path=path)


def is_run(path: Path) -> bool:
    """Tell whether a run was begun in a folder."""
    return (path / _RUN).exists()


def check_folder(path: Path, resume: bool) -> None:
    """Refuse a folder that holds a run, unless it is to go on.

    Raises:
        OutputError: it does, or it cannot be a folder.
    """
    if path.exists() and not path.is_dir():
        raise OutputError(f"{path} is not a folder; name another one")
    if is_run(path) and not resume:
        raise OutputError(f"{path} holds a run; go on with --resume, or name another folder")


def environment(processes: int, device: torch.device) -> dict[str, str]:
    """Return versions, machine and processes, for the record."""
    on_gpu = device.type == "cuda"
    return {
        "cgxas": version("cgxas"),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "cores": str(os.cpu_count()),
        "device": torch.cuda.get_device_name(device) if on_gpu else "CPU",
        "processes": str(processes),
        "threads": str(torch.get_num_threads()),
    }

"""Trains on the data set of a folder in both precisions, alone or as one of several processes."""

import json
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch

from cgxas.data.dataset import Dataset
from cgxas.data.split import Split
from cgxas.errors import Interrupted
from cgxas.training.fit import Epoch, Job, Silent, fit, new_network
from cgxas.training.processes import Processes, processes
from cgxas.training.settings import RunSettings


class Told(Silent):
    """Keeps the epochs, and may want to stop."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.epochs: list[Epoch] = []
        self.steps = 0
        self.stop_after = stop_after

    def on_step(self, n_spectra: int) -> None:
        self.steps += 1

    def on_epoch(self, epoch: Epoch) -> None:
        self.epochs.append(epoch)

    def wants_to_stop(self) -> bool:
        return self.steps == self.stop_after


def doubled(dataset: Dataset) -> Dataset:
    single = {n: t for n, t in dataset.tensors.items() if t.dtype == torch.float32}
    return replace(dataset, **{name: tensor.double() for name, tensor in single.items()})


def main(folder: Path, out: Path) -> None:
    config = RunSettings.from_toml(folder / "config.toml")
    dataset = Dataset.load(folder / "data")
    parts = json.loads((folder / "split.json").read_text())
    split = Split(*(np.array(part) for part in parts))
    told = {}
    with processes() as group:
        for precision in ("float32", "float64"):
            job = Job(dataset, split, config.training, out / precision, group, watcher := Told())
            network = new_network(job, config.model)
            if precision == "float64":
                job, network = replace(job, dataset=doubled(dataset)), network.double()
            fit(network, job)
            told[precision] = [asdict(epoch) for epoch in watcher.epochs]
        stopped = replace(job, folder=out / "stopped")
        stop(stopped, config, group)
        watcher = Told()
        fit(new_network(job, config.model).double(), replace(stopped, watcher=watcher))
        told["steps after the stop"] = watcher.steps
        if group.is_first:
            told["processes"] = group.count
            (out / "told.json").write_text(json.dumps(told))


def stop(job: Job, config: RunSettings, group: Processes) -> None:
    """Let the last process alone want to stop after five steps; all of them do."""
    is_last = group.rank == group.count - 1
    stopping = replace(job, watcher=Told(stop_after=5 if is_last else None))
    dataset = replace(job, dataset=Dataset.load(Path(sys.argv[1]) / "data"))
    network = new_network(dataset, config.model).double()
    try:
        fit(network, stopping)
    except Interrupted:
        return
    raise AssertionError(f"process {group.rank} did not stop")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

"""A small data set in memory, a network and settings that learn it in seconds."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from cgxas.crystals.canonical import Cell
from cgxas.data.compile import build_dataset
from cgxas.data.dataset import Dataset
from cgxas.data.record import Material, Record
from cgxas.data.split import Split
from cgxas.model.cgxas.config import CGXASConfig
from cgxas.spectra.xray import WINDOWS, windows
from cgxas.training.fit import SILENT, Epoch, Job, Silent, Watcher
from cgxas.training.settings import TrainingSettings


class Told(Silent):
    """Keeps what a run tells, and stops it after some steps."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.epochs: list[Epoch] = []
        self.spectra: list[int] = []
        self.start = (-1, -1)
        self.stop_after = stop_after

    def on_start(self, steps: int, done: int) -> None:
        self.start = steps, done

    def on_step(self, n_spectra: int) -> None:
        self.spectra.append(n_spectra)

    def on_epoch(self, epoch: Epoch) -> None:
        self.epochs.append(epoch)

    def wants_to_stop(self) -> bool:
        return len(self.spectra) == self.stop_after


@pytest.fixture
def watcher() -> Callable[..., Told]:
    """Makes a watcher, which stops the run after so many steps."""
    return Told


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    """Tensors as small as these gain nothing from threads that wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def model() -> CGXASConfig:
    """A network with all its parts."""
    return CGXASConfig(hidden=8, n_modules=1, n_head_layers=1, wave_numbers=2, dropout=0.1)


@pytest.fixture(scope="session")
def training() -> TrainingSettings:
    """Four epochs of two steps each."""
    return TrainingSettings(epochs=4, batch_crystals=3, learning_rate=3e-3)


def material(n: int) -> Material:
    """Rock salt of iron or cobalt with oxygen, a little larger each time."""
    metal, length = (26, 27)[n % 2], 4.1 + 0.02 * n
    corners = np.array([[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]])
    places = np.concatenate([corners, np.add(corners, [0.5, 0, 0])])
    return Material(
        f"m{n}", f"X{n}", Cell(np.eye(3) * length, places, np.array([metal] * 4 + [8] * 4))
    )


@pytest.fixture(scope="session")
def record() -> Callable[..., Record]:
    """Makes a record of a site of crystal n, whose edge lies a little higher."""

    def make(n: int, element: str, site: int, shift: float, fidelity: str = "FEFF9") -> Record:
        energy = WINDOWS[element, "K"].energies
        return Record(
            spectrum_id=f"{n}-{element}-{fidelity}",
            material=material(n),
            element=element,
            sites=np.array([site]),
            site_certain=element != "O",
            energy=energy,
            norm=0.5 + np.arctan(energy - energy[0] - 15 - shift) / np.pi,
            theory=fidelity,
            fidelity=fidelity,
            dataset="made",
        )

    return make


@pytest.fixture(scope="session")
def dataset(model, record) -> Dataset:
    """Twelve crystals with a metal spectrum each; every third has an uncertain one of oxygen."""
    records = []
    for n in range(12):
        one = record(n, ("Fe", "Co")[n % 2], 0, 0.3 * n)
        records.append(one)
        if n % 3 == 0:
            records.append(replace(record(n, "O", 5, -0.3 * n), material=one.material))
    return build_dataset(records, windows(), model)


@pytest.fixture(scope="session")
def split(dataset) -> Split:
    """Eight crystals to learn from, two to choose by, two to test."""
    crystal = dataset.crystal.numpy()
    return Split(*(np.flatnonzero(part) for part in (crystal < 8, crystal // 2 == 4, crystal > 9)))


@pytest.fixture
def job(dataset, split, training, tmp_path) -> Callable[..., Job]:
    """Makes a job in a folder of its own name, with some settings changed."""

    def make(name: str = "run", watcher: Watcher = SILENT, **settings) -> Job:
        config = replace(training, **settings)
        return Job(dataset, split, config, tmp_path / name, watcher=watcher)

    return make

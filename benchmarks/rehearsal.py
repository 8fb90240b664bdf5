"""Rehearse pre-training at the paper's size: 341,405 spectra on about 60,000 crystals.

The crystals of a real data set are displaced at random, each copy anew, and every site of their
absorbers in turn lends its element a spectrum of the set, until there are as many as the paper
has. What is learnt is of no use; the cost is that of the real thing. Reports the peak memory, the
size of the compiled set, and the speed of training steps on parts of 10,000 to 341,405 spectra.

    python benchmarks/rehearsal.py --data ../shared/data/sim_feff9 -o rehearsal
"""

import argparse
import json
import os
import resource
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure

from cgxas.crystals.canonical import Cell
from cgxas.data.compile import build_dataset
from cgxas.data.dataset import Dataset
from cgxas.data.folder import read_records
from cgxas.data.record import Material, Record
from cgxas.data.split import Split
from cgxas.elements import SYMBOLS
from cgxas.errors import Interrupted
from cgxas.model.cgxas.config import CGXASConfig
from cgxas.spectra.xray import WINDOWS
from cgxas.training.fit import Epoch, Job, Silent, fit, new_network
from cgxas.training.processes import processes
from cgxas.training.settings import TrainingSettings

N_SPECTRA, N_CRYSTALS = 341_405, 60_000
PARTS = (10_000, 34_000, 100_000, N_SPECTRA)
DISPLACEMENT = 0.03  # Angstrom, standard deviation along each axis
STEPS = 200
CONFIG = CGXASConfig(wave_numbers=0)


def rehearsed(records: tuple[Record, ...], rng: np.random.Generator) -> Iterator[Record]:
    """Yield spectra on displaced copies of the crystals, crystal after crystal."""
    lent = defaultdict(list)
    for record in records:
        lent[record.element].append(record)
    numbers = [z for z in range(1, 104) if SYMBOLS[z - 1] in lent]
    materials = list({id(record.material): record.material for record in records}.values())
    rich = [m for m in materials if np.isin(m.cell.numbers, numbers).sum() >= 2]
    total = 0
    for n in range(N_CRYSTALS):
        left = N_CRYSTALS - n
        wanted = -(-(N_SPECTRA - total) // left)
        original = rich[n % len(rich)]
        cell = original.cell
        moved = cell.frac + rng.normal(0, DISPLACEMENT, cell.frac.shape) @ np.linalg.inv(
            cell.lattice
        )
        copy = Material(f"m{n}", original.formula, Cell(cell.lattice, moved, cell.numbers))
        sites = np.flatnonzero(np.isin(cell.numbers, numbers))[:wanted]
        for site in sites:
            like = lent[SYMBOLS[cell.numbers[site] - 1]]
            model = like[int(rng.integers(len(like)))]
            yield Record(
                f"{n}-{site}",
                copy,
                model.element,
                np.array([site]),
                True,
                model.energy,
                model.mu,
                model.theory,
                model.fidelity,
                "rehearsal",
            )
        total += len(sites)


class Stopwatch(Silent):
    """Stops a run after so many steps and keeps the time of each."""

    def __init__(self, warm_up: int, steps: int) -> None:
        self.left, self.warm_up = warm_up + steps, warm_up
        self.spectra, self.started, self.ended = 0, 0.0, 0.0

    def on_step(self, n_spectra: int) -> None:
        """Count a step."""
        self.left -= 1
        self.warm_up -= 1
        if self.warm_up == 0:
            self.started = time.perf_counter()
        if self.warm_up < 0:
            self.spectra += n_spectra
            self.ended = time.perf_counter()

    def on_epoch(self, epoch: Epoch) -> None:
        """Nothing to say."""

    def wants_to_stop(self) -> bool:
        """After the last step."""
        return self.left <= 0


def peak_gib() -> float:
    """Return the largest memory this process and its helpers together can have held, GiB."""
    own, helpers = (
        resource.getrusage(who).ru_maxrss
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return (own + helpers * len(os.sched_getaffinity(0))) / 2**20


def timed_part(dataset: Dataset, n_spectra: int, steps: int, folder: Path) -> float:
    """Return spectra per second of training steps on the first so many spectra."""
    targets = np.arange(n_spectra)
    watcher = Stopwatch(warm_up=20, steps=steps)
    with processes() as group:
        training = TrainingSettings(epochs=10**6, compile=True, batch_crystals=32)
        split = Split(targets[100:], targets[:100], targets[:0])
        job = Job(dataset, split, training, folder / f"{n_spectra}", group, watcher)
        with suppress(Interrupted):
            fit(new_network(job, CONFIG), job)
    return watcher.spectra / (watcher.ended - watcher.started)


def timed_epochs(dataset: Dataset, epochs: int, folder: Path) -> list[float]:
    """Return the seconds of whole epochs on all spectra, as a GPU allows."""
    seconds: list[float] = []

    class Clock(Silent):
        def on_epoch(self, epoch: Epoch) -> None:
            seconds.append(epoch.seconds)

    targets = np.arange(len(dataset))
    with processes() as group:
        training = TrainingSettings(epochs=epochs, compile=True, batch_crystals=256)
        split = Split(targets[100:], targets[:100], targets[:0])
        job = Job(dataset, split, training, folder / "epochs", group, Clock())
        fit(new_network(job, CONFIG), job)
    return seconds


def draw(parts: dict[int, float], path: Path) -> None:
    """Draw speed against the size of the data set."""
    figure = Figure(figsize=(4.6, 3.2), layout="constrained")
    ax = figure.add_subplot()
    ax.semilogx(list(parts), list(parts.values()), "o-", color="tab:blue")
    ax.set(xlabel="Spectra in the training part", ylabel="Spectra per second")
    ax.set_ylim(0, 1.25 * max(parts.values()))
    figure.savefig(path, dpi=150)


def main() -> None:
    """Compile the rehearsed set, train on parts of it, and write what was measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    shared = Path(os.environ.get("CGXAS_SHARED", "../shared")) / "data"
    default = [shared / "sim_feff9", shared / "sim_feff10"]
    parser.add_argument("--data", type=Path, action="append", help="data-set folders to displace")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--compile-only", action="store_true", help="train later, in another run")
    parser.add_argument("--epochs", type=int, default=0, help="whole epochs to time, on a GPU")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder for the results")
    words = parser.parse_args()
    torch.set_num_threads(words.threads)
    words.output.mkdir(parents=True, exist_ok=True)
    place = words.output / "compiled"
    told = words.output / "compile.json"
    if not told.exists():
        rng = np.random.default_rng(0)
        records = list(rehearsed(read_records(words.data or default).records, rng))
        started = time.perf_counter()
        build_dataset(records, WINDOWS, CONFIG).save(place)
        seconds = time.perf_counter() - started
        told.write_text(json.dumps({"compile_seconds": seconds, "compile_peak_gib": peak_gib()}))
        del records
    dataset = Dataset.load(place)
    result: dict[str, object] = json.loads(told.read_text()) | {
        "spectra": len(dataset),
        "crystals": dataset.n_crystals,
        "nodes": len(dataset.numbers),
        "bytes_per_node": dataset.bytes_per_node,
        "bytes_per_spectrum": dataset.bytes_per_spectrum,
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU",
    }
    if words.compile_only:
        print(result)
        return
    parts = {}
    for n in PARTS:
        n_spectra = min(n, len(dataset))
        steps = STEPS if n == PARTS[-1] else STEPS // 2
        parts[n_spectra] = timed_part(dataset, n_spectra, steps, words.output)
        print(f"{n_spectra:>8,} spectra: {parts[n_spectra]:.0f} spectra/s", flush=True)
    result["spectra_per_second"] = parts
    if words.epochs:
        result["epoch_seconds"] = timed_epochs(dataset, words.epochs, words.output)
    result["train_peak_gib"] = peak_gib()
    draw(parts, words.output / "throughput.png")
    (words.output / "rehearsal.json").write_text(json.dumps(result, indent=1))
    for name, value in result.items():
        print(f"{name:<20} {value}")


if __name__ == "__main__":
    main()

"""The arena: networks and dull answers on one split by formula, with one budget.

Every contender learns from the training part of the simulated spectra, is chosen on the validation
part, and is tested on the test part, which it never saw, all in one process on one thread. The
budget is processor time: each network gets as many epochs as fit into it, at the speed of its own
first steps. A line that is not about the network but about the axis keeps the network: `window` is
0.1.0's fixed window of 55 eV, `edge` the axis relative to the computed edge.

RSE is weighted by how much energy a point stands for, so that it is that of an even grid; curves
are compared where FEFF computed them, on its own points about the true edge, so that an edge that
is off counts. `slope` is the RSE of the derivative.

    python benchmarks/accuracy.py DATA --minutes 6 --seeds 0 1 -o arena.json

A run that was stopped goes on with the same command. `--only` names contenders, among them those
of the ablation; `--formulas 0.25` learns from so many of the training formulas, which makes a
learning curve; `--scattering` adds the scattering with learnt phase shifts beside the last network.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch

from cgxas.crystals.spec import GraphSpec
from cgxas.data.compile import CompiledData
from cgxas.data.potentials import read_potentials
from cgxas.data.split import Part, Split, SplitSettings
from cgxas.elements import atomic_number
from cgxas.evaluation.asking import Answer, predict_targets
from cgxas.evaluation.baselines import compositions, mean_spectrum, nearest_by_composition
from cgxas.evaluation.testing import curves, energies
from cgxas.model.architecture import Architecture, ArchitectureSettings
from cgxas.model.cgxas.config import CGXASConfig
from cgxas.model.kernel import KernelSettings
from cgxas.model.smooth.config import SmoothConfig
from cgxas.physics.surroundings import surroundings
from cgxas.spectra.metrics import half_step_errors, pcc, rse
from cgxas.training.batches import CrystalBatches, spectrum_weights
from cgxas.training.fit import Job, fit, new_network
from cgxas.training.kernel import fitted_kernel
from cgxas.training.loss import rse_loss
from cgxas.training.scattering import fitted_scattering
from cgxas.training.settings import TrainingSettings
from cgxas.typing import FloatArray, IntArray
from cgxas.writing import atomic_path

Run = dict[str, Any]
FIDELITIES = ("FEFF9", "FEFF10", "FEFF", "VASP", "FDMNES")
SPLIT = SplitSettings(train=0.8, validation=0.1)
KERNEL = KernelSettings(fidelities=("FEFF10", "FEFF9"))
WARM_UP, TIMED = 2, 12  # steps
SMALL = TrainingSettings(learning_rate=2e-3, balance=0.25, uncertain_weight=0.5)
SMOOTH = replace(SMALL, weight_decay=0.1, beta2=0.98, balance=0.3, slope_weight=0.01)
FULL = SmoothConfig(fidelities=FIDELITIES, dropout=0.1)
BLIND = CGXASConfig(graph=GraphSpec(per_orbit=True), wave_numbers=0, fidelities=FIDELITIES)
NETWORKS: dict[str, tuple[ArchitectureSettings, TrainingSettings]] = {
    "cgxas-paper, window": (CGXASConfig(fidelities=FIDELITIES), SMALL),
    "cgxas-paper, edge": (CGXASConfig(fidelities=FIDELITIES, axis="edge"), SMALL),
    "0.1.0, window": (BLIND, SMALL),
    "0.1.0, edge": (replace(BLIND, axis="edge"), SMALL),
    "smooth": (FULL, SMOOTH),
}
ABLATION: dict[str, tuple[ArchitectureSettings, TrainingSettings]] = {
    "smooth, distances only": (replace(FULL, degree=0), SMOOTH),
    "smooth, no atom looks but the absorber": (replace(FULL, n_layers=0), SMOOTH),
    "smooth, one layer": (replace(FULL, n_layers=1), SMOOTH),
    "smooth, no dropout": (replace(FULL, dropout=0.0), SMOOTH),
    "smooth, no slopes in the loss": (FULL, replace(SMOOTH, slope_weight=0.0)),
    "smooth, all spectra weigh alike": (FULL, replace(SMOOTH, balance=0.0)),
}
CONTENDERS = NETWORKS | ABLATION
FOLDERS = ("sim_feff9", "sim_feff10")
MIXED, SCATTERED = "smooth and kernel", "smooth, kernel and scattering"
SIX = ("Ti", "V", "Cr", "Co", "Ni", "Cu")


@dataclass(frozen=True, eq=False)
class Arena:
    """The data on the axis relative to the edge, and their parts.

    Attributes:
        data: the data set.
        split: its parts.
        part: which one is tested.
        tested: (T,) the spectra.
        energy: (T, P) eV.
        target: (T, P), NaN where not computed.
        weight: (T, P) how much energy a point stands for.
    """

    data: CompiledData
    split: Split
    part: Part
    tested: IntArray
    energy: FloatArray
    target: FloatArray
    weight: FloatArray

    @classmethod
    def of(cls, folders: list[Path], part: Part) -> "Arena":
        """Read the data."""
        data = CompiledData.read(folders, NETWORKS["smooth"][0])
        split = data.divide(SPLIT)
        kinds = np.array([r.fidelity in ("FEFF9", "FEFF10") for r in data.records.records])
        certain = data.dataset.certain.numpy()
        tested = np.array([n for n in getattr(split, part) if kinds[n] and certain[n]])
        weight, _ = data.dataset.weights(torch.from_numpy(tested))
        return cls(
            data,
            split,
            part,
            tested,
            energies(data, tested),
            curves(data.dataset, tested),
            weight.double().numpy(),
        )

    def with_less(self, share: float) -> "Arena":
        """Return the arena with only a share of the training formulas, drawn at random."""
        if share >= 1:
            return self
        formulas = np.array([r.material.formula for r in self.data.records.records])
        known = np.unique(formulas[self.split.train])
        some = np.random.default_rng(0).permutation(known)[: round(share * len(known))]
        train = self.split.train[np.isin(formulas[self.split.train], some)]
        return replace(self, split=replace(self.split, train=train))

    @property
    def bands(self) -> Mapping[str, IntArray]:
        """Name of a group -> rows of the tested spectra in it."""
        records = [self.data.records.records[n] for n in self.tested]
        z = np.array([atomic_number(r.element) for r in records])
        ten = np.array([r.fidelity == "FEFF10" for r in records])
        edges = {"Z <= 9": (1, 9), "11-20": (11, 20), "21-36": (21, 36), "37-54": (37, 54)}
        found = {n: np.flatnonzero(ten & (z >= a) & (z <= b)) for n, (a, b) in edges.items()}
        for symbol in SIX:
            found[f"{symbol} (FEFF9)"] = np.flatnonzero(~ten & (z == atomic_number(symbol)))
        return {name: rows for name, rows in found.items() if len(rows)}

    def scores(self, predicted: FloatArray) -> dict[str, dict[str, float]]:
        """Return the scores of (T, P) answers in each group."""
        wide = np.diff(self.energy, axis=1)
        steps = [np.diff(each, axis=1) / wide for each in (self.target, predicted)]
        columns = {
            "rse": rse(self.target, predicted, self.weight),
            "pcc": pcc(self.target, predicted, self.weight),
            "half step, eV": np.abs(half_step_errors(self.energy, self.target, predicted)),
            "slope": rse(steps[0], steps[1], wide),
        }
        return {
            band: {
                "n": len(rows),
                "median": float(np.median(columns["rse"][rows])),
                **{name: mean_of(column[rows]) for name, column in columns.items()},
            }
            for band, rows in self.bands.items()
        }


def mean_of(values: FloatArray) -> float:
    """Return the mean of what is known; NaN if nothing is."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")


def dull(arena: Arena) -> dict[str, FloatArray]:
    """Return what is answered without learning: element mean, nearest by composition."""
    records, train = arena.data.records.records, arena.split.train
    known = curves(arena.data.dataset, train)
    fractions = compositions([r.material.cell.numbers for r in records])
    mean, nearest = (np.zeros_like(arena.target) for _ in range(2))
    kinds = np.array([f"{r.fidelity} {r.element}" for r in records])
    for kind in sorted(set(kinds[arena.tested])):
        rows, mine = (np.flatnonzero(kinds[part] == kind) for part in (arena.tested, train))
        own = known[mine] if len(mine) else known
        of = train[mine] if len(mine) else train
        mean[rows] = mean_spectrum(own, len(rows))
        nearest[rows] = nearest_by_composition(own, fractions[of], fractions[arena.tested[rows]])
    return {"element mean": mean, "nearest composition": nearest}


def epochs_in(minutes: float, network: Architecture, job: Job) -> int:
    """Return how many epochs fit into the budget, as the first steps tell."""
    batches = CrystalBatches(
        job.dataset.crystal.numpy(), job.split.train, job.config.batch_crystals
    )
    weights = torch.from_numpy(spectrum_weights(job.dataset, job.split.train, job.config))
    answer = Answer(network).train()
    started = 0.0
    for step, groups in enumerate(islice(batches.shuffled(0, 0), WARM_UP + TIMED)):
        if step == WARM_UP:
            started = time.process_time()
        wanted = np.concatenate(groups)
        batch = job.dataset.batch(wanted)
        loss = (rse_loss(answer(batch), batch.norm, batch.weight) * weights[wanted]).mean()
        loss.backward()  # type: ignore[no-untyped-call]
    each = (time.process_time() - started) / TIMED
    return max(1, round(60 * minutes / (each * len(batches))))


def trained(
    config: ArchitectureSettings, training: TrainingSettings, arena: Arena, minutes: float
) -> tuple[Architecture, CompiledData, dict[str, float]]:
    """Return a trained network, the data on its axis, and what that took."""
    data = CompiledData.read(list(arena.data.folders), config)
    dataset = data.dataset.renumbered(config.fidelities)
    with tempfile.TemporaryDirectory() as folder:
        job = Job(dataset, arena.split, training, Path(folder))
        epochs = epochs_in(minutes, new_network(job, config), job)
        job = replace(job, config=replace(training, epochs=epochs))
        started = time.process_time()
        network = fit(new_network(job, config), job)
        spent = time.process_time() - started
    size = sum(parameter.numel() for parameter in network.parameters())
    return network, data, {"epochs": epochs, "minutes": spent / 60, "parameters": size}


def answers(network: Architecture, data: CompiledData, arena: Arena) -> tuple[FloatArray, float]:
    """Return (T, P) answers at the energies of the arena, and seconds per spectrum."""
    dataset = data.dataset.renumbered(network.config.fidelities)
    own = energies(data, arena.tested)
    found = np.zeros_like(arena.target)
    place = {int(target): row for row, target in enumerate(arena.tested)}
    started = time.process_time()
    for targets, _, spectra in predict_targets(Answer(network), dataset, arena.tested):
        for target, curve in zip(targets, spectra.double().numpy(), strict=True):
            row = place[int(target)]
            found[row] = np.interp(arena.energy[row], own[row], curve)
    return found, (time.process_time() - started) / len(found)


def table(results: Mapping[str, list[Run]], value: Callable[[Run, str], float]) -> str:
    """Return a table of contenders by group, means over the seeds."""
    bands = list(next(iter(results.values()))[0]["scores"])
    rows = [["", *bands], ["---", *["---:"] * len(bands)]]
    for name, runs in results.items():
        means = [np.mean([value(run, band) for run in runs]) for band in bands]
        rows.append([name, *[f"{mean:.4f}" if np.isfinite(mean) else "-" for mean in means]])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def main() -> None:
    """Let them compete."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="the folder of the data sets")
    parser.add_argument("--minutes", type=float, default=10.0, help="of training, each network")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--part", choices=("validation", "test"), default="test")
    parser.add_argument("--only", nargs="+", default=list(NETWORKS), choices=list(CONTENDERS))
    parser.add_argument("--formulas", type=float, default=1.0, help="share that is learnt from")
    parser.add_argument("--scattering", action="store_true")
    parser.add_argument("-o", "--output", type=Path, required=True, help="a JSON file")
    wish = parser.parse_args()
    torch.set_num_threads(1)
    arena = Arena.of([wish.data / name for name in FOLDERS], wish.part).with_less(wish.formulas)
    results: dict[str, list[Run]] = {
        name: [{"scores": arena.scores(found)}] for name, found in dull(arena).items()
    }
    if wish.output.exists():
        results |= json.loads(wish.output.read_text(encoding="utf-8"))
    for name in wish.only:
        config, training = CONTENDERS[name]
        for seed in wish.seeds:
            if any(run["seed"] == seed for run in results.get(name, [])):
                continue
            network, data, told = trained(config, replace(training, seed=seed), arena, wish.minutes)
            found, told["seconds per spectrum"] = answers(network, data, arena)
            results.setdefault(name, []).append(
                {"seed": seed, **told, "scores": arena.scores(found)}
            )
            if name == "smooth":
                others = with_others(network, arena, found, wish.data if wish.scattering else None)
                for other, curves_of in others.items():
                    results.setdefault(other, []).append({"scores": arena.scores(curves_of)})
            print(name, seed, told, flush=True)
            keep(wish.output, results)
    for title, value in TABLES.items():
        print(f"\n{title}\n\n{table(results, value)}")
    costs = [name for name, runs in results.items() if "minutes" in runs[0]]
    print("\n| | epochs | minutes | ms per spectrum | parameters |\n|---|---:|---:|---:|---:|")
    for name in costs:
        run = results[name][0]
        print(
            f"| {name} | {run['epochs']} | {run['minutes']:.1f} "
            f"| {1e3 * run['seconds per spectrum']:.2f} | {run['parameters']:,} |"
        )


def with_others(
    network: Architecture, arena: Arena, found: FloatArray, data: Path | None
) -> dict[str, FloatArray]:
    """Return what the kernel answers, its mean with the network, and that with scattering.

    Args:
        network: the network.
        arena: where they compete.
        found: (T, P) what the network answers.
        data: the folder of the data sets, where potentials are; None: no scattering.
    """
    kernel = fitted_kernel(network, arena.data, arena.split, KERNEL)
    records = [arena.data.records.records[n] for n in arena.tested]
    other, mixed = np.full_like(found, np.nan), found.copy()
    for row, record in enumerate(records):
        z, theory = atomic_number(record.element), record.fidelity
        described = surroundings(record.material.cell, record.sites)
        other[row] = kernel.spectra(described, z, theory).mean(axis=0)
        mixed[row] += kernel.share_of(z, theory) * (other[row] - found[row])
    answered = {"kernel": other, MIXED: mixed}
    if data is None:
        return answered
    learnt = [arena.data.records.records[n] for n in arena.split.train]
    potentials = read_potentials(
        data / "sim_feff10_potentials", [each for each in learnt if each.fidelity == "FEFF10"]
    )
    scattering, _ = fitted_scattering(network, kernel, arena.data, arena.split, potentials)
    rows = [
        scattering.averaged(mixed[row][None], each.material.cell, each.sites[:1], each.fidelity)[0]
        for row, each in enumerate(records)
    ]
    return answered | {SCATTERED: np.array(rows)}


def keep(path: Path, results: Mapping[str, list[Run]]) -> None:
    """Write what is known so far."""
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(results, indent=1), encoding="utf-8")


TABLES: dict[str, Callable[[Run, str], float]] = {
    "RSE, mean": lambda run, band: run["scores"][band]["rse"],
    "RSE, median": lambda run, band: run["scores"][band]["median"],
    "PCC": lambda run, band: run["scores"][band]["pcc"],
    "Half step, eV": lambda run, band: run["scores"][band]["half step, eV"],
    "Slope": lambda run, band: run["scores"][band]["slope"],
}


if __name__ == "__main__":
    main()

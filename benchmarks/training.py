"""Spectra per second of a training step: cgxas against the network as the paper writes it.

Both ways see the same batches in the same order and step in the same process, in turn. A step is
forward, backward, clipping of the gradient and the update by AdamW; the joining of a batch is left
out of both. Before each step both get the same weights, so that their losses must agree: left
alone they drift apart by a percent in a few steps, since Adam makes whole steps of the rounding of
gradients that ought to be zero. How good each gradient is, one pass in float64 tells. The plain
way's bases are computed in every step, or stored, as the CGXAS authors' scripts do on disk; ratios
refer to the latter.

    python benchmarks/training.py --data SHARED/data/sim_feff9
    python benchmarks/training.py --steps 10 --threads 2 --json training.json
"""

import argparse
import copy
import json
import os
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from floor import floor
from plain import PlainCGXAS, looped_basis, plain_copy, under_plain_names
from torch import Tensor

from cgxas.crystals.batch import GraphBatch
from cgxas.crystals.canonical import canonical_cell
from cgxas.crystals.spec import GraphSpec
from cgxas.data.compile import build_dataset
from cgxas.data.dataset import Batch
from cgxas.data.folder import read_records
from cgxas.data.record import Record
from cgxas.errors import CgxasError, DatasetError
from cgxas.model.cgxas.config import CGXASConfig
from cgxas.model.cgxas.network import CGXAS
from cgxas.spectra.xray import WINDOWS
from cgxas.training.loss import rse_loss
from cgxas.training.settings import TrainingSettings
from cgxas.writing import atomic_path

WARM_UP = 3
N_BATCHES = 8
CRYSTALS = 32
"""Crystals in a batch where every crystal is one graph for both ways, as in training."""
FEW_CRYSTALS, SITES = 8, 5
"""Crystals in a batch, and spectra of each, where the plain way has a graph per spectrum."""
IN_STEP, STORED = "plain, bases in the step", "plain, bases stored"
NETWORKS = {"paper": CGXASConfig(), "bundled": CGXASConfig(wave_numbers=0)}
TRAINING = TrainingSettings()
APART = ("loss", "gradient")
"""By how much a way's losses differ at most, relative, from those of plain with stored bases, and
its first gradient from the one in float64."""
LOSS_LIMIT = 1e-4


@dataclass
class Way:
    """A way to train, the batches it sees, and what its steps took and gave."""

    name: str
    network: CGXAS | PlainCGXAS
    embed: Callable[[Batch], Tensor]
    optimiser: torch.optim.Optimizer
    batches: Sequence[Batch]
    seconds: list[float] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    spectra: list[int] = field(default_factory=list)

    def step(self, number: int) -> None:
        """Take a step on one batch and write down its time and loss."""
        batch = self.batches[number % len(self.batches)]
        started = now()
        predicted = batch.pool(self.network.head(self.embed(batch)[batch.nodes]))
        loss = rse_loss(predicted, batch.mu, batch.weight).mean()
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), TRAINING.clip_norm)
        self.optimiser.step()
        self.losses.append(float(loss.item()))
        self.seconds.append(now() - started)
        self.spectra.append(len(batch.mu))

    def take(self, weights: dict[str, Tensor]) -> None:
        """Take over the state of a network of ours."""
        plain = isinstance(self.network, PlainCGXAS)
        self.network.load_state_dict(under_plain_names(weights) if plain else weights)

    def gradient(self) -> dict[str, Tensor]:
        """Return the last gradient, under the plain network's names."""
        found = {name: p.grad for name, p in self.network.named_parameters() if p.grad is not None}
        return found if isinstance(self.network, PlainCGXAS) else under_plain_names(found)


def now() -> float:
    """Return the time once the device has done what it was told."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()


def race(ways: Sequence[Way], steps: int, comparable: bool = True) -> list[dict[str, Any]]:
    """Let the ways step in turn, each round begun by another; return a row for each.

    Args:
        ways: the last is taken for the others' starting point of each step, the way named
            "plain, bases stored" for what the others are compared with.
        steps: rounds measured, after a few for warming up.
        comparable: whether they compute the same losses; otherwise rows have none.
    """
    stored = next(way for way in ways if way.name == STORED)
    errors: list[float] = []
    for number in range(WARM_UP + steps):
        weights = {name: t.clone() for name, t in ways[-1].network.state_dict().items()}
        for turn in range(len(ways)):
            way = ways[(number + turn) % len(ways)]
            way.take(weights)
            way.step(number)
        if comparable and not number:
            exact = exact_gradient(stored, weights)
            errors = [distance(way.gradient(), exact) for way in ways]
    rows = [row(way, stored) for way in ways]
    for way, found, error in zip(ways, rows, errors, strict=comparable):
        apart = np.abs(np.divide(way.losses, stored.losses) - 1)
        found.update(loss=float(apart.max()), gradient=error)
    return rows


def exact_gradient(stored: Way, weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the plain way's first gradient, computed in float64."""
    network = copy.deepcopy(stored.network).double()
    batch = stored.batches[0]
    batch = replace(in_double(batch), graphs=in_double(batch.graphs))
    assert isinstance(network, PlainCGXAS)
    basis = looped_basis(batch.graphs, network.config)
    way = Way("exact", network, lambda b: network.embed(b.graphs, basis), adamw(network), [batch])
    way.take(weights)
    way.step(0)
    return way.gradient()


def in_double(some: Any) -> Any:
    """Return a batch with its own numbers in double precision."""
    tensors = {n: v for n, v in vars(some).items() if isinstance(v, Tensor)}
    return replace(some, **{n: v.double() for n, v in tensors.items() if v.is_floating_point()})


def row(way: Way, other: Way) -> dict[str, Any]:
    """Return the medians over the measured steps; ratios are taken within a round."""
    rates, others = (np.divide(each.spectra, each.seconds)[WARM_UP:] for each in (way, other))
    return {
        "way": way.name,
        "ms_per_step": 1e3 * float(np.median(way.seconds[WARM_UP:])),
        "spectra_per_second": float(np.median(rates)),
        "ratio": float(np.median(rates / others)),
        "seconds": way.seconds,
    }


def distance(one: dict[str, Tensor], other: dict[str, Tensor]) -> float:
    """Return the length of the difference of two gradients over the length of the second."""
    apart = sum(float(((one[name] - g) ** 2).sum()) for name, g in other.items())
    return float((apart / sum(float((g**2).sum()) for g in other.values())) ** 0.5)


def ways(
    config: CGXASConfig, plain_batches: Sequence[Batch], our_batches: Sequence[Batch]
) -> list[Way]:
    """Return the plain way, with bases in the step and with stored ones, and ours, twice."""
    torch.manual_seed(0)
    start = CGXAS(config).to(our_batches[0].mu.device).train()
    bases = {id(batch): looped_basis(batch.graphs, config) for batch in plain_batches}

    def in_step(network: PlainCGXAS, batch: Batch) -> Tensor:
        return network.embed(batch.graphs, looped_basis(batch.graphs, config))

    def stored(network: PlainCGXAS, batch: Batch) -> Tensor:
        return network.embed(batch.graphs, bases[id(batch)])

    plain = []
    for name, embed in ((IN_STEP, in_step), (STORED, stored)):
        network = plain_copy(start)
        plain.append(Way(name, network, partial(embed, network), adamw(network), plain_batches))
    eager, compiled = copy.deepcopy(start), copy.deepcopy(start)
    return [
        *plain,
        our_way("ours, eager", eager, eager.embed, our_batches),
        our_way("ours", compiled, torch.compile(compiled.embed, dynamic=True), our_batches),
    ]


def our_way(
    name: str, network: CGXAS, embed: Callable[[GraphBatch], Tensor], batches: Sequence[Batch]
) -> Way:
    """Return a way of ours, with the optimiser of training."""
    return Way(
        name, network, lambda batch: embed(batch.graphs), adamw(network, fused=True), batches
    )


def adamw(network: torch.nn.Module, fused: bool | None = None) -> torch.optim.Optimizer:
    """Return the optimiser of training."""
    return torch.optim.AdamW(
        network.parameters(),
        TRAINING.learning_rate,
        weight_decay=TRAINING.weight_decay,
        fused=fused,
    )


def crystals(records: Sequence[Record], wanted: int) -> list[list[Record]]:
    """Return the records of crystals drawn with a fixed seed, by crystal."""
    groups: dict[int, list[Record]] = {}
    for record in records:
        groups.setdefault(id(record.material), []).append(record)
    found = list(groups.values())
    order = np.random.default_rng(0).permutation(len(found))
    return [found[n] for n in order[:wanted]]


def five_sites(records: Sequence[Record], wanted: int) -> list[list[Record]]:
    """Return five records of one element, on inequivalent sites, of each of some crystals."""
    chosen = []
    for group in crystals(records, len(records)):
        element, cell = group[0].element, group[0].material.cell
        single = [r for r in group if len(r.sites) == 1 and r.element == element]
        if len(single) >= SITES:
            orbits = canonical_cell(cell, GraphSpec().symprec).orbit_of_site
            by_orbit = {int(orbits[record.sites[0]]): record for record in single}
            if len(by_orbit) >= SITES:
                chosen.append(list(by_orbit.values())[:SITES])
        if len(chosen) == wanted:
            break
    return chosen


def joined(groups: Sequence[list[Record]], config: CGXASConfig, size: int) -> list[Batch]:
    """Return batches of so many crystals, on the device."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    dataset = build_dataset([r for group in groups for r in group], WINDOWS, config).to(device)
    ends = np.cumsum([0] + [len(group) for group in groups])
    return [
        dataset.batch(np.arange(ends[n], ends[min(n + size, len(groups))]))
        for n in range(0, len(groups), size)
    ]


def split_up(groups: Sequence[list[Record]]) -> list[list[Record]]:
    """Return the groups with a crystal of its own for every record."""
    return [[replace(r, material=replace(r.material))] for group in groups for r in group]


def per_graph_pass(records: Sequence[Record], name: str, steps: int) -> dict[str, Any]:
    """Return what both ways give on the same graphs, and the floor below them."""
    config = NETWORKS[name]
    batches = joined(crystals(records, N_BATCHES * CRYSTALS), config, CRYSTALS)
    rows = race(ways(config, batches, batches), steps)
    if max(each["loss"] for each in rows) > LOSS_LIMIT:
        raise SystemExit("the losses are too far apart: the two ways are not the same network")
    n_nodes = round(float(np.mean([len(batch.graphs.numbers) for batch in batches])))
    n_wanted = round(float(np.mean([len(batch.nodes) for batch in batches])))
    least = floor(config, n_nodes, n_wanted, batches[0].mu.device)
    return {"rows": rows, "floor": least}


def per_spectrum(records: Sequence[Record], name: str, steps: int) -> dict[str, Any]:
    """Return what both ways give if five sites of each crystal have spectra."""
    config = NETWORKS[name]
    groups = five_sites(records, N_BATCHES * FEW_CRYSTALS)
    if not groups:
        raise DatasetError("no crystal has five inequivalent sites with spectra; name more --data")
    groups = groups[: max(1, len(groups) // FEW_CRYSTALS) * FEW_CRYSTALS]
    theirs = joined(split_up(groups), CGXASConfig(), FEW_CRYSTALS * SITES)
    ours = joined(groups, config, FEW_CRYSTALS)
    # Where ours has a node per orbit the norms count orbits: another loss, of the same network.
    same = len(ours[0].graphs.numbers) * SITES == len(theirs[0].graphs.numbers)
    rows = race(ways(config, theirs, ours)[1:], max(1, steps // 4), same)
    return {"rows": rows, "crystals": len(groups), "element": groups[0][0].element}


def show(title: str, rows: Sequence[dict[str, Any]]) -> None:
    """Print one table."""
    print(f"\n{title}")
    print(f"{'':26s}{'ms/step':>9s}{'spectra/s':>11s}{'ratio':>7s}{'loss':>10s}{'gradient':>10s}")
    for each in rows:
        apart = [f"{each[name]:10.0e}" if name in each else f"{'-':>10s}" for name in APART]
        print(
            f"{each['way']:26s}{each['ms_per_step']:9.1f}{each['spectra_per_second']:11.1f}"
            f"{each['ratio']:7.2f}{''.join(apart)}"
        )


def show_floor(found: dict[str, float], compiled_ms: float) -> None:
    """Print what a step would take at least, and how near it is."""
    print(
        f"floor at {found['nodes']:.0f} nodes: {1e-9 * found['multiply_adds']:.1f} G multiply-adds "
        f"at {found['gflop_per_second']:.0f} GFLOP/s {found['arithmetic_ms']:.0f} ms, "
        f"{1e-9 * found['bytes']:.2f} GB of edge arrays at "
        f"{found['copy_gigabytes_per_second']:.1f} GB/s {found['memory_ms']:.0f} ms"
    )
    arithmetic, both = found["arithmetic_ms"], found["arithmetic_ms"] + found["memory_ms"]
    print(
        f"ours reaches {arithmetic / compiled_ms:.0%} of the arithmetic floor, "
        f"{both / compiled_ms:.0%} of arithmetic and memory one after the other"
    )


def machine() -> dict[str, Any]:
    """Describe what is measured on."""
    cuda = torch.cuda.is_available()
    return {
        "device": torch.cuda.get_device_name() if cuda else "cpu",
        "processor": processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }


def processor() -> str:
    """Return the name of the processor."""
    about = Path("/proc/cpuinfo")
    lines = about.read_text(encoding="utf-8").splitlines() if about.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def options() -> argparse.Namespace:
    """Read the command line; data that is not there ends the program."""
    beside = Path(__file__).parents[2] / "shared"
    default = Path(os.environ.get("CGXAS_SHARED", beside)) / "data" / "sim_feff9"
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, nargs="+", default=[default])
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path)
    found = parser.parse_args()
    for folder in found.data:
        if not folder.is_dir():
            parser.exit(2, f"{folder} is not there; name a data-set folder with --data\n")
    if min(found.steps, found.threads) < 1:
        parser.exit(2, "--steps and --threads must be at least 1\n")
    return found


def main() -> None:
    """Run all measurements and print a table for each."""
    given = options()
    torch.set_num_threads(given.threads)
    results: dict[str, Any] = {"machine": machine(), "steps": given.steps}
    print(*(f"{name} {value}" for name, value in results["machine"].items()), sep=", ")
    if torch.cuda.is_available():
        torch.set_float32_matmul_precision("high")  # as training does
    else:
        print("no GPU was at hand: nothing below says how the two ways compare on one")
    records = read_records(given.data).records
    for name in NETWORKS:
        found = results[f"{name}, per graph pass"] = per_graph_pass(records, name, given.steps)
        show(f"{name} network, the same graphs, {CRYSTALS} crystals a step", found["rows"])
        show_floor(found["floor"], found["rows"][-1]["ms_per_step"])
    for name in NETWORKS:
        found = results[f"{name}, per spectrum"] = per_spectrum(records, name, given.steps)
        show(
            f"{name} network, {SITES} inequivalent {found['element']} sites of each of "
            f"{FEW_CRYSTALS} crystals a step, plain: a graph per spectrum, atoms as nodes",
            found["rows"],
        )
    if given.json:
        with atomic_path(given.json) as temporary:
            temporary.write_text(json.dumps(results, indent=1), encoding="utf-8")


if __name__ == "__main__":
    try:
        main()
    except CgxasError as error:
        raise SystemExit(str(error)) from error

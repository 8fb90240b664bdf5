"""Records laid out as flat arrays: graphs once per crystal, targets on the element's grid."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cgxas.crystals.batch import GraphBatch, collate
from cgxas.crystals.canonical import canonical_cell
from cgxas.crystals.graph import CrystalGraph, crystal_graph
from cgxas.data.records import Material, Record
from cgxas.errors import DatasetError
from cgxas.model.config import ModelConfig
from cgxas.spectra.normalise import resample
from cgxas.spectra.spectrum import EnergyGrid

LEFT_WEIGHT = 0.1
"""Weight of grid points before the first computed one, where the first value is continued: next
to nothing where other spectra know better, enough to keep the network sane where none does."""


@dataclass(frozen=True, eq=False)
class Targets:
    """Spectra on their grids, and the nodes they belong to.

    Attributes:
        crystal: (T,) which crystal.
        nodes: for each target, the nodes of the crystal's graph whose mean it is.
        mu: (T, P) on the element's grid.
        computed: (T, P) 1 where the source computed the spectrum, 0 elsewhere.
        weight: (T, P) weight of a point in the loss.
        certain: (T,) whether the site is stated by the source.
        numbers: (T,) atomic number of the absorber.
    """

    crystal: NDArray[np.int64]
    nodes: list[NDArray[np.int64]]
    mu: NDArray[np.float32]
    computed: NDArray[np.float32]
    weight: NDArray[np.float32]
    certain: NDArray[np.bool_]
    numbers: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Dataset:
    """What a network trains on: one graph per crystal, one target per record."""

    graphs: list[CrystalGraph]
    targets: Targets

    def __len__(self) -> int:
        return len(self.targets.crystal)

    def batch(self, wanted: NDArray[np.int64]) -> "Batch":
        """Join the graphs of the wanted targets, each crystal once."""
        targets = self.targets
        crystals, place = np.unique(targets.crystal[wanted], return_inverse=True)
        graphs = collate([self.graphs[crystal] for crystal in crystals])
        nodes = [targets.nodes[t] + graphs.offsets[p] for t, p in zip(wanted, place, strict=True)]
        counts = np.array([len(each) for each in nodes])
        return Batch(
            graphs=graphs,
            nodes=torch.from_numpy(np.concatenate(nodes)),
            target_of_node=torch.from_numpy(np.repeat(np.arange(len(wanted)), counts)),
            mu=torch.from_numpy(targets.mu[wanted]),
            computed=torch.from_numpy(targets.computed[wanted]),
            weight=torch.from_numpy(targets.weight[wanted]),
        )


@dataclass(frozen=True, eq=False)
class Batch:
    """Graphs and targets side by side.

    Attributes:
        graphs: the graphs.
        nodes: (S,) the nodes that are wanted.
        target_of_node: (S,) the target each of them belongs to.
        mu: (T, P) targets.
        computed: (T, P) 1 where they were computed.
        weight: (T, P) weights in the loss.
    """

    graphs: GraphBatch
    nodes: Tensor
    target_of_node: Tensor
    mu: Tensor
    computed: Tensor
    weight: Tensor

    def pool(self, spectra: Tensor) -> Tensor:
        """Average (S, P) spectra of nodes to (T, P) spectra of targets."""
        return pool(spectra, self.target_of_node, len(self.mu))


def pool(spectra: Tensor, group: Tensor, n_groups: int) -> Tensor:
    """Return the (n_groups, P) means of (S, P) spectra over equal group numbers (S,)."""
    total = spectra.new_zeros(n_groups, spectra.shape[1]).index_add_(0, group, spectra)
    count = torch.bincount(group, minlength=n_groups).to(spectra.dtype)
    return total / count[:, None]


def build_dataset(
    records: Sequence[Record], grids: Mapping[str, EnergyGrid], config: ModelConfig
) -> Dataset:
    """Build the graphs of all crystals and put all spectra onto their grids.

    A network without plane waves gives all atoms of an orbit one answer, so its graphs have one
    node per orbit.
    """
    place: dict[int, int] = {}
    materials: list[Material] = []
    for record in records:
        if id(record.material) not in place:
            place[id(record.material)] = len(materials)
            materials.append(record.material)
    graphs, nodes_of_site = [], []
    for material in materials:
        graph, nodes = site_graph(material, config)
        graphs.append(graph)
        nodes_of_site.append(nodes)
    crystal = np.array([place[id(record.material)] for record in records])
    nodes = [nodes_of_site[c][r.site] for c, r in zip(crystal, records, strict=True)]
    mu, computed = on_grids(records, grids, config.n_outputs)
    before = np.cumsum(computed, axis=1) == 0
    return Dataset(
        graphs,
        Targets(
            crystal=crystal,
            nodes=nodes,
            mu=mu,
            computed=computed,
            weight=computed + LEFT_WEIGHT * before.astype(np.float32),
            certain=np.array([record.site_certain for record in records]),
            numbers=np.array([r.material.cell.numbers[r.site] for r in records]),
        ),
    )


def site_graph(
    material: Material, config: ModelConfig
) -> tuple[CrystalGraph, list[NDArray[np.int64]]]:
    """Return a crystal's graph and, for each of its sites, the nodes that stand for it."""
    if config.cell == "as_given":
        each = np.arange(len(material.cell.numbers))
        return crystal_graph(material.cell), [each[n : n + 1] for n in each]
    found = canonical_cell(material.cell)
    if not config.wave_numbers:
        graph = crystal_graph(found.cell, found.orbit_of_atom)
        return graph, [found.orbit_of_site[n : n + 1] for n in range(len(found.orbit_of_site))]
    orbits = [
        np.flatnonzero(found.orbit_of_atom == n) for n in range(found.orbit_of_atom.max() + 1)
    ]
    return crystal_graph(found.cell), [orbits[n] for n in found.orbit_of_site]


def on_grids(
    records: Sequence[Record], grids: Mapping[str, EnergyGrid], n_points: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return (T, P) spectra on their grids and 1 where they were computed, 0 elsewhere.

    Before the first computed point stands its value, after the last one 0.
    """
    mu = np.zeros((len(records), n_points), dtype=np.float32)
    computed = np.zeros_like(mu)
    for row, record in enumerate(records):
        values = resample(record.energy, record.mu, grids[record.element].energies)
        known = np.flatnonzero(np.isfinite(values))
        if not len(known):
            raise DatasetError(
                f"{record.spectrum_id} has no point between the energies of the {record.element} "
                "grid; check its energy scale"
            )
        mu[row, known] = values[known]
        mu[row, : known[0]] = values[known[0]]
        computed[row, known] = 1
    return mu, computed

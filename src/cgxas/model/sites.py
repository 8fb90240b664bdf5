"""The sites of crystals as a model sees them: the values that pass from networks to answers."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from torch import Tensor

from cgxas.crystals.canonical import Cell
from cgxas.crystals.graph import SiteGraph
from cgxas.physics.surroundings import surroundings
from cgxas.spectra.axis import continued
from cgxas.typing import FloatArray, IntArray

if TYPE_CHECKING:
    from cgxas.crystals.canonical import Cell

Item = TypeVar("Item")

_AROUND, _FINE = 40.0, 0.25  # eV beyond the ends of a curve, and between its points


@dataclass(frozen=True, eq=False)
class EmbeddedCrystal:
    """A crystal's graph and what the network makes of it.

    Attributes:
        graph: the graph, and which nodes stand for which site.
        vectors: (N, H) vector of each node, on the CPU.
    """

    graph: SiteGraph
    vectors: Tensor


@dataclass(frozen=True, eq=False)
class AbsorberSites:
    """The absorbing sites of one crystal, (S,) of them, and what is known without a measurement.

    Attributes:
        absorber: symbol of the element.
        vectors: (S, H) their vectors in the network.
        share: (S,) weight of each in the mean that is wanted; they add up to 1.
        simulated: (S, P) the network's own spectra, as far as it has learnt.
        energies: (S, P) eV, where those stand; rows differ by a constant alone.
        start: first energy of the absorber's window, eV, from which edges are told.
        width: full width at half maximum of the core hole, eV, by which curves go on smoothly
            beyond their ends; None: they go on as they end.
        state: (S, 2) bond-valence sum, and electronegativity of the ligands.
        cell: the crystal.
        atoms: (S,) numbers of the sites in it.
        fidelity: number of the fidelity the network answered in; None for one that knows one kind.
        name: what the compound is called, if it has a name.
        described: (S, D) their surroundings, by which they are compared; None where the model
            does not.
        apart: (S, P) the network's spectra less those of the kernel beside it; None without one.
    """

    absorber: str
    vectors: Tensor
    share: FloatArray
    simulated: FloatArray
    energies: FloatArray
    start: float
    width: float | None
    state: FloatArray
    cell: Cell
    atoms: IntArray
    fidelity: int | None = None
    name: str = ""
    described: FloatArray | None = None
    apart: FloatArray | None = None

    def __len__(self) -> int:
        return len(self.share)

    @cached_property
    def surroundings(self) -> FloatArray:
        """(S, D) what surrounds the sites, `physics.surroundings`."""
        return surroundings(self.cell, self.atoms) if self.described is None else self.described

    def at(self, wanted: FloatArray) -> FloatArray:
        """Return (S, Q) the network's own spectra at any (Q,) energies, eV."""
        if self.width is None:
            own = self.energies[0]
            if np.array_equal(wanted, own):
                return self.simulated
            return np.array([np.interp(wanted, own, curve) for curve in self.simulated])
        first = self.energies[:, :1]
        points = self.energies[0] - self.energies[0, 0]
        return continued(points, self.simulated, wanted - first, self.width)

    @property
    def curves(self) -> tuple[FloatArray, FloatArray]:
        """(Q,) even energies, eV, and (S, Q) the network's own spectra there, ends included."""
        if self.width is None:
            return self.energies[0], self.simulated
        first, last = self.energies.min() - _AROUND, self.energies.max() + _AROUND
        wanted = np.arange(first, last, _FINE)
        return wanted, self.at(wanted)

    @property
    def mean(self) -> tuple[FloatArray, FloatArray]:
        """(Q,) even energies, eV, and (Q,) mean of the network's own spectra there."""
        energies, curves = self.curves
        return energies, np.asarray(self.share @ curves)


def in_batches(
    items: Iterable[Item], size: Callable[[Item], int], limit: int
) -> Iterator[list[Item]]:
    """Yield the items in order, in lists whose sizes add up to the limit, or a little more."""
    waiting: list[Item] = []
    total = 0
    for item in items:
        waiting.append(item)
        total += size(item)
        if total >= limit:
            yield waiting
            waiting, total = [], 0
    if waiting:
        yield waiting


def shares(graph: SiteGraph, sites: IntArray) -> tuple[IntArray, FloatArray]:
    """Return the nodes whose mean the spectrum of some sites is, and the share of each.

    Args:
        graph: of the crystal.
        sites: numbers of the sites that are averaged over.
    """
    nodes = [graph.nodes_of_site[site] for site in sites]
    weight = np.concatenate([np.full(len(each), 1 / (len(each) * len(sites))) for each in nodes])
    members, place = np.unique(np.concatenate(nodes), return_inverse=True)
    return members, np.asarray(np.bincount(place, weight), dtype=np.float64)

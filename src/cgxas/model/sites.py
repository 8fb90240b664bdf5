"""The sites of crystals as a model sees them: the values that pass from networks to answers."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from torch import Tensor

from cgxas.crystals.graph import SiteGraph
from cgxas.spectra.spectrum import EnergyGrid
from cgxas.typing import FloatArray, IntArray

Item = TypeVar("Item")


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
        simulated: (S, P) the network's own spectra.
        grid: energies of those.
        state: (S, 2) bond-valence sum, and electronegativity of the ligands.
        fidelity: number of the fidelity the network answered in; None for one that knows one kind.
        name: what the compound is called, if it has a name.
    """

    absorber: str
    vectors: Tensor
    share: FloatArray
    simulated: FloatArray
    grid: EnergyGrid
    state: FloatArray
    fidelity: int | None = None
    name: str = ""

    def __len__(self) -> int:
        return len(self.share)

    @property
    def mean(self) -> FloatArray:
        """(P,) mean of the network's own spectra."""
        return np.asarray(self.share @ self.simulated)


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

"""Periodic neighbours of a cell as one dense graph: geometry only, no learnt number.

Either the nearest few of each atom, as the paper's network has them, or all within the cutoff.

Every node has the same number of neighbour slots, so a network reads the graph with plain
gathers. Slots without a neighbour point to node 0 from exactly the cutoff away (SPEC section 2).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cgxas.crystals.neighbours import neighbours
from cgxas.crystals.spec import GraphSpec
from cgxas.typing import FloatArray, IntArray

if TYPE_CHECKING:
    from cgxas.crystals.canonical import Cell

_TIE = 1e-5
# Rounds fractional products; a prime, so that the simple fractions of special positions never
# lie on a rounding boundary.
_FRACTION_STEPS = 9973


@dataclass(frozen=True, eq=False)
class CrystalGraph:
    """Atoms and their nearest periodic neighbours, K slots for each.

    Attributes:
        cutoff: largest neighbour distance, Angstrom.
        lattice: (3, 3) cell vectors as rows, Angstrom.
        numbers: (N,) atomic number of each node.
        neighbour_index: (N, K) int32, the node at the other end of each edge.
        neighbour_image: (N, K, 3) int32, the lattice translation of that neighbour.
        neighbour_vector: (N, K, 3) r_j - r_i, Angstrom; (cutoff, 0, 0) in empty slots.
        distance: (N, K) length of that vector, Angstrom; the cutoff in empty slots.
        multiplicity: (N,) how many atoms of the cell a node stands for.
    """

    cutoff: float
    lattice: NDArray[np.float64]
    numbers: NDArray[np.int64]
    neighbour_index: NDArray[np.int32]
    neighbour_image: NDArray[np.int32]
    neighbour_vector: NDArray[np.float64]
    distance: NDArray[np.float64]
    multiplicity: NDArray[np.int64]

    @property
    def fractional(self) -> NDArray[np.float64]:
        """(N, K, 3) edge vectors in units of the cell vectors."""
        return self.neighbour_vector @ np.linalg.inv(self.lattice)

    @property
    def volume(self) -> float:
        """Volume of the cell, cubic Angstrom."""
        return float(abs(np.linalg.det(self.lattice)))


class Settled(Protocol):
    """What a graph is built from: a cell, and which of its atoms a site of the caller is."""

    @property
    def cell(self) -> "Cell":
        """The cell the crystal is computed in, N atoms."""

    @property
    def orbit_of_atom(self) -> IntArray:
        """(N,) number of the set of equivalent atoms each atom of the cell belongs to."""

    @property
    def orbit_of_site(self) -> IntArray:
        """(M,) that of each of the caller's sites."""


@dataclass(frozen=True, eq=False)
class SiteGraph:
    """A crystal's graph, and which of its nodes stand for which site.

    Attributes:
        graph: the graph.
        nodes_of_site: for each of the caller's sites, the nodes whose mean it is.
        cell: the cell it was built of.
        atom_of_node: (N,) number in the cell of the atom, or of one of those, a node stands for.
    """

    graph: CrystalGraph
    nodes_of_site: Sequence[IntArray]
    cell: "Cell"
    atom_of_node: IntArray

    def __len__(self) -> int:
        return len(self.graph.numbers)


def graph_of(crystal: Settled, spec: GraphSpec) -> SiteGraph:
    """Build the graph of a crystal by a recipe: the one way from a crystal to a network.

    Args:
        crystal: a crystal whose cell was settled by the same recipe.
        spec: the recipe.
    """
    cell, orbits = crystal.cell, crystal.orbit_of_atom
    if spec.per_orbit:
        graph = crystal_graph(cell, spec, orbits)
        nodes_of_site = [orbit[None] for orbit in crystal.orbit_of_site]
        return SiteGraph(graph, nodes_of_site, cell, np.unique(orbits, return_index=True)[1])
    graph = crystal_graph(cell, spec)
    nodes = [np.flatnonzero(orbits == orbit) for orbit in range(int(orbits.max()) + 1)]
    nodes_of_site = [nodes[orbit] for orbit in crystal.orbit_of_site]
    return SiteGraph(graph, nodes_of_site, cell, np.arange(len(cell.numbers)))


def crystal_graph(
    cell: "Cell", spec: GraphSpec, orbits: NDArray[np.int64] | None = None
) -> CrystalGraph:
    """Build the graph of the neighbours within the cutoff: the nearest ones, or all of them.

    Ties at the last place are settled by what does not depend on the order of the atoms nor on
    the cell: heavier neighbour first, then the neighbour's own surroundings, then its direction
    in the canonical cell.

    Args:
        cell: the cell; atoms may lie outside of it.
        spec: how many neighbours, and how far.
        orbits: (N,) number of the set of equivalent atoms each atom belongs to, 0 to K - 1. If
            given, the graph has one node per orbit instead of one per atom: the same answer from
            a network that sees distances only, at a fraction of the cost.
    """
    node_of_atom = np.arange(len(cell.numbers)) if orbits is None else orbits
    _, atom_of_node = np.unique(node_of_atom, return_index=True)
    if not spec.neighbours:
        return _with_all(cell, spec, atom_of_node, node_of_atom)
    centre, other, image, distance = _pairs(cell, atom_of_node, spec.cutoff)
    strength = cell.numbers[other] * (1 - distance / spec.cutoff) ** 2
    around = np.bincount(centre, strength, len(atom_of_node)).astype(np.float64)
    near = _nearest_shells(centre, distance, len(atom_of_node), spec.neighbours)
    centre, other, image, distance = centre[near], other[near], image[near], distance[near]
    vector = cell.cart[other] + image @ cell.lattice - cell.cart[atom_of_node[centre]]
    order = np.lexsort(
        (
            *_direction_keys(vector @ np.linalg.inv(cell.lattice)),
            -_ranks(around)[node_of_atom[other]],
            -cell.numbers[other],
            _shell_numbers(centre, distance),
            centre,
        )
    )
    slot = _position_in_group(centre[order])
    kept = slot < spec.neighbours
    order, slot = order[kept], slot[kept]
    return _filled(
        cell,
        spec,
        atom_of_node,
        np.bincount(node_of_atom),
        spec.neighbours,
        (centre[order], slot),
        (node_of_atom[other[order]], image[order], vector[order]),
    )


def _with_all(
    cell: "Cell", spec: GraphSpec, atom_of_node: IntArray, node_of_atom: IntArray
) -> CrystalGraph:
    """Build the graph of all neighbours, as many slots as the most crowded node needs."""
    near = neighbours(cell, atom_of_node, spec.cutoff)
    slot = _position_in_group(near.centre)
    return _filled(
        cell,
        spec,
        atom_of_node,
        np.bincount(node_of_atom),
        int(slot.max(initial=0)) + 1,
        (near.centre, slot),
        (node_of_atom[near.atom], near.image, near.vector),
    )


def _pairs(
    cell: "Cell", centres: NDArray[np.int64], cutoff: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Return node, atom, image and distance of all pairs within the cutoff, sorted by distance."""
    # Here and not above: a machine that only trains has no pymatgen.
    from pymatgen.optimization.neighbors import find_points_in_spheres

    cart = np.ascontiguousarray(cell.cart)
    centre, other, image, distance = find_points_in_spheres(
        cart,
        np.ascontiguousarray(cart[centres]),
        cutoff,
        np.ones(3, dtype=np.int64),
        np.ascontiguousarray(cell.lattice),
        1e-8,
    )
    # The float32 distance decides, as in the authors' code (SPEC section 2: d >= cutoff is out).
    bond = (distance > 1e-8) & (distance.astype(np.float32) < np.float32(cutoff))
    order = np.flatnonzero(bond)
    order = order[np.lexsort((distance[order], centre[order]))]
    return centre[order], other[order], image[order], distance[order]


def _position_in_group(sorted_groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the running number 0, 1, ... of each entry within its run of equal values."""
    starts = np.searchsorted(sorted_groups, sorted_groups, side="left")
    return np.arange(len(sorted_groups)) - starts


def _nearest_shells(
    centre: NDArray[np.int64], distance: NDArray[np.float64], n_nodes: int, count: int
) -> NDArray[np.bool_]:
    """Mark the pairs up to the last that counts of each node, and whatever ties with it."""
    last = np.full(n_nodes, np.inf)
    final = _position_in_group(centre) == count - 1
    last[centre[final]] = distance[final]
    return distance <= last[centre] + _TIE


def _shell_numbers(centre: NDArray[np.int64], distance: NDArray[np.float64]) -> NDArray[np.int64]:
    """Number the shells of equal distance (pairs sorted by node, then distance)."""
    new = (np.diff(distance, prepend=-1.0) > _TIE) | (np.diff(centre, prepend=-1) != 0)
    return np.cumsum(new)


def _ranks(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the rank of each value, equal values (within 1e-6 relative) sharing one."""
    order = np.argsort(values)
    steps = np.diff(values[order], prepend=values[order[:1]]) > 1e-6 * np.abs(values[order])
    ranks = np.empty(len(values), dtype=np.int64)
    ranks[order] = np.cumsum(steps)
    return ranks


def _direction_keys(fractional: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Return sorting keys of directions, least important first.

    The even products come first: they agree for a direction and its opposite, as plane waves do,
    so that a crystal and its mirror image order their neighbours alike.
    """
    a, b, c = fractional.T
    keys = [c, b, a, b * c, a * c, a * b, c * c, b * b, a * a]
    return [np.round(key * _FRACTION_STEPS) for key in keys]


def _filled(
    cell: "Cell",
    spec: GraphSpec,
    atom_of_node: NDArray[np.int64],
    multiplicity: NDArray[np.int64],
    n_slots: int,
    where: tuple[NDArray[np.int64], NDArray[np.int64]],
    edges: tuple[NDArray[np.int64], NDArray[np.integer[Any]] | NDArray[np.float64], FloatArray],
) -> CrystalGraph:
    """Lay the edges into dense slots, padding the empty ones."""
    slots = (len(atom_of_node), n_slots)
    index = np.zeros(slots, dtype=np.int32)
    image = np.zeros((*slots, 3), dtype=np.int32)
    vector = np.tile([spec.cutoff, 0.0, 0.0], (*slots, 1))
    index[where], image[where], vector[where] = edges
    return CrystalGraph(
        cutoff=spec.cutoff,
        lattice=cell.lattice,
        numbers=cell.numbers[atom_of_node],
        neighbour_index=index,
        neighbour_image=image,
        neighbour_vector=vector,
        distance=np.linalg.norm(vector, axis=-1),
        multiplicity=multiplicity,
    )

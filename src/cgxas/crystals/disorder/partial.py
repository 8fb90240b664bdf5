"""The canonical primitive cell of a disordered crystal, and which places exclude each other."""

from dataclasses import dataclass
from functools import cache, cached_property
from itertools import product

import numpy as np
from numpy.typing import NDArray
from pymatgen.core.structure import Structure
from pymatgen.optimization.neighbors import find_points_in_spheres

from cgxas.crystals.canonical import Cell, canonical_cell
from cgxas.crystals.disorder.occupancy import FULL, Occupancy, occupancies
from cgxas.elements import MAX_ATOMIC_NUMBER
from cgxas.typing import FloatArray, IntArray

NEAR = 0.65
"""Two atoms, one of a partly empty site, cannot be nearer than this part of the sum of their
covalent radii; the shortest bonds there are, such as U=O 1.75 A, lie above it."""

NEAR_HYDROGEN, NEAR_OTHER, NEAR_OXYGEN = 0.6, 1.0, 1.4
"""Least distances, Angstrom: of hydrogen to another atom (X-rays find O-H at 0.8), of two others
(N-N is 1.10), and of two O or F (O-O is 1.45)."""

NEAR_HYDROGENS = 0.9
"""Least distance of two hydrogen atoms, Angstrom: those of ice are 0.8 apart, and one is empty."""

_STEPS = 10_000  # coordinates that agree to so many parts of the cell are the same
_MOST_WORK = 2_000_000  # coordinates compared; of larger cells fewer origins are tried
_OFFSET = 0.2718  # so that no coordinate of few digits lies between two steps


@dataclass(frozen=True, eq=False)
class PartialCell:
    """The canonical primitive cell of a disordered crystal, the same for every description.

    Attributes:
        lattice: (3, 3) cell vectors as rows, Angstrom.
        frac: (N, 3) fractional coordinates of the places.
        kind_of_place: (N,) number of what each place holds.
        kinds: what places of each kind hold.
        orbit_of_place: (N,) orbit number, 0 to K - 1, of each place.
        orbit_of_site: (M,) orbit number of each of the caller's sites.
    """

    lattice: FloatArray
    frac: FloatArray
    kind_of_place: IntArray
    kinds: tuple[Occupancy, ...]
    orbit_of_place: IntArray
    orbit_of_site: IntArray

    def __len__(self) -> int:
        return len(self.frac)

    @property
    def total(self) -> FloatArray:
        """(N,) how much of each place is taken, 0 to 1."""
        return np.array([self.kinds[kind].total for kind in self.kind_of_place])

    @cached_property
    def amounts(self) -> dict[int, float]:
        """Atomic number -> atoms in the cell, as the file states them."""
        found: dict[int, float] = {}
        for kind in self.kind_of_place:
            for z, share in zip(self.kinds[kind].elements, self.kinds[kind].shares, strict=True):
                found[z] = found.get(z, 0.0) + share
        return found

    @property
    def places_of_kinds(self) -> IntArray:
        """Number of places of each kind."""
        return np.asarray(np.bincount(self.kind_of_place, minlength=len(self.kinds)))


def partial_cell(structure: Structure, symprec: float) -> PartialCell:
    """Return the canonical primitive cell of a disordered crystal, its places in a fixed order.

    The order depends on the crystal alone, up to its own symmetry, so that what is chosen by it
    does not depend on how the crystal is described.

    Args:
        structure: the crystal in the caller's order.
        symprec: distance in Angstrom below which sites count as symmetry-equivalent.
    """
    held = occupancies(structure)
    kinds = sorted(set(held), key=lambda each: (each.elements, each.shares))
    number = {kind: n for n, kind in enumerate(kinds)}
    lattice = np.array(structure.lattice.matrix, dtype=np.float64)
    frac = np.array(structure.frac_coords, dtype=np.float64)
    # Kinds stand where elements do: a site is equivalent to another that holds the same.
    numbers = np.array([number[each] + 1 for each in held], dtype=np.int64)
    found = canonical_cell(Cell(lattice, frac, numbers), symprec)
    cell = found.cell
    order, origin, sign = _canonical_order(cell)
    frac = sign * (cell.frac[order] - cell.frac[origin])
    return PartialCell(
        # Inverted twice where the coordinates are: the crystal keeps its handedness.
        lattice=sign * cell.lattice,
        frac=frac - np.floor(frac + _OFFSET / _STEPS),
        kind_of_place=cell.numbers[order] - 1,
        kinds=tuple(kinds),
        orbit_of_place=found.orbit_of_atom[order],
        orbit_of_site=found.orbit_of_site,
    )


def _canonical_order(cell: Cell) -> tuple[IntArray, int, int]:
    """Return the order of the atoms by kind and place, the atom at the origin, and a sign.

    The canonical cell settles the basis up to symmetry and inversion, but neither the origin nor
    the order of the atoms. Each atom of the rarest kind is tried as origin, both ways round; the
    first of all lists of coordinates counts.
    """
    kinds, counts = np.unique(cell.numbers, return_counts=True)
    origins = np.flatnonzero(cell.numbers == kinds[np.argmin(counts)])
    tried = origins[: max(1, _MOST_WORK // len(cell.numbers))]
    first: tuple[list[int], list[int], int, int] | None = None
    for origin, sign in product(tried.tolist(), (1, -1)):
        steps = sign * (cell.frac - cell.frac[origin]) * _STEPS
        place = np.floor(steps + _OFFSET).astype(int) % _STEPS
        order = np.lexsort((*place.T[::-1], cell.numbers))
        found = place[order].ravel().tolist(), order.tolist(), origin, sign
        first = found if first is None else min(first, found)
    assert first is not None  # a crystal has atoms
    return np.array(first[1], dtype=np.int64), first[2], first[3]


@dataclass(frozen=True, eq=False)
class Crowding:
    """Pairs of places, at least one of them partly empty, that may be too near for two atoms.

    Attributes:
        n_places: number of places, N.
        first: (P,) one place of each pair; each pair stands here both ways round.
        second: (P,) the other.
        distance: (P,) from one to the other, Angstrom.
    """

    n_places: int
    first: IntArray
    second: IntArray
    distance: FloatArray

    def crowded(self, numbers: IntArray) -> IntArray:
        """Return the places, ascending, whose atoms are too near to others.

        Args:
            numbers: (N,) atomic numbers on all places, 0 where there is none.
        """
        clash = self.distance < least_distances()[numbers[self.first], numbers[self.second]]
        return np.unique(self.first[clash])

    def rivals(self, number: int, numbers: IntArray) -> IntArray:
        """Return (N,) how many atoms would be too near to one of a kind on each of the places.

        Args:
            number: its atomic number.
            numbers: (N,) atomic numbers on all places, 0 where there is none.
        """
        clash = self._clash(number, numbers)
        return np.asarray(np.bincount(self.first[clash], minlength=self.n_places))

    def rivals_of(self, place: int, number: int, numbers: IntArray) -> IntArray:
        """Return the places whose atoms are too near to one that would stand on a place."""
        return np.asarray(self.second[(self.first == place) & self._clash(number, numbers)])

    def _clash(self, number: int, numbers: IntArray) -> NDArray[np.bool_]:
        return np.asarray(self.distance < least_distances()[number, numbers[self.second]])


def crowding(lattice: FloatArray, frac: FloatArray, total: FloatArray) -> Crowding:
    """Find the pairs of places that may be too near for two atoms.

    Args:
        lattice: (3, 3) cell vectors as rows, Angstrom.
        frac: (N, 3) fractional coordinates.
        total: (N,) how much of each place is taken; two whole ones are no pair.
    """
    cart = np.ascontiguousarray(frac @ lattice)
    first, second, _, distance = find_points_in_spheres(
        cart,
        cart,
        float(least_distances().max()),
        np.ones(3, dtype=np.int64),
        np.ascontiguousarray(lattice),
        1e-8,
    )
    pair = (first != second) & ((total[first] < FULL) | (total[second] < FULL))
    return Crowding(len(cart), first[pair], second[pair], distance[pair])


@cache
def least_distances() -> FloatArray:
    """Return (104, 104) how near, in Angstrom, atoms can be at all, by atomic numbers.

    It is 0 where one number is 0, no atom. The radii are those of Cordero et al.,
    doi:10.1039/b801115j.
    """
    from ase.data import covalent_radii

    radii = np.asarray(covalent_radii[: MAX_ATOMIC_NUMBER + 1], dtype=np.float64)
    least = np.maximum(NEAR * np.add.outer(radii, radii), NEAR_OTHER)
    least[8:10, 8:10] = NEAR_OXYGEN
    least[1, :] = least[:, 1] = NEAR_HYDROGEN
    least[1, 1] = NEAR_HYDROGENS
    least[0, :] = least[:, 0] = 0.0
    least.flags.writeable = False
    return least

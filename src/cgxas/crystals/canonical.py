"""One canonical primitive cell for every description of a crystal.

The plane waves of the network depend on the cell that describes the crystal (SPEC section 3), so
the cell must depend on the crystal alone. It is found in three steps: spglib's idealised
standard cell (Togo et al., doi:10.1080/27660400.2024.2384822) and its primitive lattice; the
Niggli reduction of that lattice (Krivy & Gruber, doi:10.1107/S0567739476000636); and, where the
lattice is more symmetric than the crystal, a choice among the equivalent reduced bases by the
crystal's own plane-wave sums. What freedom is left is a symmetry of the crystal, under which the
mean over an orbit of equivalent atoms does not change.
"""

import os
from dataclasses import dataclass
from itertools import permutations, product
from typing import Any

import numpy as np
import spglib
from numpy.typing import NDArray
from pymatgen.optimization.neighbors import find_points_in_spheres

from cgxas.crystals.spec import GraphSpec
from cgxas.errors import InvalidCell
from cgxas.limits import CELL_EDGE

# spglib writes to stderr whenever it has to try again with a smaller tolerance.
os.environ.setdefault("SPGLIB_WARNING", "OFF")

_LEAST_VOLUME = 0.5  # A^3 of an atom; the densest crystal, diamond, has 5.7
_SAME_PLACE = 10.0  # in units of the tolerance
_FINGERPRINT_RADIUS = 5.0
_FINGERPRINT_TOLERANCE = 1e-9
# Three different numbers in every order: with fewer, a cubic crystal without fourfold axes (P2_13)
# shows the same sums in the two settings that such an axis would exchange.
_FINGERPRINT_WAVES = np.array(
    [
        np.array(order) * (1, *signs) / 8
        for order, signs in product(permutations((1, 2, 3)), product((-1, 1), repeat=2))
    ]
)

# Columns of (a_p, b_p, c_p) = (a, b, c) P for each lattice centring.
_CENTRING = {
    "P": np.eye(3),
    "A": np.array([[2, 0, 0], [0, 1, -1], [0, 1, 1]]) / 2,
    "C": np.array([[1, 1, 0], [-1, 1, 0], [0, 0, 2]]) / 2,
    "R": np.array([[2, -1, -1], [1, 1, -2], [1, 1, 1]]) / 3,
    "I": np.array([[-1, 1, 1], [1, -1, 1], [1, 1, -1]]) / 2,
    "F": np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]]) / 2,
}


@dataclass(frozen=True, eq=False)
class Cell:
    """A periodic cell.

    Attributes:
        lattice: (3, 3) cell vectors as rows, Angstrom.
        frac: (N, 3) fractional coordinates.
        numbers: (N,) atomic numbers.
    """

    lattice: NDArray[np.float64]
    frac: NDArray[np.float64]
    numbers: NDArray[np.int64]

    def refuse_impossible(self) -> None:
        """Refuse a cell in which neighbours cannot be looked for: flat, endless, or far too full.

        Raises:
            InvalidCell: a number is not finite, or the cell has no volume for its atoms.
        """
        if not (np.isfinite(self.lattice).all() and np.isfinite(self.frac).all()):
            raise InvalidCell("lattice and coordinates must be finite")
        longest = float(np.abs(self.lattice).max())
        CELL_EDGE.refuse_beyond(longest, "a cell vector is at least", InvalidCell)
        volume = abs(float(np.linalg.det(self.lattice)))
        if volume < _LEAST_VOLUME * len(self.numbers):
            raise InvalidCell(
                f"the cell has no volume for its atoms: {volume:.3g} A^3 for {len(self.numbers)}; "
                "check its vectors and their unit, Angstrom"
            )

    @property
    def cart(self) -> NDArray[np.float64]:
        """(N, 3) Cartesian coordinates, Angstrom."""
        return self.frac @ self.lattice

    @property
    def volume(self) -> float:
        """Volume in cubic Angstrom."""
        return float(abs(np.linalg.det(self.lattice)))


@dataclass(frozen=True, eq=False)
class SettledCell:
    """The cell a crystal is computed in, and how the caller's sites map to it.

    Attributes:
        cell: the cell, N atoms.
        orbit_of_atom: (N,) orbit number, 0 to K - 1, of each atom of the cell.
        orbit_of_site: (M,) orbit number of each of the caller's sites.
    """

    cell: Cell
    orbit_of_atom: NDArray[np.int64]
    orbit_of_site: NDArray[np.int64]


def settled_cell(given: Cell, spec: GraphSpec) -> SettledCell:
    """Return the cell that a recipe asks for: the given one, or the canonical primitive cell."""
    if spec.cell == "as_given":
        return each_on_its_own(given)
    if spec.cell == "equivalents":
        return with_equivalents(given, spec.symprec)
    return canonical_cell(given, spec.symprec)


def each_on_its_own(given: Cell) -> SettledCell:
    """Return the cell as it is, in which no atom is known to be equivalent to another."""
    each = np.arange(len(given.numbers))
    return SettledCell(given, each, each)


def with_equivalents(given: Cell, symprec: float) -> SettledCell:
    """Return the cell as it is, and which of its atoms are equivalent; no atom is moved.

    Args:
        given: the crystal.
        symprec: distance in Angstrom below which atoms count as symmetry-equivalent.
    """
    described: Any = (given.lattice, given.frac, given.numbers)
    dataset = spglib.get_symmetry_dataset(described, symprec)
    if dataset is None:
        return each_on_its_own(given)
    _, orbits = np.unique(dataset.crystallographic_orbits, return_inverse=True)
    return SettledCell(given, orbits, orbits)


def canonical_cell(given: Cell, symprec: float) -> SettledCell:
    """Return the canonical primitive cell of a crystal in any description.

    A crystal in which spglib finds no symmetry at all within the tolerance is Niggli-reduced as it
    is.

    Args:
        given: the crystal.
        symprec: distance in Angstrom below which atoms count as symmetry-equivalent.
    """
    # Where atoms lie near the limit of the tolerance, what spglib finds depends on their order.
    order = _by_surroundings(given)
    found = _canonical(Cell(given.lattice, given.frac[order], given.numbers[order]), symprec)
    orbit_of_site = np.empty_like(found.orbit_of_site)
    orbit_of_site[order] = found.orbit_of_site
    return SettledCell(found.cell, found.orbit_of_atom, orbit_of_site)


def _by_surroundings(cell: Cell) -> NDArray[np.intp]:
    """Return an order of the atoms that depends on their elements and surroundings alone."""
    centre, other, _, distance = _bonds(cell.lattice, cell.cart)
    strength = cell.numbers[other] * (1 - distance / _FINGERPRINT_RADIUS) ** 2
    around = np.bincount(centre, strength, len(cell.numbers))
    return np.lexsort((np.round(around / _FINGERPRINT_TOLERANCE), cell.numbers))


def _canonical(given: Cell, symprec: float) -> SettledCell:
    # Any: spglib's annotations know lists only, its functions take arrays.
    described: Any = (given.lattice, given.frac, given.numbers)
    dataset = spglib.get_symmetry_dataset(described, symprec)
    if dataset is None:
        each = np.arange(len(given.numbers))
        reduced = _reduced(given.lattice, given.cart, given.numbers, 1, symprec)
        return SettledCell(reduced, each, each)
    _, orbit_of_site = np.unique(dataset.crystallographic_orbits, return_inverse=True)
    # Atoms of the primitive cell: one standard atom for each label that spglib shares between
    # the standard cell and the caller's.
    _, first = np.unique(dataset.std_mapping_to_primitive, return_index=True)
    _, any_site = np.unique(dataset.mapping_to_primitive, return_index=True)
    orbit_of_atom = orbit_of_site[any_site]
    # Of the space group, not of the caller's cell: a supercell has fewer.
    operations: Any = spglib.get_symmetry_from_database(dataset.hall_number)
    lattice = _standard_lattice(dataset, given, operations["rotations"])
    near = _SAME_PLACE * symprec
    frac = _symmetrised(dataset, given, operations, orbit_of_site, (first, orbit_of_atom), near)
    cell = _reduced(
        _CENTRING[dataset.international[0]].T @ lattice,
        frac @ lattice,
        np.asarray(dataset.std_types, dtype=np.int64)[first],
        _laue_rotations(operations["rotations"]),
        symprec,
    )
    return SettledCell(cell, orbit_of_atom, orbit_of_site)


def _standard_lattice(
    dataset: Any, given: Cell, rotations: NDArray[np.intc]
) -> NDArray[np.float64]:
    """Return the standard cell vectors, averaged over the point group.

    spglib takes the length of one of several equivalent axes, so with rounded cell vectors its
    result depends on which axis comes first; the mean over all operations does not.
    """
    vectors = np.linalg.inv(dataset.transformation_matrix).T @ given.lattice
    metric = vectors @ vectors.T
    averaged = np.einsum("oji,jk,okl->il", rotations, metric, rotations) / len(rotations)
    return np.linalg.cholesky(averaged)


def _symmetrised(
    dataset: Any,
    given: Cell,
    operations: Any,
    orbit_of_site: NDArray[np.int64],
    primitive: tuple[NDArray[np.intp], NDArray[np.int64]],
    same_place: float,
) -> NDArray[np.float64]:
    """Return (N, 3) standard fractional coordinates, averaged over the whole space group.

    spglib symmetrises one atom of each orbit, so its result depends on the order of the atoms
    when the coordinates are rounded; the mean over all atoms and operations does not.
    """
    first, orbit_of_atom = primitive
    sites = given.frac @ dataset.transformation_matrix.T + dataset.origin_shift
    near = np.asarray(dataset.std_positions)[first]
    averaged = np.empty_like(near)
    for orbit in range(orbit_of_atom.max() + 1):
        atoms = np.flatnonzero(orbit_of_atom == orbit)
        images = np.einsum("oij,nj->oni", operations["rotations"], sites[orbit_of_site == orbit])
        images = (images + operations["translations"][:, None]).reshape(-1, 3)
        for atom in atoms:
            offset = images - near[atom]
            offset -= np.round(offset)
            close = np.linalg.norm(offset @ dataset.std_lattice, axis=1) < same_place
            averaged[atom] = near[atom] + offset[close].mean(axis=0)
    return averaged


def _laue_rotations(rotations: NDArray[np.intc]) -> int:
    """Count the proper rotations of the crystal's Laue group."""
    proper = rotations * np.round(np.linalg.det(rotations)).astype(int)[:, None, None]
    return len(np.unique(proper.reshape(-1, 9), axis=0))


def _reduced(
    lattice: NDArray[np.float64],
    cart: NDArray[np.float64],
    numbers: NDArray[np.int64],
    n_laue: int,
    symprec: float,
) -> Cell:
    """Niggli-reduce the lattice, make it right-handed, and settle which basis is meant."""
    reduced = spglib.niggli_reduce(lattice)
    if reduced is None:
        reduced = lattice
    reduced = reduced * np.sign(np.linalg.det(reduced))
    bases = _equivalent_bases(reduced, symprec)
    if len(bases) > n_laue:
        reduced = bases[_distinguished(bases, lattice, cart, numbers)]
    frac = cart @ np.linalg.inv(reduced)
    return Cell(reduced, frac - np.floor(frac + 1e-9), numbers)


def _equivalent_bases(lattice: NDArray[np.float64], symprec: float) -> NDArray[np.float64]:
    """Return (B, 3, 3): the right-handed bases of a lattice that have the same metric."""
    empty: Any = (lattice, [[0.0, 0.0, 0.0]], [1])
    symmetry = spglib.get_symmetry(empty, symprec)
    if symmetry is None:
        return lattice[None]
    rotations = symmetry["rotations"]
    proper = rotations[np.linalg.det(rotations) > 0]
    return np.asarray(np.swapaxes(proper, 1, 2) @ lattice)


def _distinguished(
    bases: NDArray[np.float64],
    lattice: NDArray[np.float64],
    cart: NDArray[np.float64],
    numbers: NDArray[np.int64],
) -> int:
    """Return which basis has the largest plane-wave sums, one wave after the other."""
    centre, other, image, distance = _bonds(lattice, cart)
    vectors = cart[other] + image @ lattice - cart[centre]
    strength = numbers[other] * (1 - distance / _FINGERPRINT_RADIUS) ** 2
    left = np.arange(len(bases))
    for wave in _FINGERPRINT_WAVES:
        sums = []
        for basis in bases[left]:
            cosines = np.cos(2 * np.pi * (vectors @ (np.linalg.inv(basis) @ wave)))
            site = np.bincount(centre, strength * cosines, len(numbers))
            # Squared, so that what two atoms show in different directions does not cancel.
            sums.append(numbers @ site**2)
        left = left[_largest(np.array(sums))]
        if len(left) == 1:
            break
    return int(left[0])


def _bonds(
    lattice: NDArray[np.float64], cart: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Return atom, neighbour, image and distance of all pairs within the fingerprint's radius."""
    points = np.ascontiguousarray(cart)
    periodic = np.ones(3, dtype=np.int64)
    pairs = find_points_in_spheres(
        points, points, _FINGERPRINT_RADIUS, periodic, np.ascontiguousarray(lattice), 1e-8
    )
    centre, other, image, distance = pairs
    bond = distance > 1e-8
    return centre[bond], other[bond], image[bond], distance[bond]


def first_of_largest(rows: NDArray[np.float64]) -> int:
    """Return the lexicographically largest row's index, equal within a relative 1e-9."""
    left = np.arange(len(rows))
    for column in rows.T:
        left = left[_largest(column[left])]
    return int(left[0])


def _largest(values: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the places of all values that equal the largest within a relative 1e-9."""
    tolerance = _FINGERPRINT_TOLERANCE * max(float(np.abs(values).max()), 1.0)
    return np.flatnonzero(values >= values.max() - tolerance)

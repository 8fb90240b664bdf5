"""The one place where a crystal's cell is chosen and its sites are numbered."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from os import PathLike
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pymatgen.core.structure import Structure
from pymatgen.optimization.neighbors import find_points_in_spheres

from cgxas.arguments import as_list, as_whole_number
from cgxas.crystals.canonical import Cell, SettledCell, settled_cell
from cgxas.crystals.io.read import read_crystal
from cgxas.crystals.molecules import equivalent_atoms
from cgxas.crystals.spec import GraphSpec
from cgxas.elements import MAX_ATOMIC_NUMBER, SYMBOLS, atomic_number
from cgxas.errors import AbsorberNotInCrystal, CrystalError, InvalidSites, OverlappingAtoms

if TYPE_CHECKING:
    from ase import Atoms
    from pymatgen.core.structure import Molecule

MIN_DISTANCE = 0.5
"""Atoms nearer than this (Angstrom) stand at one place; the shortest bond, H-H, is 0.74."""


_MOST_BOXES = 1_000_000
"""Boxes that a cell is divided into for the search for neighbours: each takes memory."""


@dataclass(frozen=True, eq=False)
class Crystal:
    """A crystal ready for the network, and the way back to the caller's sites.

    Attributes:
        structure: what the caller gave, as a pymatgen Structure in the caller's order.
        source: where it came from (a file name), or empty.
        numbers: (M,) atomic numbers of the caller's sites.
        cell: the cell the network sees, N atoms.
        orbit_of_atom: (N,) orbit number, 0 to K - 1, of each atom of the cell.
        orbit_of_site: (M,) orbit number of each of the caller's sites.
    """

    structure: Structure = field(repr=False)
    source: str
    numbers: NDArray[np.int64] = field(repr=False)
    cell: Cell = field(repr=False)
    orbit_of_atom: NDArray[np.int64] = field(repr=False)
    orbit_of_site: NDArray[np.int64] = field(repr=False)

    @property
    def formula(self) -> str:
        """Reduced formula, as pymatgen writes it."""
        return str(self.structure.composition.reduced_formula)

    @property
    def elements(self) -> tuple[str, ...]:
        """The elements present, by atomic number."""
        return tuple(SYMBOLS[z - 1] for z in np.unique(self.numbers))

    def sites_of(self, absorber: str) -> NDArray[np.int64]:
        """Return the caller's indices of all sites of an element.

        Raises:
            UnknownElement: not a symbol.
            AbsorberNotInCrystal: no such atom.
        """
        found = np.flatnonzero(self.numbers == atomic_number(absorber))
        if not len(found):
            raise AbsorberNotInCrystal(
                f"{self.name} holds no {absorber}; it holds {', '.join(self.elements)}"
            )
        return found

    def checked_sites(self, absorber: str, sites: Sequence[int] | None) -> NDArray[np.int64]:
        """Return the wanted sites of the absorber, all of them if None.

        Raises:
            InvalidSites: an index outside the crystal, of another element, given twice, or none.
        """
        available = self.sites_of(absorber)
        return available if sites is None else checked_sites(sites, available, absorber, self.name)

    @property
    def name(self) -> str:
        """Its source, or its formula where that is empty."""
        return self.source or self.formula


def site_indices(sites: Iterable[int]) -> list[int]:
    """Return indices of atoms that a caller gave as plain numbers.

    Raises:
        InvalidSites: they are no whole numbers from 0, given twice, or none.
    """
    given = as_list(sites, object, "sites are indices of atoms, counted from 0", InvalidSites)
    found = [as_whole_number(site, 0, "a site", InvalidSites) for site in given]
    if not found or len(set(found)) < len(found):
        raise InvalidSites("sites must name at least one site, and none of them twice")
    return found


def checked_sites(
    sites: Sequence[int], available: NDArray[np.int64], absorber: str, name: str
) -> NDArray[np.int64]:
    """Return wanted sites of an absorber.

    Args:
        sites: the caller's indices.
        available: indices of the sites that hold it.
        absorber: symbol of the element.
        name: of the crystal.

    Raises:
        InvalidSites: an index outside the crystal, of another element, given twice, or none.
    """
    sites = site_indices(sites)
    wrong = [site for site in sites if site not in available]
    if wrong:
        raise InvalidSites(
            f"site {wrong[0]} of {name} is not {absorber}; its {absorber} sites are "
            + _ranges(available)
        )
    return np.asarray(sites, dtype=np.int64)


def standardise(
    crystal: "str | PathLike[str] | Structure | Molecule | Atoms",
    spec: GraphSpec = GraphSpec(),  # noqa: B008  (it is frozen)
) -> Crystal:
    """Read and check a crystal, and choose the cell it is computed in.

    Args:
        crystal: a path, pymatgen Structure or Molecule, or ASE Atoms.
        spec: the recipe that says which cell, and how near equivalent atoms must lie.

    Raises:
        CrystalError: the crystal cannot be used; the message says why.
    """
    source = str(crystal) if isinstance(crystal, str | PathLike) else ""
    return settled(read_crystal(crystal), source, spec)


def settled(structure: Structure, source: str, spec: GraphSpec) -> Crystal:
    """Check an ordered structure, and choose the cell it is computed in.

    Args:
        structure: as `read_crystal` returns it.
        source: where it came from, or empty.
        spec: the recipe that says which cell, and how near equivalent atoms must lie.

    Raises:
        CrystalError: the structure cannot be used; the message says why.
    """
    given = Cell(
        np.array(structure.lattice.matrix, dtype=np.float64),
        np.array(structure.frac_coords, dtype=np.float64),
        np.array([getattr(site.specie, "Z", 0) for site in structure], dtype=np.int64),
    )
    _refuse_strange_atoms(given, structure)
    if structure.properties.get("boxed") and spec.cell == "canonical":
        of_atom = equivalent_atoms(given.numbers, given.cart)
        found = SettledCell(given, of_atom, of_atom)
    else:
        found = settled_cell(given, spec)
    return Crystal(
        structure, source, given.numbers, found.cell, found.orbit_of_atom, found.orbit_of_site
    )


def _refuse_strange_atoms(cell: Cell, structure: Structure) -> None:
    strange = np.flatnonzero((cell.numbers < 1) | (cell.numbers > MAX_ATOMIC_NUMBER))
    if len(strange):
        symbol = structure[int(strange[0])].specie.symbol
        raise CrystalError(
            f"site {strange[0]} is {symbol}, which is not among the "
            f"elements H to {SYMBOLS[-1]} (1 to {MAX_ATOMIC_NUMBER})"
        )
    refuse_overlaps(cell, np.arange(len(cell.numbers)))


def refuse_overlaps(cell: Cell, sites: NDArray[np.int64]) -> None:
    """Refuse atoms that stand at one place.

    Args:
        cell: the crystal.
        sites: which of its atoms are looked at.

    Raises:
        OverlappingAtoms: two of them are nearer than `MIN_DISTANCE`.
    """
    if not len(sites):
        return
    lattice = np.ascontiguousarray(cell.lattice)
    cart = np.ascontiguousarray(np.mod(cell.frac[sites], 1.0) @ lattice)
    box = np.cbrt(abs(np.linalg.det(lattice)) / _MOST_BOXES)
    pairs = find_points_in_spheres(
        cart, cart, MIN_DISTANCE, np.ones(3, dtype=np.int64), lattice, min_r=max(box, 1.0)
    )
    first, second, image, distance = pairs
    clash = np.flatnonzero((first != second) | (image != 0).any(axis=1))
    if len(clash):
        worst = clash[np.argmin(distance[clash])]
        raise OverlappingAtoms(
            f"sites {sites[first[worst]]} and {sites[second[worst]]} are {distance[worst]:.2f} A "
            "apart; remove the duplicate, or check the units of the coordinates"
        )


def _ranges(indices: NDArray[np.int64]) -> str:
    """Write 0, 1, 2, 5 as 0-2, 5."""
    runs = np.split(indices, np.flatnonzero(np.diff(indices) > 1) + 1)
    words = [f"{run[0]}" if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs]
    return ", ".join(words[:8]) + (", ..." if len(words) > 8 else "")

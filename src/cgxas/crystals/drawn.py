"""A crystal as it is drawn: its cell, its atoms with their copies on faces, and its bonds."""

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from cgxas.elements import SYMBOLS, atomic_number
from cgxas.typing import FloatArray

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure

MOST_ATOMS = 1_500
"""More atoms than these are no picture."""

_ON_FACE = 0.02
"""Atoms nearer to a face than this, in cell vectors, are drawn on the opposite one as well."""

_STRETCH = 1.15
"""Atoms nearer than this many sums of their covalent radii are bonded."""

_NONMETALS = frozenset(
    ("H", "He", "B", "C", "N", "O", "F", "Ne", "Si", "P", "S", "Cl", "Ar", "As", "Se", "Br", "Kr",
     "Te", "I", "Xe")
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class DrawnCrystal:
    """What a viewer needs of a crystal, and nothing it would have to find out.

    Attributes:
        lattice: (3, 3) cell vectors, Angstrom.
        symbols: (D,) element of each drawn atom, the most abundant one of a shared site.
        sites: (D,) the caller's index of each; copies on faces share it.
        positions: (D, 3) Angstrom.
        bonds: pairs of drawn atoms.
    """

    lattice: FloatArray
    symbols: tuple[str, ...]
    sites: tuple[int, ...]
    positions: FloatArray
    bonds: tuple[tuple[int, int], ...]


def drawn(structure: "Structure") -> DrawnCrystal | None:
    """Return how a crystal is drawn; None if it has too many atoms for a picture.

    Two atoms are bonded where they are nearer than 1.15 times the sum of their covalent radii
    (Cordero et al., doi:10.1039/b801115j); two metals only in a crystal without nonmetals.

    Args:
        structure: the crystal; sites may be shared.
    """
    if len(structure) > MOST_ATOMS:
        return None
    frac = np.mod(np.asarray(structure.frac_coords, dtype=np.float64), 1.0)
    frac[frac > 1.0 - 1e-6] = 0.0
    names = [max(site.species.items(), key=lambda each: each[1])[0].symbol for site in structure]
    sites, places = [], []
    for site, place in enumerate(frac):
        images = [
            (0.0, 1.0) if x < _ON_FACE else (0.0, -1.0) if x > 1.0 - _ON_FACE else (0.0,)
            for x in place
        ]
        for shift in product(*images):
            sites.append(site)
            places.append(place + shift)
    if len(sites) > 2 * MOST_ATOMS:
        return None
    lattice = np.asarray(structure.lattice.matrix, dtype=np.float64)
    positions = np.asarray(places) @ lattice
    symbols = tuple(names[site] for site in sites)
    return DrawnCrystal(lattice, symbols, tuple(sites), positions, _bonds(symbols, positions))


def _bonds(symbols: tuple[str, ...], positions: FloatArray) -> tuple[tuple[int, int], ...]:
    from ase.data import covalent_radii
    from scipy.spatial import cKDTree

    radius = np.array([covalent_radii[_number(symbol)] for symbol in symbols])
    is_metal = np.array([symbol not in _NONMETALS for symbol in symbols])
    pairs = cKDTree(positions).query_pairs(2 * _STRETCH * radius.max(), output_type="ndarray")
    if not len(pairs):
        return ()
    a, b = pairs[:, 0], pairs[:, 1]
    apart = np.linalg.norm(positions[a] - positions[b], axis=1)
    near = apart < _STRETCH * (radius[a] + radius[b])
    if not is_metal.all():
        near &= ~(is_metal[a] & is_metal[b])
    return tuple((int(i), int(j)) for i, j in pairs[near])


def _number(symbol: str) -> int:
    """Return an atomic number; 0, which the table of radii has, for what is no element of ours."""
    return atomic_number(symbol) if symbol in SYMBOLS else 0

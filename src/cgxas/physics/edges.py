"""The edge energy of FEFF, without FEFF.

FEFF's edge is the difference of two total energies of the free absorber, with and without the
core hole, shifted by the Coulomb potential of every neutral free atom within 12 bohr at the
absorber's nucleus:

    edge = E(Z) - sum over neighbours j of V_j(R_j)

Charge transfer and self-consistency do not enter; E(Z) is one constant per element and version.
"""

import json
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np

from cgxas.crystals.canonical import Cell
from cgxas.crystals.neighbours import neighbours
from cgxas.elements import SYMBOLS, atomic_number
from cgxas.errors import ConfigError, UnsupportedAbsorber
from cgxas.physics.free_atoms import BOHR, HARTREE, free_atoms
from cgxas.physics.hydrogen import lengthened
from cgxas.typing import FloatArray, IntArray

THEORIES: Final = ("FEFF10", "FEFF9")

_REACH: Final = 12.0 * BOHR
_FILE: Final = Path(__file__).with_name("edges.json")


def edge_energies(cell: Cell, atoms: IntArray, theory: str = "FEFF10") -> FloatArray:
    """Return (S,) where FEFF puts the edge of atoms, k = 0 on its absolute scale, eV.

    Args:
        cell: the crystal.
        atoms: (S,) numbers of absorbing atoms in the cell.
        theory: "FEFF10" or "FEFF9".

    Raises:
        UnsupportedAbsorber: no constant is known for an element.
        ConfigError: there is no such theory.
    """
    atoms = np.asarray(atoms, dtype=np.int64)
    constants = _constants(theory)
    for z in np.unique(cell.numbers[atoms]):
        if int(z) not in constants:
            raise UnsupportedAbsorber(
                f"the {theory} edge of {SYMBOLS[z - 1]} is not known; it is for "
                + ", ".join(SYMBOLS[known - 1] for known in constants)
            )
    free = np.array([constants[int(z)] for z in cell.numbers[atoms]])
    return free - neighbour_potential(cell, atoms)


def neighbour_potential(cell: Cell, atoms: IntArray) -> FloatArray:
    """Return (S,) the summed potential of the neighbours' free atoms at nuclei, eV (negative)."""
    moved = lengthened(cell)
    near = neighbours(moved, atoms, _REACH)
    each = free_atoms().potential(moved.numbers[near.atom], near.distance / BOHR)
    return np.bincount(near.centre, each, len(atoms)) * HARTREE


def knows_edge(theory: str, z: int) -> bool:
    """Return whether the edge of an element is known in a theory."""
    return z in _constants(theory)


@cache
def _constants(theory: str) -> dict[int, float]:
    """Return E(Z) by atomic number, eV."""
    if theory not in THEORIES:
        raise ConfigError(f"edges are known of {' and '.join(THEORIES)}, not of {theory!r:.40}")
    table = json.loads(_FILE.read_text(encoding="utf-8"))[theory]
    return {atomic_number(symbol): float(value) for symbol, value in table.items()}

"""The edge energy of FEFF, without FEFF.

FEFF puts the edge at the difference of two total energies of the free absorber, with and without
its core hole, shifted by the Coulomb potential that the neutral free atoms within 12 bohr have at
the absorber's nucleus:

    edge = E(Z) - sum over neighbours j of V_j(R_j)

Charge transfer and self-consistency do not enter. E(Z) is one constant per element, the same in
FEFF9 and FEFF10 (`edges.json`; benchmarks/edges.py finds them and what they leave).
"""

import json
from dataclasses import dataclass
from functools import cache
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from cgxas.crystals.neighbours import neighbours
from cgxas.elements import SYMBOLS, atomic_number
from cgxas.errors import ConfigError, UnsupportedAbsorber
from cgxas.physics.free_atoms import BOHR, HARTREE, free_atoms, refuse_heavier
from cgxas.physics.hydrogen import lengthened
from cgxas.typing import FloatArray, IntArray

if TYPE_CHECKING:
    from ase import Atoms
    from pymatgen.core.structure import Molecule, Structure

    from cgxas.crystals.canonical import Cell

THEORIES: Final = ("FEFF10", "FEFF9")

_REACH: Final = 12.0  # bohr
_FADE: Final = 0.05
"""Bohr. FEFF cuts at 12 bohr, where an atom still gives up to 3 meV; here it fades out over 0.1."""

_FILE: Final = Path(__file__).with_name("edges.json")


@dataclass(frozen=True, eq=False)
class EdgeEnergy:
    """Where FEFF puts the K edge of an element in a crystal, k = 0 on its own absolute scale.

    Attributes:
        absorber: symbol of the element.
        theory: "FEFF10" or "FEFF9".
        sites: (S,) indices of its sites, in the caller's order.
        energies: (S,) edge of each, eV.
    """

    absorber: str
    theory: str
    sites: IntArray
    energies: FloatArray

    @property
    def mean(self) -> float:
        """Mean over the sites, eV."""
        return float(self.energies.mean())


def edge_energy(
    crystal: "str | PathLike[str] | Structure | Molecule | Atoms",
    absorber: str,
    theory: str = "FEFF10",
) -> EdgeEnergy:
    """Compute where FEFF puts the K edge of an element in a crystal, without a run of FEFF.

    It agrees with FEFF10 to some meV, and knows nothing of charge transfer: the shift between a
    metal and its oxide on the measured scale is another matter.

    Args:
        crystal: a path, pymatgen Structure or Molecule, or ASE Atoms.
        absorber: symbol of the element.
        theory: "FEFF10" or "FEFF9".

    Raises:
        CrystalError: the crystal cannot be used; the message says why.
        AbsorberError: it holds no such atom, or the element's edge is not known.
        ConfigError: there is no such theory.
    """
    # Here and not above: a machine that only trains has no pymatgen.
    from cgxas.crystals.spec import GraphSpec
    from cgxas.crystals.structure import standardise

    ready = standardise(crystal, GraphSpec(cell="as_given"))
    sites = ready.sites_of(absorber)
    return EdgeEnergy(absorber, theory, sites, edge_energies(ready.cell, sites, theory))


def edge_energies(cell: "Cell", atoms: IntArray, theory: str = "FEFF10") -> FloatArray:
    """Return (S,) where FEFF puts the edge of atoms, k = 0 on its absolute scale, eV.

    Continuous in the positions of the atoms.

    Args:
        cell: the crystal.
        atoms: (S,) numbers of absorbing atoms in the cell.
        theory: "FEFF10" or "FEFF9".

    Raises:
        UnsupportedAbsorber: no constant is known for an element.
        CrystalError: an atom has no free atom in the table.
        ConfigError: there is no such theory.
    """
    if theory not in THEORIES:
        raise ConfigError(f"edges are computed for {' and '.join(THEORIES)}, not {theory!r:.40}")
    atoms = np.asarray(atoms, dtype=np.int64)
    constants = _constants()
    for z in np.unique(cell.numbers[atoms]):
        if int(z) not in constants:
            raise UnsupportedAbsorber(
                f"the edge of {SYMBOLS[z - 1]} is not known; absorbers are "
                + ", ".join(SYMBOLS[known - 1] for known in constants)
            )
    free: FloatArray = np.array([constants[int(z)] for z in cell.numbers[atoms]])
    return free - neighbour_potential(cell, atoms)


def neighbour_potential(cell: "Cell", atoms: IntArray) -> FloatArray:
    """Return (S,) the summed potential of the neighbours' free atoms at nuclei, eV (negative).

    Args:
        cell: the crystal.
        atoms: (S,) numbers of atoms in the cell.

    Raises:
        CrystalError: an atom has no free atom in the table.
    """
    refuse_heavier(cell.numbers)
    moved = lengthened(cell)
    near = neighbours(moved, atoms, (_REACH + _FADE) * BOHR)
    distance = near.distance / BOHR
    each = free_atoms().potential(moved.numbers[near.atom], distance) * _faded(distance)
    return np.asarray(np.bincount(near.centre, each, len(atoms)) * HARTREE, dtype=np.float64)


def _faded(distance: FloatArray) -> FloatArray:
    """Return 1 within FEFF's reach and 0 beyond it, with a smooth step between."""
    left = np.clip((_REACH + _FADE - distance) / (2 * _FADE), 0.0, 1.0)
    return left**2 * (3 - 2 * left)


def knows_edge(theory: str, z: int) -> bool:
    """Return whether the edge of an element can be computed as a theory has it."""
    return theory in THEORIES and z in _constants()


@cache
def _constants() -> dict[int, float]:
    """Return E(Z) by atomic number, eV."""
    table = json.loads(_FILE.read_text(encoding="utf-8"))["free_atom_edge"]
    return {atomic_number(symbol): value for symbol, value in table.items()}

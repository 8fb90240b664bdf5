"""The neutral free atoms of the periodic table: their Coulomb potential and electron density.

Dirac-Fock atoms, Z = 1 to 94, on FEFF's logarithmic grid of radii (`free_atoms.safetensors`; the
origin is written into the file). FEFF builds the potential of a crystal from them, and its edge
energy rests on nothing else.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np

from cgxas.elements import SYMBOLS
from cgxas.errors import CrystalError
from cgxas.typing import FloatArray, IntArray

HARTREE: Final = 27.211386245988
"""eV (CODATA 2018)."""

BOHR: Final = 0.529177210903
"""Angstrom (CODATA 2018)."""

HEAVIEST: Final = 94
"""Atomic number of the last atom of the table, plutonium."""

_FILE: Final = Path(__file__).with_name("free_atoms.safetensors")


@dataclass(frozen=True, eq=False)
class FreeAtoms:
    """R radii for each of 94 atoms; row Z of an array is the atom of atomic number Z, row 0 empty.

    Attributes:
        radius: (R,) equally spaced in their logarithm, bohr.
        r_times_v: (95, R) radius times Coulomb potential for an electron (negative), Hartree bohr.
        density: (95, R) 4 pi times the electron density, bohr^-3.
    """

    radius: FloatArray
    r_times_v: FloatArray
    density: FloatArray

    def potential(self, z: IntArray, r: FloatArray) -> FloatArray:
        """Return the Coulomb potential of atoms at distances from their nuclei, Hartree.

        Args:
            z: (P,) atomic numbers, 1 to 94.
            r: (P,) distances, bohr.
        """
        return self._interpolated(self.r_times_v, self.radius, z, r) / r**2

    def density_at(self, z: IntArray, r: FloatArray) -> FloatArray:
        """Return 4 pi times the electron density of atoms at distances, bohr^-3.

        Args:
            z: (P,) atomic numbers, 1 to 94.
            r: (P,) distances, bohr.
        """
        return self._interpolated(self.density, self.radius**2, z, r) / r**2

    def _interpolated(
        self, table: FloatArray, factor: FloatArray, z: IntArray, r: FloatArray
    ) -> FloatArray:
        """Return a table times a factor of the radius.

        Linear in log r, and made for r^2 times a quantity: what FEFF integrates when it overlaps
        atoms. Any other way, linear in r V or cubic, is further from FEFF by some 2 meV in an edge.
        """
        start = np.log(self.radius[0])
        step = (np.log(self.radius[-1]) - start) / (len(self.radius) - 1)
        place = np.clip((np.log(r) - start) / step, 0.0, len(self.radius) - 1 - 1e-9)
        left = place.astype(np.int64)
        part = place - left
        low, high = table[z, left] * factor[left], table[z, left + 1] * factor[left + 1]
        found: FloatArray = low + part * (high - low)
        return found


@cache
def free_atoms() -> FreeAtoms:
    """Return the table, read from its file once."""
    from safetensors.numpy import load_file

    read = load_file(_FILE)
    return FreeAtoms(*(read[name].astype(np.float64) for name in FreeAtoms.__annotations__))


def refuse_heavier(numbers: IntArray) -> None:
    """Refuse atoms beyond the table.

    Raises:
        CrystalError: there is one.
    """
    heaviest = int(numbers.max())
    if heaviest > HEAVIEST:
        raise CrystalError(
            f"the crystal holds {SYMBOLS[heaviest - 1]}; free atoms are tabulated up to "
            f"{SYMBOLS[HEAVIEST - 1]}, and the edge rests on them"
        )

"""Potentials of a run of FEFF, as they are learnt from."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cgxas.crystals.canonical import Cell
from cgxas.physics.free_atoms import HARTREE
from cgxas.physics.scattering.potentials import CHOSEN, FERMI
from cgxas.spectra.axis import FEFF_POINTS
from cgxas.typing import IntArray


@dataclass(frozen=True, eq=False)
class KnownPotentials:
    """The potentials of a site, Hartree; curves on the 31 nodes, for real energies.

    Attributes:
        cell: the crystal.
        atom: number of the absorber.
        half_width: half the core-hole width.
        depth: of the muffin-tin zero below the Fermi level.
        self_energy: (31,) complex, from the muffin-tin zero.
        own: (31,) complex absorption of the absorber alone, in units of the edge step.
        dipole: (31,) complex, what scattering is multiplied by, in the same units.
        absorber: (3, 31) complex phase shifts of the absorber.
        scatterers: (S,) numbers of atoms of the cell.
        phases: (S, 3, 31) complex phase shifts of these.
    """

    cell: Cell
    atom: int
    half_width: float
    depth: float
    self_energy: NDArray[np.complex128]
    own: NDArray[np.complex128]
    dipole: NDArray[np.complex128]
    absorber: NDArray[np.complex128]
    scatterers: IntArray
    phases: NDArray[np.complex128]


@dataclass(frozen=True, eq=False)
class KnownDepth:
    """How deep the muffin-tin zero of a run lies below its Fermi level, where no more is known.

    Attributes:
        cell: the crystal.
        atom: number of the absorber.
        depth: Hartree.
    """

    cell: Cell
    atom: int
    depth: float


def on_nodes(curve: NDArray[np.complex128], half_width: float = 0.0) -> NDArray[np.complex128]:
    """Bring curves from FEFF's points to the nodes, and to real energies.

    Args:
        curve: (..., 100) on FEFF's points, which lie at i times half the core-hole width.
        half_width: that, Hartree; 0 where the curve shall stay there.
    """
    points = FEFF_POINTS[FERMI:] / HARTREE
    upper = curve[..., FERMI:]
    slope = np.gradient(upper, points, axis=-1, edge_order=2)
    bend = np.gradient(slope, points, axis=-1, edge_order=2)
    lowered = upper - 1j * half_width * slope - half_width**2 / 2 * bend
    return np.asarray(lowered[..., CHOSEN - FERMI])

"""What is to be known of the atoms of a cluster, on few energies, before they can scatter.

All curves are smooth in the energy, so that a third of FEFF's points will do. They stand for real
energies: the core hole's width is put in by a Taylor series when they are used. So the same curve
holds for an atom beside any absorber.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from cgxas.physics.free_atoms import HARTREE
from cgxas.spectra.axis import FEFF_POINTS
from cgxas.typing import FloatArray, IntArray

FERMI: Final = int(np.flatnonzero(FEFF_POINTS >= -1e-9)[0])
"""Place of the Fermi level among FEFF's points; those before it need no scattering."""

CHOSEN: Final[IntArray] = np.append(np.arange(FERMI, len(FEFF_POINTS) - 1, 3), len(FEFF_POINTS) - 1)
"""(31,) places of the nodes among FEFF's points: every third from the Fermi level on."""

NODES: Final[FloatArray] = FEFF_POINTS[CHOSEN] / HARTREE
"""(31,) energies of the nodes from the Fermi level, Hartree."""

_OF_NODES = CubicSpline(NODES, np.eye(len(NODES)))

TO_POINTS: Final[FloatArray] = _OF_NODES(FEFF_POINTS[FERMI:] / HARTREE)
"""(90, 31) values on FEFF's points from the Fermi level on, from values on the nodes."""

SLOPE: Final[FloatArray] = _OF_NODES(NODES, 1)
"""(31, 31) slopes on the nodes from values on them, per Hartree."""


@dataclass(frozen=True, eq=False)
class Potentials:
    """How N atoms scatter, and what the absorber does by itself; curves on the 31 nodes.

    Attributes:
        half_width: half the core-hole width.
        depth: of the muffin-tin zero below the Fermi level.
        self_energy: (31,) complex, of the electron between the atoms, from the muffin-tin zero.
        phases: (N, top + 1, 31) complex phase shifts, radian; the absorber's with its core hole.
        own: (31,) complex absorption of the absorber alone, in units of the edge step.
        dipole: (31,) complex, what the scattering is multiplied by, in the same units.
    """

    half_width: float
    depth: float
    self_energy: NDArray[np.complex128]
    phases: NDArray[np.complex128]
    own: NDArray[np.complex128]
    dipole: NDArray[np.complex128]

"""The atoms that scatter: those around an absorber, the far ones faded out.

FEFF takes a number of atoms, so that its answer jumps where two of them change places. Here each
atom keeps a share of its scattering that falls from one to nothing over an Angstrom, and the radius
where it does so is the one at which the shares add up to the wanted size. Both are smooth.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from cgxas.crystals.neighbours import neighbours
from cgxas.physics.free_atoms import BOHR
from cgxas.typing import FloatArray, IntArray

if TYPE_CHECKING:
    from cgxas.crystals.canonical import Cell

SIZE: Final = 45.0
"""Atoms that scatter, the absorber included, each counted by its share."""

_FADE: Final = 1.0  # Angstrom, from all of an atom to nothing of it
_FIRST: Final = 4.0  # Angstrom, where atoms are looked for first
_FARTHEST: Final = 12.0  # Angstrom; no wave comes back from beyond


@dataclass(frozen=True, eq=False)
class Cluster:
    """N atoms, the absorber first.

    Attributes:
        positions: (N, 3) from the absorber, bohr.
        atom: (N,) number in the cell of the atom that each is an image of.
        fade: (N,) share of its scattering that each keeps, above 0, at most 1.
    """

    positions: FloatArray
    atom: IntArray
    fade: FloatArray


def cluster(cell: "Cell", atom: int, size: float = SIZE) -> Cluster:
    """Return the cluster around an atom of a cell.

    Where a crystal has fewer atoms within 12 Angstrom, it is these.

    Args:
        cell: the crystal.
        atom: number of the absorber.
        size: how many atoms scatter, each counted by its share, at least 2.
    """
    reach = _FIRST
    while True:
        near = neighbours(cell, np.array([atom]), reach)
        distance = np.append(0.0, near.distance)
        if reach >= _FARTHEST or shares(distance, reach).sum() >= size:
            break
        reach = min(1.3 * reach, _FARTHEST)
    fade = shares(distance, _radius(distance, reach, size))
    kept = fade > 0
    return Cluster(
        positions=np.concatenate([np.zeros((1, 3)), near.vector])[kept] / BOHR,
        atom=np.append(atom, near.atom)[kept],
        fade=fade[kept],
    )


def shares(distance: FloatArray, radius: float) -> FloatArray:
    """Return what atoms at distances keep of their scattering within a radius, Angstrom."""
    beyond = np.clip((distance - radius) / _FADE + 1, 0.0, 1.0)
    return np.asarray((1 + np.cos(np.pi * beyond)) / 2)


def _radius(distance: FloatArray, reach: float, size: float) -> float:
    """Return where the shares add up to the size, or the reach if they never do."""
    low, high = _FADE, reach
    if shares(distance, high).sum() <= size:
        return high
    while high - low > 1e-13 * high:
        middle = (low + high) / 2
        low, high = (low, middle) if shares(distance, middle).sum() > size else (middle, high)
    return (low + high) / 2

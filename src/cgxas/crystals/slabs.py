"""Slabs and wires: vacuum along the directions in which a crystal does not go on."""

import numpy as np
from numpy.typing import NDArray

from cgxas.crystals.molecules import VACUUM
from cgxas.errors import InvalidCell


def with_vacuum(
    lattice: NDArray[np.float64], pbc: NDArray[np.bool_], positions: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a periodic cell in which the open sides of a slab or wire see nothing.

    The open lattice vectors are replaced by ones perpendicular to the others, so that the answer
    depends on the slab, not on how much vacuum the file drew around it.

    Args:
        lattice: (3, 3) lattice vectors as rows, Angstrom; those of open directions may be zero.
        pbc: (3,) whether the crystal goes on along each; one or two do.
        positions: (N, 3) Cartesian coordinates, Angstrom.

    Returns:
        The (3, 3) lattice and the (N, 3) Cartesian coordinates.

    Raises:
        InvalidCell: a periodic vector has no length, or both are parallel.
    """
    closed = np.array(lattice, dtype=np.float64)
    moved = np.array(positions, dtype=np.float64)
    frame = list(closed[pbc])
    for axis in np.flatnonzero(~pbc):
        direction = _perpendicular(frame, closed[axis])
        frame.append(direction)
        heights = moved @ direction
        moved += (VACUUM - heights.min()) * direction
        closed[axis] = direction * (np.ptp(heights) + 2 * VACUUM)
    return closed, moved


def _perpendicular(
    frame: list[NDArray[np.float64]], wanted: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the unit vector perpendicular to one or two others, as near a wanted one as can be."""
    if len(frame) == 2:
        normal = np.cross(frame[0], frame[1])
        length = float(np.linalg.norm(normal))
        if length > 1e-3:
            return np.asarray(normal / length * (-1 if normal @ wanted < 0 else 1))
    elif (length := float(np.linalg.norm(frame[0]))) > 1e-3:
        along = frame[0] / length
        for each in (wanted, *np.eye(3)[np.argsort(np.abs(along))]):
            across = each - (each @ along) * along
            if (size := float(np.linalg.norm(across))) > 1e-3 * max(float(np.linalg.norm(each)), 1):
                return np.asarray(across / size)
    raise InvalidCell("the periodic vectors of a slab must have a length and not be parallel")

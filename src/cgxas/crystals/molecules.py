"""A box for a molecule, placed so that it depends on the molecule alone."""

import numpy as np
from numpy.typing import NDArray

from cgxas.crystals.canonical import first_of_largest

VACUUM = 8.0
"""Empty space left on each side of a molecule, Angstrom: no atom sees an image of another."""

_SAME_PLACE = 0.01
"""Atoms nearer than this (Angstrom) after a rotation or mirror count as exchanged by it."""


def boxed(
    numbers: NDArray[np.int64], positions: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Put a molecule into a cubic box.

    Args:
        numbers: (N,) atomic numbers.
        positions: (N, 3) coordinates in any orientation, Angstrom.

    Returns:
        The (3, 3) lattice and the (N, 3) coordinates, rotated into the molecule's own axes so
        that the box, and the plane waves of its cell, do not depend on how it was turned.
    """
    centred = positions - positions.mean(axis=0)
    radius = float(np.linalg.norm(centred, axis=1).max())
    side = 2 * (radius + VACUUM)
    return np.eye(3) * side, centred @ _own_axes(numbers, centred).T + side / 2


def equivalent_atoms(
    numbers: NDArray[np.int64], positions: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Return (N,) the orbit of each atom, 0 to K - 1: atoms that a symmetry exchanges share one.

    Args:
        numbers: (N,) atomic numbers.
        positions: (N, 3) coordinates in any orientation, Angstrom.
    """
    centred = positions - positions.mean(axis=0)
    label = np.arange(len(numbers))
    frames = _own_frames(numbers, centred)
    seen = centred @ np.swapaxes(frames, 1, 2)
    for view in (*seen, *(seen * (1, 1, -1)), -seen[0]):
        # Distances between the atoms in this view and in the first one, other elements far away.
        apart = np.linalg.norm(view[:, None] - seen[0], axis=2)
        apart[numbers[:, None] != numbers] = np.inf
        image = apart.argmin(axis=1)
        if (apart.min(axis=1) < _SAME_PLACE).all() and len(set(image)) == len(image):
            for one, other in zip(label, label[image], strict=True):
                label[label == max(one, other)] = min(one, other)
    return np.unique(label, return_inverse=True)[1]


def _own_axes(numbers: NDArray[np.int64], centred: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (3, 3) unit vectors as rows: the first towards the heaviest, outermost atom."""
    frames = _own_frames(numbers, centred)
    return np.asarray(frames[first_of_largest(_moments(frames, numbers, centred))])


def _own_frames(numbers: NDArray[np.int64], centred: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (F, 3, 3): every choice of own axes, among them all that a symmetry exchanges."""
    radius = np.linalg.norm(centred, axis=1)
    frames = []
    for first in _foremost(numbers, radius):
        x = centred[first] / radius[first]
        across = centred - np.outer(centred @ x, x)
        off_axis = np.linalg.norm(across, axis=1)
        for second in _foremost(numbers, off_axis):
            y = across[second] / off_axis[second]
            frames.append(np.array([x, y, np.cross(x, y)]))
        if not (off_axis > 1e-3).any():
            return _any_frame(x)[None]
    return np.array(frames) if frames else np.eye(3)[None]


def _foremost(numbers: NDArray[np.int64], size: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the atoms of the heaviest element off the origin that are farthest from it."""
    off = size > 1e-3
    if not off.any():
        return np.empty(0, dtype=np.intp)
    heaviest = off & (numbers == numbers[off].max())
    return np.flatnonzero(heaviest & (size > size[heaviest].max() - 1e-3))


def _any_frame(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Complete an axis to a frame; for a linear molecule any completion gives the same box."""
    helper = np.eye(3)[np.argmin(np.abs(x))]
    y = np.cross(x, helper)
    y /= np.linalg.norm(y)
    return np.array([x, y, np.cross(x, y)])


def _moments(
    frames: NDArray[np.float64], numbers: NDArray[np.int64], centred: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return (F, 17) weighted moments of the molecule seen in each frame."""
    x, y, z = np.einsum("fij,nj->ifn", frames, centred)
    # Products of even degree first: the odd ones vanish where the molecule has an inversion centre.
    even = (x * x, y * y, x * y, y * z, z * x, x**4, y**4, x**3 * y, y**3 * z, z**3 * x)
    odd = (x**3, y**3, z**3, x * x * y, y * y * z, z * z * x, x * y * z)
    return np.stack([power @ numbers for power in (*even, *odd)], axis=1)

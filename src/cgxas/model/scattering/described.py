"""The numbers that atoms are compared by when it comes to their potentials."""

import numpy as np

from cgxas.crystals.canonical import Cell
from cgxas.physics.overlap import overlap
from cgxas.physics.surroundings import AROUND, surroundings
from cgxas.typing import FloatArray, IntArray


def described(cell: Cell, atoms: IntArray) -> tuple[FloatArray, ...]:
    """Describe atoms of a cell in four parts, smooth in the positions of all atoms.

    Args:
        cell: the crystal.
        atoms: (S,) numbers of the atoms.

    Returns:
        Four arrays (S, ...): the surroundings; the overlapped free atoms; the mean of either over
        the cell, which tells what a potential's neighbours are like in their turn.

    Raises:
        CrystalError: an atom has no free atom in the table.
    """
    everywhere = np.arange(len(cell.numbers))
    around = surroundings(cell, everywhere)[:, AROUND]
    overlapped = overlap(cell).descriptor(everywhere)
    n = len(atoms)
    return (
        around[atoms],
        overlapped[atoms],
        np.tile(around.mean(axis=0), (n, 1)),
        np.tile(overlapped.mean(axis=0), (n, 1)),
    )

"""Where FEFF puts hydrogen: farther from the atom it is bound to than it is.

A muffin-tin potential has no room for an atom that sits inside another one, so FEFF lengthens
bonds to hydrogen before it overlaps atoms: a bond of r bohr becomes r + 4/r^2, but not longer than
allowed by the other bonds of the atom, and not so long that another atom comes closer.
"""

from dataclasses import replace

import numpy as np

from cgxas.crystals.canonical import Cell
from cgxas.crystals.neighbours import Neighbours, neighbours
from cgxas.physics.free_atoms import BOHR
from cgxas.typing import FloatArray, IntArray

_BOND = 3.0  # A
_REACH = 10.0 * BOHR
_KEPT = 0.95


def lengthened(cell: Cell) -> Cell:
    """Return a cell with its hydrogen where FEFF has it; the same cell if it holds none."""
    hydrogen = np.flatnonzero(cell.numbers == 1)
    if not len(hydrogen):
        return cell
    near = neighbours(cell, hydrogen, _BOND)
    _, first = np.unique(near.centre, return_index=True)
    first = first[cell.numbers[near.atom[first]] != 1]
    if not len(first):
        return cell
    moved = hydrogen[near.centre[first]]
    bond = near.distance[first] / BOHR
    longest = bond + 4 / bond**2
    shortest = _shortest_heavy(cell, near.atom[first])
    longest = np.where(shortest < longest, _KEPT * shortest + (1 - _KEPT) * bond, longest)
    stretch = np.maximum(longest / bond, 1.0) - 1.0
    cart = cell.cart.copy()
    cart[moved] -= near.vector[first] * stretch[:, None]
    return replace(cell, frac=cart @ np.linalg.inv(cell.lattice))


def _shortest_heavy(cell: Cell, atoms: IntArray) -> FloatArray:
    """Return (A,) the shortest bond of each atom to one that is not hydrogen, bohr."""
    around: Neighbours = neighbours(cell, atoms, _REACH)
    heavy = cell.numbers[around.atom] != 1
    shortest = np.full(len(atoms), np.inf)
    np.minimum.at(shortest, around.centre[heavy], around.distance[heavy] / BOHR)
    return shortest

"""Where FEFF puts hydrogen: farther from the atom it is bound to than it is.

Spheres around atoms have no room for an atom that sits inside another one, so FEFF lengthens the
bonds of hydrogen before it overlaps potentials. A bond of r bohr, to an atom A that is not hydrogen
itself, becomes r + 4/r^2, but at most 95 % of the way from r to

- the shortest distance of A to another atom that is not hydrogen, and
- the plane halfway between A and any other atom, beyond which that atom would be nearer than A.

FEFF does so atom by atom, and its limits jump: each takes those 5 % at once when it is reached.
Here all are moved at once, and a limit takes its 5 % over a short way, so that the edge is
continuous in the positions of the atoms.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from cgxas.crystals.neighbours import neighbours
from cgxas.physics.free_atoms import BOHR
from cgxas.typing import FloatArray, IntArray

if TYPE_CHECKING:
    from cgxas.crystals.canonical import Cell

_BOND: Final = 3.0  # A: no hydrogen is bound at a longer distance
_REACH: Final = 10.0 * BOHR  # of the other atoms that set a limit
_KEPT: Final = 0.95


def lengthened(cell: "Cell") -> "Cell":
    """Return a cell with its hydrogen where FEFF has it; the same cell if it holds none."""
    hydrogen = np.flatnonzero(cell.numbers == 1)
    if not len(hydrogen):
        return cell
    near = neighbours(cell, hydrogen, _BOND)
    _, nearest = np.unique(near.centre, return_index=True)
    nearest = nearest[cell.numbers[near.atom[nearest]] != 1]
    if not len(nearest):
        return cell
    outward = -near.vector[nearest] / near.distance[nearest, None]
    bond = near.distance[nearest] / BOHR
    longest = _limited(cell, near.atom[nearest], outward, bond)
    cart = cell.cart.copy()
    cart[hydrogen[near.centre[nearest]]] += outward * (longest - bond)[:, None] * BOHR
    return replace(cell, frac=cart @ np.linalg.inv(cell.lattice))


def _limited(cell: "Cell", bound_to: IntArray, outward: FloatArray, bond: FloatArray) -> FloatArray:
    """Return (H,) the lengths of the bonds in FEFF, bohr.

    Args:
        cell: the crystal.
        bound_to: (H,) numbers of the atoms that the hydrogen is bound to.
        outward: (H, 3) unit vectors from those atoms to the hydrogen.
        bond: (H,) the true lengths, bohr.
    """
    around = neighbours(cell, bound_to, _REACH)
    distance = around.distance / BOHR
    heavy = cell.numbers[around.atom] != 1
    reach = np.maximum(bond + 4 / bond**2, bond)
    reach = _least(around.centre[heavy], distance[heavy], bond, reach)
    ahead = np.einsum("ij,ij->i", around.vector, outward[around.centre]) / around.distance
    # The hydrogen itself is among the atoms around; no plane stands halfway to itself.
    itself = (~heavy) & (np.abs(distance - bond[around.centre]) < 1e-6) & (ahead > 1 - 1e-9)
    other = (ahead > 0) & ~itself
    halfway = distance[other] / (2 * ahead[other])
    return np.maximum(_least(around.centre[other], halfway, bond, reach), bond)


def _least(centre: IntArray, limit: FloatArray, bond: FloatArray, reach: FloatArray) -> FloatArray:
    """Return (H,) how far bonds may reach under limits, each for the bond of its centre, bohr."""
    kept = _KEPT * limit + (1 - _KEPT) * bond[centre]
    # Beyond reach a limit lets go of its 5 % over as many.
    beyond = (limit - reach[centre]) * (1 + _KEPT)
    full = _KEPT * reach[centre] + (1 - _KEPT) * bond[centre]
    least = reach.copy()
    np.minimum.at(least, centre, np.where(beyond > 0, full + beyond, kept))
    return least

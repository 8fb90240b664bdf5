"""All periodic neighbours of some atoms of a cell within a distance, none left out."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cgxas.typing import FloatArray, IntArray

if TYPE_CHECKING:
    from cgxas.crystals.canonical import Cell

_SAME_PLACE = 1e-8


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The (E,) pairs of a centre and an atom near it, sorted by centre, then distance.

    Attributes:
        centre: (E,) place of the centre among those that were asked for.
        atom: (E,) number in the cell of the atom that the neighbour is an image of.
        image: (E, 3) lattice translation of that image.
        vector: (E, 3) from the centre to the neighbour, Angstrom.
        distance: (E,) its length, Angstrom.
    """

    centre: IntArray
    atom: IntArray
    image: IntArray
    vector: FloatArray
    distance: FloatArray


def neighbours(cell: "Cell", centres: IntArray, cutoff: float) -> Neighbours:
    """Return all neighbours closer than a distance, images of a centre itself included.

    Args:
        cell: atoms may lie outside of it.
        centres: (C,) numbers of the atoms to look around.
        cutoff: Angstrom.
    """
    # Here and not above: a machine that only trains has no pymatgen.
    from pymatgen.optimization.neighbors import find_points_in_spheres

    cart: NDArray[np.float64] = np.ascontiguousarray(cell.cart)
    lattice = np.ascontiguousarray(cell.lattice)
    around = np.ascontiguousarray(cart[centres])
    periodic = np.ones(3, dtype=np.int64)
    centre, atom, image, distance = find_points_in_spheres(
        cart, around, cutoff, periodic, lattice, _SAME_PLACE
    )
    order = np.flatnonzero((distance > _SAME_PLACE) & (distance < cutoff))
    order = order[np.lexsort((distance[order], centre[order]))]
    centre, atom = centre[order], atom[order]
    shift: IntArray = image[order].astype(np.int64)
    vector = cart[atom] + shift @ lattice - around[centre]
    return Neighbours(centre, atom, shift, vector, np.linalg.norm(vector, axis=1))

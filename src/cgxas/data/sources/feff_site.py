"""Which atom of a crystal a cluster was cut around."""

import numpy as np
from numpy.typing import NDArray

from cgxas.crystals.canonical import Cell, canonical_cell
from cgxas.crystals.spec import GraphSpec
from cgxas.data.sources.item import Unusable
from cgxas.errors import InvalidCell

RADIUS = 6.0
"""Neighbours up to this distance (Angstrom) are compared, fewer where the cluster is smaller."""

TOLERANCES = (0.005, 0.05)
"""Distances (Angstrom) within which surroundings agree: first those of the crystal as written with
a few digits, then those of one that was changed slightly."""

Around = tuple[NDArray[np.int64], NDArray[np.float64]]
"""Atomic numbers and distances of neighbours, (N,) each."""


def matching_sites(
    cell: Cell, absorber: int, numbers: NDArray[np.int64], cluster: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Return the sites whose surroundings are those of the cluster, none if there are none.

    Compared are the distances to the neighbours of each element, so that it does not matter how
    the cluster is turned.

    Args:
        cell: the crystal.
        absorber: atomic number.
        numbers: (N,) of the cluster's other atoms.
        cluster: (N, 3) their places relative to the absorber, Angstrom.
    """
    distances = np.linalg.norm(cluster, axis=1)
    radius = min(RADIUS, float(distances.max(initial=0.0)))
    sites = np.flatnonzero(cell.numbers == absorber)
    around = [_distances(cell, int(site), radius + 3 * TOLERANCES[-1]) for site in sites]
    for tolerance in TOLERANCES:
        fit = [_agree(each, (numbers, distances), radius, tolerance) for each in around]
        if any(fit):
            return sites[fit]
    return sites[:0]


def single_orbit(cell: Cell, sites: NDArray[np.int64]) -> bool:
    """Tell whether sites are symmetry-equivalent, so that any of them will do."""
    if len(sites) == 1:
        return True
    orbits = canonical_cell(cell, GraphSpec().symprec).orbit_of_site[sites]
    return bool((orbits == orbits[0]).all())


def surroundings(
    cell: Cell, site: int, radius: float = RADIUS
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return atomic numbers (N,) and relative places (N, 3), Angstrom, of a site's neighbours."""
    from pymatgen.optimization.neighbors import find_points_in_spheres

    try:
        cell.refuse_impossible()
    except InvalidCell as error:
        raise Unusable("cell has no volume, or is not finite") from error
    _, other, image, distance = find_points_in_spheres(
        np.ascontiguousarray(cell.cart),
        np.ascontiguousarray(cell.cart[[site]]),
        radius,
        np.ones(3, dtype=np.int64),
        np.ascontiguousarray(cell.lattice),
    )
    is_other = distance > TOLERANCES[-1]
    places = cell.cart[other] + image @ cell.lattice - cell.cart[site]
    return cell.numbers[other[is_other]], places[is_other]


def _distances(cell: Cell, site: int, radius: float) -> Around:
    numbers, places = surroundings(cell, site, radius)
    return numbers, np.linalg.norm(places, axis=1)


def _agree(crystal: Around, cluster: Around, radius: float, tolerance: float) -> bool:
    """Compare distances element by element; a cluster may lack atoms of its outermost shell."""
    for number in np.union1d(crystal[0], cluster[0]):
        ours, theirs = (np.sort(each[1][each[0] == number]) for each in (crystal, cluster))
        wanted = theirs[theirs <= radius + tolerance]
        if len(ours) < len(wanted) or (np.abs(ours[: len(wanted)] - wanted) > tolerance).any():
            return False
        if len(ours) > len(wanted) and ours[len(wanted)] < radius - tolerance:
            return False
    return True

"""The surroundings of a site in numbers that change smoothly: what kernels compare sites by.

The neighbours of a site are a density around it, one for each property of an element that they
are weighted by. Its power spectrum (radial functions times spherical harmonics, squared and summed
over the orders; Bartok, Kondor & Csanyi, doi:10.1103/PhysRevB.87.184115) does not depend on
orientation, order or choice of cell, and fades out with the distance: there is no count, and a
small displacement makes a small change.
"""

from typing import TYPE_CHECKING, Final

import numpy as np

from cgxas.crystals.neighbours import Neighbours, neighbours
from cgxas.elements import MAX_ATOMIC_NUMBER
from cgxas.physics.properties import ELECTRONEGATIVITY, GROUP, RADIUS, ROW
from cgxas.typing import FloatArray, IntArray

if TYPE_CHECKING:
    from cgxas.crystals.canonical import Cell

REACH: Final = 4.5
"""Distance at which neighbours have faded out, Angstrom."""

PROPERTIES: Final[FloatArray] = np.stack(
    [
        (ELECTRONEGATIVITY - 2.0) / 0.8,
        (ROW - 3.5) / 1.5,
        (GROUP - 9.5) / 6.0,
        (RADIUS - 1.3) / 0.45,
    ],
    axis=1,
)
"""(103, 4) electronegativity, row, group and radius of the elements, each of about unit size."""

_DEGREES: Final = 4
# Centres of the radial functions, Angstrom: as wide as they are apart, closer where bonds are.
_CENTRES: Final[FloatArray] = np.array([1.0, 1.35, 1.7, 2.1, 2.5, 3.0, 3.5, 4.0])
_WIDTHS: Final[FloatArray] = np.array([0.3, 0.3, 0.33, 0.36, 0.4, 0.45, 0.45, 0.45])
_PAIRS: Final = np.triu_indices(len(_CENTRES))
_CHANNELS: Final = PROPERTIES.shape[1] + 1


def surroundings(cell: "Cell", atoms: IntArray) -> FloatArray:
    """Describe some sites of a crystal.

    Args:
        cell: the crystal.
        atoms: (S,) numbers of the sites.

    Returns:
        (S, D) numbers of about unit size: the power spectra, how much of which property lies how
        far away, the properties of the site's own element, the means of the properties over the
        crystal, and the share of each element in it.
    """
    near = neighbours(cell, atoms, REACH)
    density = _density(near, cell.numbers, len(atoms))
    own = PROPERTIES[cell.numbers[atoms] - 1]
    shares = np.bincount(cell.numbers - 1, minlength=MAX_ATOMIC_NUMBER) / len(cell.numbers)
    means = PROPERTIES[cell.numbers - 1].mean(axis=0)
    whole = np.tile(np.concatenate([means, shares]), (len(atoms), 1))
    return np.concatenate([_power(density), _shells(density), own, whole], axis=1)


def _density(near: Neighbours, numbers: IntArray, n_sites: int) -> FloatArray:
    """Return (S, C, N, 16): the neighbours of each site in channels, radial functions, harmonics."""
    faded = (1 - (near.distance / REACH) ** 2) ** 2
    radial = np.exp(-0.5 * ((near.distance[:, None] - _CENTRES) / _WIDTHS) ** 2) * faded[:, None]
    weight = PROPERTIES[numbers[near.atom] - 1]
    weight = np.concatenate([np.ones((len(weight), 1)), weight], axis=1)
    each = weight[:, :, None, None] * radial[:, None, :, None]
    each = each * _harmonics(near.vector / near.distance[:, None])[:, None, None, :]
    total = np.zeros((n_sites, *each.shape[1:]))
    # Sorted by centre.
    filled, first = np.unique(near.centre, return_index=True)
    if len(filled):
        total[filled] = np.add.reduceat(each, first, axis=0)
    return total


def _harmonics(unit: FloatArray) -> FloatArray:
    """Return (E, 16) real spherical harmonics, l = 0 to 3; the squares of each l sum to 1."""
    x, y, z = unit.T
    xx, yy, zz = x * x, y * y, z * z
    columns = [
        np.ones_like(x),
        *(x, y, z),
        *(3**0.5 * x * y, 3**0.5 * y * z, 3**0.5 * z * x),
        *(3**0.5 / 2 * (xx - yy), 1.5 * zz - 0.5),
        *(0.625**0.5 * y * (3 * xx - yy), 0.625**0.5 * x * (xx - 3 * yy), 15**0.5 * x * y * z),
        *(0.375**0.5 * y * (5 * zz - 1), 0.375**0.5 * x * (5 * zz - 1)),
        *(0.5 * z * (5 * zz - 3), 15**0.5 / 2 * z * (xx - yy)),
    ]
    return np.stack(columns, axis=1)


def _power(density: FloatArray) -> FloatArray:
    """Return (S, 4 C N (N + 1) / 2) power spectra of each channel."""
    degrees = [density[..., l**2 : (l + 1) ** 2] for l in range(_DEGREES)]
    power = [np.einsum("scnm,sckm->scnk", each, each) for each in degrees]
    upper = np.stack(power, axis=1)[..., *_PAIRS]
    return upper.reshape(len(density), -1)


def _shells(density: FloatArray) -> FloatArray:
    """Return (S, C N): how much of each property lies about how far away."""
    return density[..., 0].reshape(len(density), -1)

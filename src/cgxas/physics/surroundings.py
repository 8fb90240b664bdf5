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
# By how much what lies about there differs from crystal to crystal, times that for each channel:
# the units of the shells.
_AMOUNTS: Final[FloatArray] = np.outer(
    [1.0, 1.7, 1.3, 1.3, 1.4], [0.26, 0.53, 0.91, 1.3, 1.36, 1.3, 0.82, 0.38]
)
_PAIRS: Final = np.triu_indices(len(_CENTRES))
_ANGULAR: Final = 2  # channels whose angles are looked at: presence and electronegativity

# Shares of the parts in the squared distance of two sites; each part is brought to unit size.
_MEANS, _SHARES, _SHELLS, _POWER = 0.41, 0.43, 0.097, 0.052

OWN: Final = slice(0, PROPERTIES.shape[1])
"""Where a description has the properties of the site's own element."""

AROUND: Final = slice(PROPERTIES.shape[1], None)
"""Where it has all else."""


def surroundings(cell: "Cell", atoms: IntArray) -> FloatArray:
    """Describe some sites of a crystal.

    Args:
        cell: the crystal.
        atoms: (S,) numbers of the sites.

    Returns:
        (S, D) numbers: the properties of the site's own element (`OWN`), each of about unit size,
        and (`AROUND`) their means over the crystal, the share of each element in it, how much of
        which property lies how far away, and the power spectra. The latter are scaled so that the
        squared distance of two sites of an element is 1 or 2 on average.
    """
    near = neighbours(cell, atoms, REACH)
    density = _density(near, cell.numbers, len(atoms))
    own = PROPERTIES[cell.numbers[atoms] - 1]
    means = PROPERTIES[cell.numbers - 1].mean(axis=0)
    shares = np.bincount(cell.numbers - 1, minlength=MAX_ATOMIC_NUMBER) / len(cell.numbers)
    whole = np.tile(np.concatenate([_MEANS * means, _SHARES * shares]), (len(atoms), 1))
    return np.concatenate([own, whole, _shells(density), _power(density)], axis=1)


def _density(near: Neighbours, numbers: IntArray, n_sites: int) -> FloatArray:
    """Return (S, C, N, 16): neighbours by channel, radial function and harmonic."""
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


def _shells(density: FloatArray) -> FloatArray:
    """Return (S, C N): how much of each property lies about how far away."""
    return (_SHELLS / _AMOUNTS * density[..., 0]).reshape(len(density), -1)


def _power(density: FloatArray) -> FloatArray:
    """Return (S, 4 x 2 x N (N + 1) / 2) power spectra, large ones compressed."""
    harmonics = density[:, :_ANGULAR]
    degrees = [harmonics[..., degree**2 : (degree + 1) ** 2] for degree in range(_DEGREES)]
    power = [np.einsum("scnm,sckm->scnk", each, each) for each in degrees]
    upper: FloatArray = np.stack(power, axis=1)[..., *_PAIRS]
    compressed: FloatArray = _POWER * np.arcsinh(3 * upper)
    return compressed.reshape(len(density), -1)

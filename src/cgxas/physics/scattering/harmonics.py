"""Real spherical harmonics and the integrals of three of them (Gaunt coefficients)."""

from functools import cache

import numpy as np
import torch
from torch import Tensor

from cgxas.typing import FloatArray


def degrees(top: int) -> list[int]:
    """Return the l of each harmonic (l, m), l = 0..top, m = -l..l: (top + 1)^2 numbers."""
    return [degree for degree in range(top + 1) for _ in range(2 * degree + 1)]


def harmonics(directions: Tensor, top: int) -> Tensor:
    """Return real spherical harmonics, by recursions that are polynomials in x, y, z.

    No angle is taken, so that they are smooth at the poles too.

    Args:
        directions: (..., 3) unit vectors.
        top: the highest l.

    Returns:
        (..., (top + 1)^2), ordered as in `degrees`, orthonormal on the sphere.
    """
    x, y, z = directions.unbind(-1)
    one = torch.ones_like(z)
    # Real and imaginary part of (x + iy)^m.
    cosine, sine = [one], [torch.zeros_like(z)]
    for _ in range(top):
        c, s = cosine[-1], sine[-1]
        cosine.append(x * c - y * s)
        sine.append(x * s + y * c)
    # legendre[l, m]: P_lm / sin^m, normalised on the sphere.
    legendre = {(0, 0): one * (1 / np.sqrt(4 * np.pi))}
    for m in range(top + 1):
        if m:
            legendre[m, m] = legendre[m - 1, m - 1] * np.sqrt((2 * m + 1) / (2 * m))
        if m < top:
            legendre[m + 1, m] = z * legendre[m, m] * np.sqrt(2 * m + 3)
        for degree in range(m + 2, top + 1):
            a = np.sqrt((4 * degree**2 - 1) / (degree**2 - m**2))
            b = np.sqrt(((degree - 1) ** 2 - m**2) / (4 * (degree - 1) ** 2 - 1))
            legendre[degree, m] = a * (z * legendre[degree - 1, m] - b * legendre[degree - 2, m])
    root = np.sqrt(2)
    found = []
    for degree in range(top + 1):
        found += [root * legendre[degree, m] * sine[m] for m in range(degree, 0, -1)]
        found.append(legendre[degree, 0])
        found += [root * legendre[degree, m] * cosine[m] for m in range(1, degree + 1)]
    return torch.stack(found, dim=-1)


@cache
def gaunt(top: int) -> FloatArray:
    """Return the integrals of three real harmonics over the sphere.

    Args:
        top: the highest l of the first two; the third goes to twice that.

    Returns:
        ((top + 1)^2, (top + 1)^2, (2 top + 1)^2), by a quadrature that is exact for them.
    """
    n = 4 * top + 2
    cosine, weight = np.polynomial.legendre.leggauss(n)
    angle = np.arange(2 * n) * np.pi / n
    z, phi = (grid.ravel() for grid in np.meshgrid(cosine, angle, indexing="ij"))
    sine = np.sqrt(1 - z**2)
    points = torch.from_numpy(np.stack([sine * np.cos(phi), sine * np.sin(phi), z], axis=1))
    area = np.repeat(weight * np.pi / n, 2 * n)
    third = harmonics(points, 2 * top).numpy()
    first = third[:, : (top + 1) ** 2]
    return np.asarray(np.einsum("pa,pb,pc,p->abc", first, first, third, area, optimize=True))

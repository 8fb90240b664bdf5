"""The free electron between all pairs of atoms of a cluster, in angular momenta.

The factors i^(l - l') that the propagator usually carries are left out: they are a diagonal
similarity transform, which commutes with the diagonal scattering matrices and leaves every trace
over one l alone. What remains is a symmetric matrix, and the pairs r and -r differ only by the
sign (-1)^(l + l').
"""

from functools import cache

import torch
from torch import Tensor

from cgxas.physics.scattering.harmonics import degrees, gaunt, harmonics


def outgoing(x: Tensor, top: int) -> Tensor:
    """Return outgoing spherical waves i (-i)^l h_l(x), the first of which is exp(ix)/x.

    Args:
        x: (...) complex, k times r.
        top: the highest l.

    Returns:
        (..., top + 1).
    """
    inverse = 1 / x
    waves = [torch.exp(1j * x) * inverse]
    waves.append(-waves[0] * (1 + 1j * inverse))
    for degree in range(1, top):
        waves.append(waves[degree - 1] - (2 * degree + 1) * 1j * inverse * waves[degree])
    return torch.stack(waves[: top + 1], dim=-1)


@cache
def _coupling(top: int) -> Tensor:
    """Return ((2 top + 1)^2, (top + 1)^4): 4 pi times the Gaunt coefficients, third index first."""
    table = torch.from_numpy(gaunt(top)) * (4 * torch.pi)
    return table.permute(2, 0, 1).reshape(table.shape[2], -1)


def directions(unit: Tensor, top: int) -> Tensor:
    """Return how each l of the outgoing wave couples two angular momenta along a direction.

    It does not depend on the energy.

    Args:
        unit: (P, 3) unit vectors.
        top: the highest l of an atom.

    Returns:
        (P, 2 top + 1, (top + 1)^4) real.
    """
    waves = harmonics(unit, 2 * top)
    coupling = _coupling(top).to(waves)
    size = [2 * degree + 1 for degree in range(2 * top + 1)]
    summed = [
        ylm @ part
        for ylm, part in zip(waves.split(size, dim=1), coupling.split(size, dim=0), strict=True)
    ]
    return torch.stack(summed, dim=1)


def propagator(positions: Tensor, k: Tensor, top: int) -> Tensor:
    """Return the free propagator of a cluster, zero between an atom and itself.

    Args:
        positions: (N, 3), bohr.
        k: (E,) complex wave numbers, 1/bohr.
        top: the highest l.

    Returns:
        (E, N (top + 1)^2, N (top + 1)^2) complex, dimensionless, symmetric.
    """
    n, size = len(positions), (top + 1) ** 2
    first, second = torch.triu_indices(n, n, offset=1)
    vector = positions[first] - positions[second]
    distance = torch.linalg.vector_norm(vector, dim=1)
    coupling = directions(vector / distance[:, None], top)
    waves = outgoing(distance[:, None] * k[None], 2 * top)  # (P, E, l)
    # One product of real matrices for each pair, for all energies, parts and momenta.
    parts = torch.view_as_real(waves).transpose(2, 3).flatten(1, 2)
    pairs = (parts @ coupling).unflatten(1, (len(k), 2)).unflatten(3, (size, size))
    pairs = torch.complex(pairs[:, :, 0], pairs[:, :, 1])  # (P, E, L, L')
    sign = torch.tensor([(-1.0) ** degree for degree in degrees(top)]).to(coupling)
    full = pairs.new_zeros(len(k), n, size, n, size)
    full[:, first, :, second] = pairs
    full[:, second, :, first] = pairs * (sign[:, None] * sign)
    return full.reshape(len(k), n * size, n * size)

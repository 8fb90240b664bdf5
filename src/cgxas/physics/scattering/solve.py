"""What the neighbours of an absorber add to its p waves: the multiple-scattering equation."""

import torch
from torch import Tensor

from cgxas.physics.scattering.propagator import coupled, directions, outgoing

# Energies solved together: few enough for their matrices to stay in the cache of a core.
_AT_ONCE = 8


def scattering_trace(positions: Tensor, k: Tensor, phases: Tensor, fade: Tensor) -> Tensor:
    """Return the scattering part of the absorber's p waves, one number for each energy.

    G = G0 (1 - t G0)^-1 with t = (exp(2 i delta) - 1) / 2i, its p block on the absorber averaged
    over the three directions.

    Args:
        positions: (N, 3) the absorber first, bohr.
        k: (E,) complex wave numbers, 1/bohr.
        phases: (N, top + 1, E) complex phase shifts, top at least 1.
        fade: (N,) 0 to 1, what of its scattering an atom keeps.

    Returns:
        (E,) complex: -1/9 of the trace, as it multiplies the squared dipole matrix elements.
    """
    n, top = len(positions), phases.shape[1] - 1
    vector = positions[:, None] - positions[None]
    itself = torch.eye(n, dtype=positions.dtype, device=positions.device)
    # A distance of 1 on the diagonal keeps slopes finite; what it couples is set to zero.
    distance = torch.sqrt((vector**2).sum(dim=2) + itself)
    couplings = {
        key: value * (1 - itself)[:, None]
        for key, value in directions(vector / distance[..., None], top).items()
    }
    t = (torch.exp(2j * phases) - 1) / 2j * fade[:, None, None]
    traces = []
    for first in range(0, len(k), _AT_ONCE):
        some = k[first : first + _AT_ONCE]
        t_some = t[:, :, first : first + _AT_ONCE]
        waves = outgoing(distance * some[:, None, None], 2 * top)
        traces.append(_trace(waves, couplings, list(t_some.permute(1, 2, 0))))
    return torch.cat(traces) / -9


def _trace(
    waves: list[Tensor], couplings: dict[tuple[int, int, int], Tensor], t: list[Tensor]
) -> Tensor:
    n = waves[0].shape[1]
    # G0 (1 - t G0)^-1, transposed: in memory, a transposed matrix is what LAPACK works on.
    system = coupled(waves, couplings, [-of_l for of_l in t])
    system.diagonal(dim1=1, dim2=2).add_(1)
    absorber = coupled(
        [wave[:, :1] for wave in waves],
        {key: value[:, :1] for key, value in couplings.items()},
        [torch.ones_like(of_l[:, :1]) for of_l in t],
    )
    full = torch.linalg.solve(system.mT, absorber[:, 1:4].mT)
    return torch.stack([full[:, (1 + m) * n, m] for m in range(3)]).sum(dim=0)

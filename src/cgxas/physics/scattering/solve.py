"""What the neighbours of an absorber add to its p waves: the multiple-scattering equation."""

import torch
from torch import Tensor

from cgxas.physics.scattering.harmonics import degrees
from cgxas.physics.scattering.propagator import propagator

# Energies solved together: their matrices stay in the cache of one core.
_AT_ONCE = 16


def scattering_trace(positions: Tensor, k: Tensor, phases: Tensor, fade: Tensor) -> Tensor:
    """Return the scattering part of the absorber's p waves, one number for each energy.

    G = (1 - G0 t)^-1 G0 with t = (exp(2 i delta) - 1) / 2i, its p block on the absorber averaged
    over the three directions.

    Args:
        positions: (N, 3) the absorber first, bohr.
        k: (E,) complex wave numbers, 1/bohr.
        phases: (N, top + 1, E) complex phase shifts.
        fade: (N,) 0 to 1, what of its scattering an atom keeps.

    Returns:
        (E,) complex: -1/9 of the trace, as it multiplies the squared dipole matrix elements.
    """
    top = phases.shape[1] - 1
    degree = torch.tensor(degrees(top))
    scattered = (torch.exp(2j * phases) - 1) / 2j * fade[:, None, None]
    t = scattered[:, degree].flatten(0, 1).T  # (E, N L)
    traces = [
        _trace(propagator(positions, some, top), t_some)
        for some, t_some in zip(k.split(_AT_ONCE), t.split(_AT_ONCE), strict=True)
    ]
    return torch.cat(traces) / -9


def _trace(free: Tensor, t: Tensor) -> Tensor:
    system = torch.eye(t.shape[1], dtype=free.dtype, device=free.device) - free * t[:, None, :]
    full = torch.linalg.solve(system, free[:, :, 1:4])
    return full[:, 1:4].diagonal(dim1=1, dim2=2).sum(dim=1)

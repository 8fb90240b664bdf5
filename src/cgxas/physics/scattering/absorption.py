"""The spectrum of a cluster, from how its atoms scatter."""

from typing import Final

import numpy as np
import torch
from torch import Tensor

from cgxas.physics.free_atoms import HARTREE
from cgxas.physics.scattering.cluster import Cluster
from cgxas.physics.scattering.fermi import fermi_cut
from cgxas.physics.scattering.potentials import FERMI, NODES, SLOPE, TO_POINTS, Potentials
from cgxas.physics.scattering.solve import scattering_trace
from cgxas.spectra.axis import FEFF_POINTS
from cgxas.typing import FloatArray

_LOWEST: Final = 0.005 / HARTREE  # where the contour begins above the Fermi level
_UP: Final = 8  # points of the contour on its way up to half the core hole's width


def absorption(cluster: Cluster, potentials: Potentials) -> FloatArray:
    """Return the normalised absorption of a cluster on FEFF's 100 points.

    Args:
        cluster: N atoms.
        potentials: of the same N atoms.
    """
    with torch.inference_mode():
        mu = absorption_of(
            torch.from_numpy(cluster.positions).float(),
            torch.from_numpy(cluster.fade).float(),
            torch.tensor(potentials.depth),
            *(
                torch.from_numpy(curve).to(torch.complex64)
                for curve in (
                    potentials.self_energy,
                    potentials.phases,
                    potentials.own,
                    potentials.dipole,
                )
            ),
            half_width=potentials.half_width,
        )
    return np.asarray(mu.double().numpy())


def absorption_of(
    positions: Tensor,
    fade: Tensor,
    depth: Tensor,
    self_energy: Tensor,
    phases: Tensor,
    own: Tensor,
    dipole: Tensor,
    *,
    half_width: float,
) -> Tensor:
    """Return the same as `absorption`, of tensors: differentiable in all of them.

    Single precision is enough, and twice as fast as double.

    Args:
        positions: (N, 3), bohr.
        fade: (N,) as in `Cluster`.
        depth: (), and the following, as in `Potentials`.
        self_energy: (31,) complex.
        phases: (N, top + 1, 31) complex.
        own: (31,) complex.
        dipole: (31,) complex.
        half_width: half the core-hole width.

    Returns:
        (100,).
    """
    nodes = torch.from_numpy(NODES).to(positions)
    to_points = torch.from_numpy(TO_POINTS).to(own)
    # The scattering is asked for at the nodes, and at two heights above the Fermi level.
    heights = torch.tensor([_LOWEST, half_width / 2]).to(positions)
    k = torch.cat(
        [
            _wave_number(nodes + 1j * half_width + depth - self_energy),
            _wave_number(1j * heights + depth - self_energy[0]),
        ]
    )
    risen = torch.cat([_raised(phases, half_width), _above_fermi(phases, heights)], dim=-1)
    trace = scattering_trace(positions, k, risen, fade)
    at_nodes, up = trace[: len(nodes)], trace[len(nodes) :]
    level = to_points @ _raised(own, half_width)
    level = level + to_points @ _raised(dipole, half_width) * (to_points @ at_nodes)
    way_up = _LOWEST * (half_width / _LOWEST) ** (torch.arange(_UP).to(positions) / _UP)
    known = torch.cat([heights, heights.new_tensor([half_width])])
    scattered = _through(known, torch.cat([up, at_nodes[:1]]), way_up)
    risen_own, risen_dipole = _above_fermi(own, way_up), _above_fermi(dipole, way_up)
    omega = torch.from_numpy(FEFF_POINTS / HARTREE).to(positions)
    return fermi_cut(
        omega,
        half_width,
        torch.cat([1j * way_up, omega[FERMI:] + 1j * half_width]),
        torch.cat([risen_own + risen_dipole * scattered, level]),
        torch.cat([level[:1].expand(FERMI), level]),
    ).imag


def _wave_number(kinetic: Tensor) -> Tensor:
    return torch.sqrt(2 * kinetic)


def _raised(curve: Tensor, height: float) -> Tensor:
    """Return (..., 31) a curve at its nodes plus i times a height, by a Taylor series."""
    slope = torch.from_numpy(SLOPE.T).to(curve)
    first = curve @ slope
    return curve + 1j * height * first - height**2 / 2 * (first @ slope)


def _above_fermi(curve: Tensor, heights: Tensor) -> Tensor:
    """Return (..., H) a curve at i times some heights above its first node."""
    slope = curve @ torch.from_numpy(SLOPE[0]).to(curve)
    return curve[..., :1] + 1j * heights * slope[..., None]


def _through(x: Tensor, y: Tensor, wanted: Tensor) -> Tensor:
    """Return the polynomial through a few points, at other ones (Lagrange)."""
    n = len(x)
    away = wanted[:, None] - x
    factors = [
        torch.stack([away[:, j] / (x[i] - x[j]) for j in range(n) if j != i]).prod(dim=0)
        for i in range(n)
    ]
    return torch.stack(factors, dim=1).to(y) @ y

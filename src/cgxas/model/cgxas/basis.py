"""Edge features: Gaussians of exp(-d) and plane waves of the cell (SPEC section 3)."""

import math
from itertools import product

import torch
from torch import Tensor


def envelope(distance: Tensor, cutoff: float) -> Tensor:
    """Return 1 - 10 x^3 + 15 x^4 - 6 x^5 of x = d / cutoff: 1 at 0, smoothly 0 at the cutoff."""
    x = distance / cutoff
    return 1 - x**3 * (10 - 15 * x + 6 * x**2)


def gaussian_basis(distance: Tensor, n_gaussians: int, cutoff: float) -> Tensor:
    """Return (..., n_gaussians) Gaussians in exp(-d), damped by the envelope.

    Args:
        distance: (...) distances, Angstrom.
        n_gaussians: how many.
        cutoff: Angstrom.
    """
    edge = math.exp(-cutoff)
    steps = torch.arange(1, n_gaussians + 1, dtype=distance.dtype, device=distance.device)
    centres = edge + (1 - edge) * steps / n_gaussians
    beta = (2 / n_gaussians * (1 - edge)) ** -2
    spread = torch.exp(-distance)[..., None] - centres
    return envelope(distance, cutoff)[..., None] * torch.exp(-beta * spread**2)


def plane_waves(fractional: Tensor, volume: Tensor, wave_numbers: int) -> Tensor:
    """Return (..., wave_numbers^3) waves cos(k.v)/sqrt(V); the third axis' number runs fastest.

    Args:
        fractional: (..., 3) edge vectors in units of the cell vectors, so that k.v is
            2 pi times the wave numbers times them.
        volume: (...) volume of the cell, cubic Angstrom.
        wave_numbers: numbers per axis; 4 gives -3/8, -1/8, 1/8, 3/8.
    """
    axis = [(2 * n + 1 - wave_numbers) / (2 * wave_numbers) for n in range(wave_numbers)]
    waves = fractional.new_tensor(list(product(axis, repeat=3)))
    return torch.cos(2 * math.pi * fractional @ waves.T) / volume.sqrt()[..., None]

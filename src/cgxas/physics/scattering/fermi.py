"""Occupied states removed and the core hole's width put in, by a contour in complex energy."""

import torch
from torch import Tensor

_SAME = 1e-4  # Hartree


def fermi_cut(omega: Tensor, width: float, path: Tensor, values: Tensor, levels: Tensor) -> Tensor:
    """Return a cross-section broadened by the core hole and cut at the Fermi level.

    All energies are relative to the Fermi level. The contour goes from the Fermi level up to half
    the core hole's width, then to the right.

    Args:
        omega: (W,) real energies that are asked for.
        width: half the core-hole width.
        path: (P,) complex points of the contour.
        values: (P,) complex cross-section on them, linear in between.
        levels: (W,) complex cross-section at omega + i width; below the Fermi level, that at it.

    Returns:
        (W,) complex; its imaginary part is the absorption.
    """
    w = omega[:, None].to(levels.dtype)
    rest = values[None] - levels[:, None]
    offset = torch.where(omega.abs() < _SAME, torch.zeros_like(omega), omega)
    height = path[0].imag
    step = levels * (0.5 + torch.atan(omega / width) / torch.pi)
    start = width / torch.pi / (width**2 + (1j * height - offset) ** 2) * rest[:, 0] * 1j * height
    a, b = path[None, :-1], path[None, 1:]
    fa, fb = rest[:, :-1], rest[:, 1:]
    above, below = w + 1j * width, w - 1j * width
    # Where the contour passes through the pole, the rest vanishes there.
    at_pole = ((a - above).abs() <= _SAME) | ((b - above).abs() <= _SAME)
    aside = torch.where(at_pole, above + 1, above)
    upper = torch.log((b - aside) / (a - aside)) * (fa * (b - aside) + fb * (aside - a))
    upper = torch.where(at_pole, torch.zeros_like(upper), upper)
    lower = torch.log((b - below) / (a - below)) * (fa * (b - below) + fb * (below - a))
    return step + start + ((upper - lower) / (b - a)).sum(dim=1) / (2j * torch.pi)

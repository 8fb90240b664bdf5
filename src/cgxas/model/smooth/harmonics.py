"""Real spherical harmonics as polynomials of a direction, and smooth radial functions."""

import math

import torch
from torch import Tensor, nn

MAX_DEGREE = 3
_NEAREST = 0.8  # Angstrom; no bond between atoms other than hydrogen is as short


def harmonics(direction: Tensor, degree: int) -> list[Tensor]:
    """Return the real spherical harmonics of each degree l = 0 .. degree: (..., 2 l + 1).

    They are scaled such that their squares add up to 2 l + 1.

    Args:
        direction: (..., 3) unit vectors.
        degree: up to 3.
    """
    x, y, z = direction.unbind(-1)
    found = [torch.ones_like(x)[..., None]]
    if degree >= 1:
        found.append(math.sqrt(3) * torch.stack([x, y, z], -1))
    if degree >= 2:
        a = math.sqrt(15)
        found.append(
            torch.stack(
                [
                    a * x * y,
                    a * y * z,
                    math.sqrt(5) / 2 * (3 * z * z - 1),
                    a * x * z,
                    a / 2 * (x * x - y * y),
                ],
                -1,
            )
        )
    if degree >= MAX_DEGREE:
        a, b, c = math.sqrt(35 / 8), math.sqrt(105), math.sqrt(21 / 8)
        found.append(
            torch.stack(
                [
                    a * y * (3 * x * x - y * y),
                    b * x * y * z,
                    c * y * (5 * z * z - 1),
                    math.sqrt(7) / 2 * z * (5 * z * z - 3),
                    c * x * (5 * z * z - 1),
                    b / 2 * z * (x * x - y * y),
                    a * x * (x * x - 3 * y * y),
                ],
                -1,
            )
        )
    return found


class RadialFunctions(nn.Module):
    """Gaussians of the distance, faded out towards a reach: cos^2, smooth there and zero beyond.

    Attributes:
        reach: Angstrom.
        centres: (R,) Angstrom.
    """

    def __init__(self, count: int, reach: float) -> None:
        super().__init__()
        self.reach = reach
        self.width = (reach - _NEAREST) / (count - 1)
        self.centres: Tensor
        self.register_buffer("centres", torch.linspace(_NEAREST, reach, count), persistent=False)

    def forward(self, distance: Tensor) -> Tensor:
        """Return (..., R) functions of distances in Angstrom."""
        inside = distance.clamp_max(self.reach)
        fade = torch.cos(inside * (math.pi / 2 / self.reach)) ** 2
        steps = (distance[..., None] - self.centres) / self.width
        return torch.exp(-0.5 * steps**2) * fade[..., None]

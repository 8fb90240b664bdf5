"""What a training step makes small."""

from torch import Tensor


def rse_loss(predicted: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Return (T,) sums of w (p - t)^2 over sums of w t^2 (SPEC section 5)."""
    misfit = (weight * (predicted - target) ** 2).sum(dim=1)
    return misfit / (weight * target**2).sum(dim=1)


def slope_rse(predicted: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Return (T,) RSE of the first differences, which have (T, P - 1) weights of their own."""
    return rse_loss(predicted.diff(dim=1), target.diff(dim=1), weight)

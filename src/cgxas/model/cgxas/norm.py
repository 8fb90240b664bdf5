"""Batch norm over the batch of all processes, however many share a training step."""

from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch._compile import _disable_dynamo


class BatchNorm(nn.BatchNorm1d):
    """Batch norm whose statistics, in training, are those of all processes' rows together.

    torch's own SyncBatchNorm does this on GPUs alone, and is another class in the checkpoint.
    The statistics are plain sums here: torch's batch norm on the CPU adds its rows up one by one,
    which costs float32 gradients two digits.
    """

    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor
    momentum: float

    def forward(self, x: Tensor) -> Tensor:
        """(N, F) -> (N, F)."""
        # Compiled, it is the other way round: the compiler's own batch norm is the exact one.
        if not self.training or (torch.compiler.is_compiling() and not _several()):
            return super().forward(x)
        count, total = _together(x.new_tensor(float(len(x))), x.sum(dim=0))
        mean = total / count
        centred = x - mean
        (squares,) = _together((centred**2).sum(dim=0))
        variance = squares / count
        with torch.no_grad():
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(squares / (count - 1).clamp_min(1), self.momentum)
            self.num_batches_tracked += 1
        return centred * torch.rsqrt(variance + self.eps) * self.weight + self.bias


def _several() -> bool:
    """Whether other processes share the step."""
    return distributed.is_available() and distributed.is_initialized()


def _together(*values: Tensor) -> tuple[Tensor, ...]:
    """Return the sums of all processes' values."""
    if not _several():
        return values
    return tuple([_sum(value) for value in values])  # the compiler skips what holds a generator


@_disable_dynamo  # torch.compiler.disable would import the compiler at once: seconds for nothing
def _sum(value: Tensor) -> Tensor:
    total: Tensor = _SumOverProcesses.apply(value)  # type: ignore[no-untyped-call]
    return total


class _SumOverProcesses(torch.autograd.Function):
    """A sum over processes whose gradient is the sum of their gradients."""

    @staticmethod
    def forward(_: Any, value: Tensor) -> Tensor:
        total = value.clone()
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(_: Any, gradient: Tensor) -> Tensor:
        total = gradient.clone()
        distributed.all_reduce(total)
        return total

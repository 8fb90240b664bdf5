"""The processes that share a training step, and the device each of them computes on.

Started by torchrun (``torchrun --nproc-per-node 4 -m cgxas train ...``), over any number of
nodes; without it there is one process.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel


@dataclass(frozen=True)
class Processes:
    """This process among the others.

    Attributes:
        rank: its number.
        count: how many there are.
        device: where it computes.
    """

    rank: int
    count: int
    device: torch.device

    @property
    def is_first(self) -> bool:
        """Whether this is the one that writes files and tells of the run."""
        return self.rank == 0

    def wait(self) -> None:
        """Wait until all have come here."""
        if self.count > 1:
            distributed.barrier()

    def sum(self, value: Tensor) -> Tensor:
        """Return the sum of all processes' values, without a gradient."""
        total = value.detach().clone()
        if self.count > 1:
            distributed.all_reduce(total)
        return total

    def shared(self, module: nn.Module) -> nn.Module:
        """Return the module with its gradients averaged over the processes."""
        if self.count == 1:
            return module
        # Every process computes the same statistics, so there is nothing to broadcast.
        return DistributedDataParallel(module, broadcast_buffers=False)


ALONE = Processes(0, 1, torch.device("cpu"))
"""The only process, on the CPU."""


@contextmanager
def processes() -> Iterator[Processes]:
    """Join the processes torchrun started, if it did, for the length of the block."""
    count = int(os.environ.get("WORLD_SIZE", "1"))
    local = int(os.environ.get("LOCAL_RANK", "0"))
    on_gpu = torch.cuda.is_available()
    device = torch.device("cuda", local) if on_gpu else torch.device("cpu")
    if on_gpu:
        torch.cuda.set_device(device)
        torch.set_float32_matmul_precision("high")  # tensor cores, in TF32
    if count == 1:
        yield Processes(0, 1, device)
        return
    distributed.init_process_group("nccl" if on_gpu else "gloo")
    try:
        yield Processes(distributed.get_rank(), count, device)
    finally:
        distributed.destroy_process_group()

"""Where a screening is computed, and in what pieces."""

import os
from dataclasses import dataclass

from cgxas.arguments import as_whole_number
from cgxas.errors import ConfigError


@dataclass(frozen=True)
class Where:
    """Where a screening is computed, and in what pieces; none of it changes an answer.

    Attributes:
        workers: processes on this machine; None: as many as it gives processors.
        shard: (i, n): this run makes every n-th part from the i-th on, counted from 1; n runs, on
            any machines that share the folder, make all.
        ray: address of a Ray cluster that computes instead, "auto" or "host:port"; "local" starts
            one on this machine.
        device: where the networks compute, such as "cuda".
        part_size: crystals of a part, which is what a killed run loses at most.

    Raises:
        ConfigError: a number is out of range.
    """

    workers: int | None = None
    shard: tuple[int, int] = (1, 1)
    ray: str | None = None
    device: str = "cpu"
    part_size: int = 500

    def __post_init__(self) -> None:
        for name in ("workers", "part_size"):
            if getattr(self, name) is not None:
                as_whole_number(getattr(self, name), 1, name, ConfigError)
        index, of = (as_whole_number(each, 1, "a shard", ConfigError) for each in self.shard)
        if index > of:
            raise ConfigError(f"shard {index} of {of}: shards are counted from 1 to their number")

    @property
    def processes(self) -> int:
        """How many processes compute on this machine."""
        return self.workers or len(os.sched_getaffinity(0))

    def has(self, part: int) -> bool:
        """Tell whether a part is made by this run."""
        return part % self.shard[1] == self.shard[0] - 1

"""Crystal graphs side by side as tensors."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cgxas.crystals.graph import CrystalGraph


@dataclass(frozen=True, eq=False)
class GraphBatch:
    """The nodes of several graphs in one list, neighbours renumbered.

    Attributes:
        numbers: (N,) int64 atomic numbers.
        neighbour_index: (N, K) int64 node at the other end of each edge, within the batch.
        distance: (N, K) Angstrom; the cutoff in empty slots.
        vector: (N, K, 3) from the node to its neighbour, Angstrom; None if not wanted.
        fractional: (N, K, 3) edge vectors in units of the cell vectors; None if not wanted.
        volume: (N,) volume of the node's cell, cubic Angstrom; None likewise.
        mask: (N, K) which slots hold a neighbour.
        offsets: first node of each graph, and N at the end.
    """

    numbers: Tensor
    neighbour_index: Tensor
    distance: Tensor
    vector: Tensor | None
    fractional: Tensor | None
    volume: Tensor | None
    mask: Tensor
    offsets: tuple[int, ...]

    def to(self, device: torch.device | str) -> Self:
        """Return the batch on another device."""
        tensors: dict[str, Any] = {
            n: v.to(device) for n, v in vars(self).items() if isinstance(v, Tensor)
        }
        return replace(self, **tensors)


def collate(graphs: Sequence[CrystalGraph], dtype: torch.dtype = torch.float32) -> GraphBatch:
    """Join graphs into one batch; a batch gives each of them what it gets alone."""
    sizes = [len(graph.numbers) for graph in graphs]
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    index = [g.neighbour_index + offset for g, offset in zip(graphs, offsets[:-1], strict=True)]
    fractional = [graph.fractional for graph in graphs]
    volume = [np.full(n, g.volume) for g, n in zip(graphs, sizes, strict=True)]
    vector = _joined([graph.neighbour_vector for graph in graphs], 0.0)
    distance = _joined([graph.distance for graph in graphs], graphs[0].cutoff)
    return GraphBatch(
        numbers=torch.from_numpy(np.concatenate([graph.numbers for graph in graphs])),
        neighbour_index=torch.from_numpy(_joined(index, 0).astype(np.int64)),
        distance=torch.from_numpy(distance).to(dtype),
        vector=torch.from_numpy(vector).to(dtype),
        fractional=torch.from_numpy(_joined(fractional, 0.0)).to(dtype),
        volume=torch.from_numpy(np.concatenate(volume)).to(dtype),
        mask=torch.from_numpy(distance.astype(np.float32) < np.float32(graphs[0].cutoff)),
        offsets=tuple(int(offset) for offset in offsets),
    )


def _joined(arrays: Sequence[NDArray[Any]], empty: float) -> NDArray[Any]:
    """Return (N_i, K_i, ...) arrays in one, slots that some do not have filled up."""
    most = max(array.shape[1] for array in arrays)
    return np.concatenate(
        [
            np.pad(
                array,
                [(0, 0), (0, most - array.shape[1])] + [(0, 0)] * (array.ndim - 2),
                constant_values=empty,
            )
            for array in arrays
        ]
    )

"""CGXAS: crystal graph -> site vectors -> K-edge spectra.

Sources: Lin et al., arXiv:2512.23449; geo-CGNN, Cheng et al., doi:10.1038/s43246-021-00194-3.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from cgxas.crystals.batch import GraphBatch
from cgxas.model.architecture import Architecture, Targets
from cgxas.model.cgxas.basis import gaussian_basis, plane_waves
from cgxas.model.cgxas.config import Activation, CGXASConfig
from cgxas.model.cgxas.layers import (
    DenseLayer,
    EdgeWeights,
    Embedding,
    GatedConvolution,
    GraphModule,
)


class CGXAS(Architecture):
    """The network of SPEC section 4."""

    settings_class = CGXASConfig
    references = ("arXiv:2512.23449", "doi:10.1038/s43246-021-00194-3")
    config: CGXASConfig

    def __init__(self, config: CGXASConfig) -> None:
        super().__init__(config)
        self.embedding = Embedding(config.hidden)
        modules = [GraphModule(config) for _ in range(config.n_modules)]
        self.graph_modules: Sequence[GraphModule] = nn.ModuleList(modules)  # type: ignore[assignment]
        widths = [config.hidden] * config.n_head_layers + [config.n_outputs]
        layers = [DenseLayer(a, b, config.head_activation) for a, b in pairwise(widths)]
        self.head_layers: Sequence[DenseLayer] = nn.ModuleList(layers)  # type: ignore[assignment]
        if config.fidelities:
            # At first every theory is the same to the network.
            table = torch.zeros(len(config.fidelities), config.hidden)
            self.fidelity_vectors = nn.Parameter(table)

    @property
    def vector_size(self) -> int:
        """H, length of a site vector."""
        return self.config.hidden

    def embed(self, batch: GraphBatch, nodes: Tensor | None = None) -> Tensor:
        """Return the (S, H) vectors v = x0 + sum_t x^t / t! of the wanted nodes, all if None."""
        x: Tensor = self.embedding(batch.numbers)
        vector = x
        basis = self.edge_basis(batch)
        scale, mask = (1 / batch.distance)[..., None], batch.mask[..., None].to(x.dtype)
        for t, module in enumerate(self.graph_modules, start=1):
            x = module(x, batch.neighbour_index, scale, mask, basis)
            vector = vector + x / math.factorial(t)
        return vector if nodes is None else vector[nodes]

    def edge_basis(self, batch: GraphBatch) -> tuple[Tensor, Tensor | None]:
        """Return the (K N, n_gaussians) Gaussians and (K N, n_waves) plane waves."""
        count, cutoff = self.config.n_gaussians, self.config.graph.cutoff
        gaussians = gaussian_basis(batch.distance, count, cutoff).flatten(0, 1)
        if not self.config.wave_numbers or batch.fractional is None or batch.volume is None:
            return gaussians, None
        volume = batch.volume[:, None].expand_as(batch.distance)
        waves = plane_waves(batch.fractional, volume, self.config.wave_numbers)
        return gaussians, waves.flatten(0, 1)

    def head(self, vectors: Tensor, fidelity: Tensor | None = None) -> Tensor:
        """Return (S, n_outputs) spectra of (S, H) site vectors.

        Args:
            vectors: (S, H) site vectors.
            fidelity: (S,), or one for all: number of the theory in `config.fidelities`; its
                learnt vector is added to the site vector. The first one if None.
        """
        if self.config.fidelities:
            table = self.fidelity_vectors
            vectors = vectors + (table[0] if fidelity is None else table[fidelity])
        if self.config.dropout:
            vectors = functional.dropout(vectors, self.config.dropout, self.training)
        for layer in self.head_layers:
            vectors = layer(vectors)
        return torch.relu(vectors)

    def idle_parameters(self) -> Iterator[nn.Parameter]:
        """Yield the biases that a batch norm takes away again in training."""
        for module in self.modules():
            if isinstance(module, DenseLayer):
                yield module.linear.bias
            elif isinstance(module, GatedConvolution):
                yield module.pair.bias
            elif isinstance(module, EdgeWeights) and self.config.wave_numbers:
                yield module.wave_gate.bias

    @torch.no_grad()
    def start_from(self, targets: Targets) -> None:
        """Let an untrained head answer with the mean spectrum.

        Otherwise the last batch norm spends the first thousand steps on finding it.

        Args:
            targets: what is to be learnt.
        """
        total = targets.weight.sum(dim=0).clamp_min(1e-6)
        mean = (targets.weight * targets.norm).sum(dim=0) / total
        spread = ((targets.weight * (targets.norm - mean) ** 2).sum(dim=0) / total).sqrt()
        norm = self.head_layers[-1].norm
        norm.bias.copy_(_before(self.config.head_activation, mean.clamp_min(1e-3)))
        norm.weight.copy_(spread)


def _before(name: Activation, value: Tensor) -> Tensor:
    """Return what the activation turns into a positive value (bisection for SiLU)."""
    if name == "elu":
        return value
    low, high = torch.zeros_like(value), value + 1
    for _ in range(40):
        middle = (low + high) / 2
        above = functional.silu(middle) > value
        low, high = torch.where(above, low, middle), torch.where(above, middle, high)
    return high

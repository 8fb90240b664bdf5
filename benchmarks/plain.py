"""The network as the paper writes it, edge by edge: what `training.py` measures against.

Every edge carries its own f_ij = [h_i ; h_j ; (h_i - h_j)/d_ij], two separate linear maps read it
(Lin et al., arXiv:2512.23449), and messages are added up at their nodes by a scatter, as in
geo-CGNN (Cheng et al., doi:10.1038/s43246-021-00194-3). It shares settings, one-hot features and
the choice of activations with `cgxas.model`, nothing else; dropout is left out.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn

from cgxas.crystals.batch import GraphBatch
from cgxas.model.cgxas.config import CGXASConfig
from cgxas.model.cgxas.layers import activation, node_features
from cgxas.model.cgxas.network import CGXAS

_GATE_AND_MESSAGE = {"pair": ("gate", "message"), "pair_norm": ("gate_norm", "message_norm")}

Basis = tuple[Tensor, Tensor | None]


def looped_basis(batch: GraphBatch, config: CGXASConfig) -> Basis:
    """Return (E, n_gaussians) and (E, n_waves), one column after the other in Python loops."""
    distance = batch.distance.flatten()
    cutoff: float = config.graph.cutoff
    x, edge, count = distance / cutoff, math.exp(-cutoff), config.n_gaussians
    width = 2 / count * (1 - edge)
    gaussians = []
    for n in range(1, count + 1):
        envelope = 1 - 10 * x**3 + 15 * x**4 - 6 * x**5
        centre = edge + (1 - edge) / count * n
        gaussians.append(envelope * torch.exp(-((torch.exp(-distance) - centre) ** 2) / width**2))
    if not config.wave_numbers or batch.fractional is None or batch.volume is None:
        return torch.stack(gaussians, dim=1), None
    fractional = batch.fractional.flatten(0, 1)
    root = batch.volume.sqrt().repeat_interleave(batch.distance.shape[1])
    q = config.wave_numbers
    numbers = [(2 * r - q - 1) / 2 / q for r in range(1, q + 1)]
    waves = []
    for a in numbers:
        for b in numbers:
            for c in numbers:
                phase = a * fractional[:, 0] + b * fractional[:, 1] + c * fractional[:, 2]
                waves.append(torch.cos(2 * math.pi * phase) / root)
    return torch.stack(gaussians, dim=1), torch.stack(waves, dim=1)


class PlainModule(nn.Module):
    """One gated convolution over materialised f_ij, unit length, and a one-layer perceptron."""

    def __init__(self, config: CGXASConfig) -> None:
        super().__init__()
        width, n_waves = config.hidden, config.n_waves
        self.gate, self.message = nn.Linear(3 * width, width), nn.Linear(3 * width, width)
        self.gate_norm, self.message_norm = nn.BatchNorm1d(width), nn.BatchNorm1d(width)
        self.radial = nn.Linear(config.n_gaussians, width)
        if n_waves:
            self.wave_gate = nn.Linear(n_waves, n_waves)
            self.wave_norm = nn.BatchNorm1d(n_waves)
            self.wave = nn.Linear(n_waves, width)
        self.message_activation = activation(config.message_activation)
        self.linear, self.norm = nn.Linear(width, width), nn.BatchNorm1d(width)
        self.activation = activation(config.module_activation)

    def forward(self, h: Tensor, batch: GraphBatch, basis: Basis) -> Tensor:
        """(N, H) -> (N, H)."""
        n, k = batch.neighbour_index.shape
        source = torch.arange(n, device=h.device).repeat_interleave(k)
        distance, held = batch.distance.view(-1, 1), batch.mask.view(-1, 1)
        h_i, h_j = h[source], h[batch.neighbour_index.flatten()]
        f = torch.cat([h_i, h_j, (h_i - h_j) / distance], dim=1)
        gate = torch.sigmoid(self.gate_norm(self.gate(f)))
        message = self.message_activation(self.message_norm(self.message(f)))
        gaussians, waves = basis
        weights: Tensor = self.radial(gaussians)
        if waves is not None:
            wave_gate = torch.sigmoid(self.wave_norm(self.wave_gate(waves)))
            weights = weights + self.wave(waves * wave_gate)
        convolved = h.index_add(0, source, gate * message * weights * held)
        unit = convolved / convolved.norm(dim=1, keepdim=True).clamp_min(1e-12)
        updated: Tensor = self.activation(self.norm(self.linear(unit)))
        return updated


class PlainCGXAS(nn.Module):
    """The same function of the same weights as `CGXAS`."""

    features: Tensor

    def __init__(self, config: CGXASConfig) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("features", node_features(), persistent=False)
        self.embedding = nn.Linear(self.features.shape[1], config.hidden, bias=False)
        self.graph_modules = nn.ModuleList(PlainModule(config) for _ in range(config.n_modules))
        widths = [config.hidden] * config.n_head_layers + [config.n_outputs]
        self.head_layers = nn.ModuleList(
            nn.Sequential(nn.Linear(a, b), nn.BatchNorm1d(b), activation(config.head_activation))
            for a, b in pairwise(widths)
        )

    def embed(self, batch: GraphBatch, basis: Basis) -> Tensor:
        """Return the (N, H) site vectors."""
        features = self.features[batch.numbers - 1].to(self.embedding.weight)
        x = torch.sigmoid(self.embedding(features))
        parts = [x]
        modules = cast("Sequence[PlainModule]", self.graph_modules)
        for t, module in enumerate(modules, start=1):
            x = module(x, batch, basis)
            parts.append(x / math.factorial(t))
        return torch.stack(parts).sum(dim=0)

    def head(self, vectors: Tensor) -> Tensor:
        """Return (S, n_outputs) spectra of (S, H) site vectors."""
        for layer in self.head_layers:
            vectors = layer(vectors)
        return torch.relu(vectors)


def plain_copy(network: CGXAS) -> PlainCGXAS:
    """Return the plain network with the same weights, mode, precision and device."""
    plain = PlainCGXAS(network.config).to(network.embedding.linear.weight)
    plain.load_state_dict(under_plain_names(network.state_dict()))
    return plain.train(network.training)


def under_plain_names(ours: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return state or gradients of `CGXAS` under the names and in the pieces of `PlainCGXAS`."""
    plain: dict[str, Tensor] = {}
    for name, tensor in ours.items():
        path, _, leaf = name.rpartition(".")
        start, _, part = path.rpartition(".")
        if part in _GATE_AND_MESSAGE:
            halves = tensor.chunk(2) if tensor.ndim else (tensor, tensor)
            target = start.removesuffix(".convolution")
            for which, half in zip(_GATE_AND_MESSAGE[part], halves, strict=True):
                plain[f"{target}.{which}.{leaf}"] = half
        else:
            plain[_plain_name(name)] = tensor
    return plain


def _plain_name(name: str) -> str:
    """Return the plain network's name of a tensor that it holds in one piece."""
    if name.startswith("head_layers."):
        return name.replace(".linear.", ".0.").replace(".norm.", ".1.")
    for path in ("embedding.linear.", "convolution.edge.", "dense."):
        short = "embedding." if path == "embedding.linear." else ""
        name = name.replace(path, short)
    return name

"""The building blocks of the network (SPEC section 4)."""

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from cgxas.elements import MAX_ATOMIC_NUMBER, VALENCE, period
from cgxas.model.cgxas.config import Activation, CGXASConfig
from cgxas.model.cgxas.norm import BatchNorm

# Widths of the one-hot groups: atomic number, period, and s, p, d, f valence electrons.
_ONE_HOT: Final = (MAX_ATOMIC_NUMBER, 7, 3, 7, 11, 15)
N_NODE_FEATURES: Final = sum(_ONE_HOT)


def node_features() -> Tensor:
    """Return (103, 146): the six one-hot groups of every element, row Z - 1."""
    # On the CPU even if a network without storage is built: one_hot there imports the compiler.
    with torch.device("cpu"):
        counts = torch.tensor(
            [(z - 1, period(z) - 1, *VALENCE[z - 1]) for z in range(1, MAX_ATOMIC_NUMBER + 1)]
        )
        groups = [functional.one_hot(counts[:, n], width) for n, width in enumerate(_ONE_HOT)]
        return torch.cat(groups, dim=1)


def activation(name: Activation) -> nn.Module:
    """Return the activation of that name."""
    return nn.ELU() if name == "elu" else nn.SiLU()


class Embedding(nn.Module):
    """x0 = sigmoid(W_e x), evaluated once per element instead of once per atom."""

    features: Tensor

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.linear = nn.Linear(N_NODE_FEATURES, hidden, bias=False)
        self.register_buffer("features", torch.empty(0), persistent=False)
        self.reset_features()

    def reset_features(self) -> None:
        """Fill the table of one-hot features, which no checkpoint needs to store."""
        self.features = node_features()

    def forward(self, numbers: Tensor) -> Tensor:
        """(N,) atomic numbers -> (N, H)."""
        table = torch.sigmoid(self.linear(self.features.to(self.linear.weight)))
        return table[numbers - 1]


class EdgeWeights(nn.Module):
    """z1 + z2: what the geometry of an edge says, independent of the atoms."""

    def __init__(self, config: CGXASConfig) -> None:
        super().__init__()
        self.radial = nn.Linear(config.n_gaussians, config.hidden)
        if config.n_waves:
            self.wave_gate = nn.Linear(config.n_waves, config.n_waves)
            self.wave_norm = BatchNorm(config.n_waves)
            self.wave = nn.Linear(config.n_waves, config.hidden)

    def forward(self, gaussians: Tensor, waves: Tensor | None) -> Tensor:
        """(E, n_gaussians), (E, n_waves) -> (E, H)."""
        weights: Tensor = self.radial(gaussians)
        if waves is not None:
            gate = torch.sigmoid(self.wave_norm(self.wave_gate(waves)))
            weights = weights + self.wave(waves * gate)
        return weights


class GatedConvolution(nn.Module):
    """h_i + sum_j e_gate * e_msg * (z1 + z2), over f_ij = [h_i ; h_j ; (h_i - h_j)/d_ij].

    The linear maps on f split: W f = A h_i + B h_j + C (h_i - h_j)/d, so A h, B h and C h are
    computed once per atom and gathered, for gate and message side by side.
    """

    def __init__(self, config: CGXASConfig) -> None:
        super().__init__()
        self.pair = nn.Linear(3 * config.hidden, 2 * config.hidden)
        self.pair_norm = BatchNorm(2 * config.hidden)
        self.edge = EdgeWeights(config)
        self.message_activation = activation(config.message_activation)

    def forward(
        self,
        h: Tensor,
        neighbour_index: Tensor,
        scale: Tensor,
        mask: Tensor,
        basis: tuple[Tensor, Tensor | None],
    ) -> Tensor:
        """One convolution.

        Args:
            h: (N, H) node vectors.
            neighbour_index: (N, 12).
            scale: (N, 12, 1), 1 / d_ij.
            mask: (N, 12, 1), 1 where the slot holds a neighbour.
            basis: (12 N, n_gaussians) and (12 N, n_waves).

        Returns:
            (N, H).
        """
        n, k = neighbour_index.shape
        width = h.shape[1]
        a, b, c = torch.split(self.pair.weight, width, dim=1)
        receiver = functional.linear(h, a, self.pair.bias)
        sender, slope = functional.linear(h, b), functional.linear(h, c)
        flat = neighbour_index.reshape(-1)
        pair = (
            receiver[:, None]
            + sender[flat].view(n, k, -1)
            + (slope[:, None] - slope[flat].view(n, k, -1)) * scale
        )
        gate, message = self.pair_norm(pair.view(n * k, -1)).split(width, dim=1)
        edges: Tensor = torch.sigmoid(gate) * self.message_activation(message) * self.edge(*basis)
        return h + (edges.view(n, k, -1) * mask).sum(dim=1)


class DenseLayer(nn.Module):
    """activation(BN(W x + b))."""

    def __init__(self, n_in: int, n_out: int, name: Activation) -> None:
        super().__init__()
        self.linear = nn.Linear(n_in, n_out)
        self.norm = BatchNorm(n_out)
        self.activation = activation(name)

    def forward(self, x: Tensor) -> Tensor:
        """(N, n_in) -> (N, n_out)."""
        activated: Tensor = self.activation(self.norm(self.linear(x)))
        return activated


class GraphModule(nn.Module):
    """x^t = ELU(BN(W y + b)), y the convolved vectors brought to unit length per atom."""

    def __init__(self, config: CGXASConfig) -> None:
        super().__init__()
        self.convolution = GatedConvolution(config)
        self.dense = DenseLayer(config.hidden, config.hidden, config.module_activation)

    def forward(
        self,
        x: Tensor,
        neighbour_index: Tensor,
        scale: Tensor,
        mask: Tensor,
        basis: tuple[Tensor, Tensor | None],
    ) -> Tensor:
        """(N, H) -> (N, H); the arguments are those of the convolution."""
        convolved = self.convolution(x, neighbour_index, scale, mask, basis)
        updated: Tensor = self.dense(functional.normalize(convolved, dim=1))
        return updated

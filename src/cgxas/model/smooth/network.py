"""The smooth network: crystal -> atoms that have looked around -> the absorber's spectrum.

Atoms begin as their element. In each layer an atom looks at the density of its neighbours, and at
what these have seen. In the end the absorber looks once more, further and with numbers of its own,
and a perceptron turns what it sees into a correction of the typical spectrum of its element.
Neighbours fade out with the distance and are never counted, directions enter by what no rotation
changes, and no cell enters at all: answers change smoothly with the positions, and with nothing
else.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from cgxas.crystals.batch import GraphBatch
from cgxas.elements import MAX_ATOMIC_NUMBER
from cgxas.model.architecture import Architecture, Targets
from cgxas.model.smooth.config import SmoothConfig
from cgxas.model.smooth.density import Density, shells
from cgxas.physics.surroundings import PROPERTIES

_ABSORBER, _FIDELITY = 64, 32  # numbers learnt for each
_SHARPNESS = 50.0  # of the softplus that keeps spectra positive: it acts below 0.05
_FEWEST = 3.0  # spectra that the mean of all counts as in the typical one of an element
_LEAST = 3e-3


class Smooth(Architecture):
    """A network that answers smoothly."""

    settings_class = SmoothConfig
    references = ("doi:10.1103/PhysRevB.87.184115", "doi:10.1103/PhysRevB.99.014104")
    config: SmoothConfig

    def __init__(self, config: SmoothConfig) -> None:
        super().__init__(config)
        width, n_elements = config.width, MAX_ATOMIC_NUMBER + 1
        known = torch.from_numpy(PROPERTIES).float()
        self.properties: Tensor
        self.register_buffer("properties", functional.pad(known, (0, 0, 1, 0)), persistent=False)
        self.element = _embedding(n_elements, width)
        self.from_properties = nn.Sequential(
            nn.Linear(known.shape[1], width), nn.SiLU(), nn.Linear(width, width)
        )
        looks = [self._density(width) for _ in range(config.n_layers)]
        self.densities: Sequence[Density] = nn.ModuleList(looks)  # type: ignore[assignment]
        self.updates = nn.ModuleList(
            [_perceptron(width + look.n_outputs, 2 * width, width) for look in looks]
        )
        self.norms = nn.ModuleList([nn.LayerNorm(width) for _ in range(config.n_layers + 1)])
        self.readout = Density(
            width,
            config.readout_channels,
            config.readout_products,
            config.n_radial + 2,
            config.graph.cutoff,
            config.degree,
        )
        self.absorber = _embedding(n_elements, _ABSORBER)
        seen = width + self.readout.n_outputs + _ABSORBER
        wide = config.readout_width
        self.gather = _perceptron(seen, wide, wide, config.dropout)
        self.fidelity = nn.Embedding(max(len(config.fidelities), 1), _FIDELITY)
        nn.init.zeros_(self.fidelity.weight)
        self.consider = _perceptron(wide + _FIDELITY, wide, wide, config.dropout)
        self.answer = nn.Linear(wide, config.n_outputs)
        with torch.no_grad():
            self.answer.weight.mul_(0.3)
            self.answer.bias.zero_()
        self.head_layers = [self.consider, self.answer]
        self.typical = nn.Embedding(n_elements, config.n_outputs)
        self.basis: Tensor
        self.register_buffer("basis", torch.eye(config.n_outputs))

    def _density(self, width: int) -> Density:
        config = self.config
        return Density(
            width, config.channels, config.products, config.n_radial, config.reach, config.degree
        )

    @property
    def vector_size(self) -> int:
        """H, length of a site vector: what was gathered, and the typical spectrum."""
        return self.config.readout_width + self.config.n_outputs

    def embed(self, batch: GraphBatch, nodes: Tensor | None = None) -> Tensor:
        """Return (S, H) vectors of the wanted nodes; (N, H) of all if None."""
        x, degree = self._atoms(batch), self.config.degree
        wanted = torch.arange(len(x), device=x.device) if nodes is None else nodes
        around = shells(batch, wanted, self.config.graph.cutoff, degree)
        absorber = self.absorber(batch.numbers[wanted])
        gathered = self.gather(
            torch.cat([x.index_select(0, wanted), self.readout(x, around), absorber], dim=-1)
        )
        return torch.cat([gathered, self.typical(batch.numbers[wanted])], dim=-1)

    def _atoms(self, batch: GraphBatch) -> Tensor:
        """Return (N, width) atoms that have looked around."""
        x: Tensor = self.element(batch.numbers)
        x = x + self.from_properties(self.properties[batch.numbers])
        every = torch.arange(len(x), device=x.device)
        around = shells(batch, every, self.config.reach, self.config.degree)
        for look, update, norm in zip(self.densities, self.updates, self.norms, strict=False):
            own = norm(x)
            x = x + update(torch.cat([own, look(own, around)], dim=-1))
        ready: Tensor = self.norms[-1](x)
        return ready

    def head(self, vectors: Tensor, fidelity: Tensor | None = None) -> Tensor:
        """Return (S, P) spectra of (S, H) site vectors.

        Args:
            vectors: (S, H).
            fidelity: (S,), or one for all: number of the fidelity; the first one if None.
        """
        wide = self.config.readout_width
        gathered, typical = vectors[:, :wide], vectors[:, wide:]
        first = torch.zeros((), dtype=torch.long, device=vectors.device)
        asked = self.fidelity(first if fidelity is None else fidelity)
        asked = asked.expand(len(vectors), _FIDELITY)
        gathered = gathered + self.consider(torch.cat([gathered, asked], dim=-1))
        return _positive(typical + self.answer(gathered) @ self.basis)

    @torch.no_grad()
    def start_from(self, targets: Targets) -> None:
        """Begin with the mean spectrum of each element, and how spectra differ from it.

        Args:
            targets: what is to be learnt.
        """
        weight = (targets.weight > 0).to(targets.norm.dtype)
        usual = (weight * targets.norm).sum(0) / weight.sum(0).clamp_min(1)
        means = usual.repeat(len(self.typical.weight), 1)
        for number in torch.unique(targets.absorber):
            own = targets.absorber == number
            total = (weight[own] * targets.norm[own]).sum(0) + _FEWEST * usual
            means[number] = total / (weight[own].sum(0) + _FEWEST)
        self.typical.weight.copy_(_before(means.clamp_min(_LEAST)))
        whole = weight.bool().all(1)
        if whole.sum() > targets.norm.shape[1]:
            apart = (targets.norm - means[targets.absorber])[whole]
            _, size, kinds = torch.linalg.svd(apart, full_matrices=False)
            spread = (size / len(apart) ** 0.5).clamp_min(_LEAST)
            self.basis.copy_(kinds * spread[:, None])


def _embedding(count: int, width: int) -> nn.Embedding:
    made = nn.Embedding(count, width)
    nn.init.normal_(made.weight, std=0.3)
    return made


def _perceptron(n_in: int, hidden: int, n_out: int, dropout: float = 0.0) -> nn.Sequential:
    return nn.Sequential(
        nn.LayerNorm(n_in),
        nn.Linear(n_in, hidden),
        nn.SiLU(),
        nn.Dropout(dropout),
        nn.Linear(hidden, n_out),
    )


def _positive(raw: Tensor) -> Tensor:
    return functional.softplus(raw * _SHARPNESS) / _SHARPNESS


def _before(norm: Tensor) -> Tensor:
    """Return what `_positive` turns into a positive value."""
    scaled = norm * _SHARPNESS
    return torch.where(scaled > 15, scaled, torch.log(torch.expm1(scaled.clamp_max(15)))) / (
        _SHARPNESS
    )

"""A network as another package would bring it: elements, shells of neighbours, a linear head."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from cgxas.crystals.batch import GraphBatch
from cgxas.elements import MAX_ATOMIC_NUMBER
from cgxas.model.architecture import Architecture, ArchitectureSettings, Targets


@dataclass(frozen=True)
class TinySettings(ArchitectureSettings):
    """Settings of the tiny network.

    Attributes:
        architecture: its name.
        size: length of the vector of an element.
        shells: distances at which neighbours are looked for.
    """

    architecture: Literal["tiny"] = "tiny"
    size: Annotated[int, Field(ge=1, le=64)] = 4
    shells: Annotated[int, Field(ge=1, le=32)] = 12

    @property
    def facts(self) -> Mapping[str, str]:
        """What a person should know of the network."""
        return {"network": f"{self.shells} shells of neighbours, {self.size} numbers per element"}


class Tiny(Architecture):
    """Vector of a site: that of its element, and the sums of its neighbours' shell by shell."""

    settings_class = TinySettings
    references = ("doi:10.0000/tiny",)
    config: TinySettings

    def __init__(self, config: TinySettings) -> None:
        super().__init__(config)
        self.elements = nn.Embedding(MAX_ATOMIC_NUMBER + 1, config.size)
        places = torch.linspace(1.0, config.graph.cutoff, config.shells)
        self.register_buffer("places", places, persistent=False)
        self.head_layers = nn.ModuleList([nn.Linear(self.vector_size, config.n_outputs)])
        if config.fidelities:
            kinds = torch.zeros(len(config.fidelities), config.n_outputs)
            self.kinds = nn.Parameter(kinds)

    @property
    def vector_size(self) -> int:
        """H."""
        return self.config.size * (1 + self.config.shells)

    def embed(self, batch: GraphBatch, nodes: Tensor | None = None) -> Tensor:
        """Return (S, H) site vectors of the wanted nodes, all if None."""
        own = self.elements(batch.numbers)
        away = batch.distance[..., None] - self.places
        near = torch.exp(-(away**2)) * batch.mask[..., None]
        shells = torch.einsum("nks,nkh->nsh", near, own[batch.neighbour_index])
        vectors = torch.cat([own, shells.flatten(1) / 12], dim=1)
        return vectors if nodes is None else vectors[nodes]

    def head(self, vectors: Tensor, fidelity: Tensor | None = None) -> Tensor:
        """Return (S, P) spectra."""
        (layer,) = self.head_layers
        spectra: Tensor = layer(vectors)
        if self.config.fidelities:
            spectra = spectra + self.kinds[0 if fidelity is None else fidelity]
        return spectra

    @torch.no_grad()
    def start_from(self, targets: Targets) -> None:
        """Let the untrained network answer with the mean, but for what sites add to it."""
        self.head_layers[0].bias.copy_(targets.norm.mean(dim=0))
        self.head_layers[0].weight.mul_(targets.norm.std(dim=0, correction=0)[:, None])

"""What defines the smooth network: one frozen dataclass, stored in every model file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field

from cgxas.crystals.spec import GraphSpec
from cgxas.errors import ConfigError
from cgxas.model.architecture import ArchitectureSettings, Axis

_Width = Annotated[int, Field(ge=1, le=4096)]

GRAPH = GraphSpec(cutoff=5.5, neighbours=0, cell="equivalents", symprec=1e-4, per_orbit=True)
"""All neighbours; equivalent atoms are computed once, which changes no answer."""


@dataclass(frozen=True)
class SmoothConfig(ArchitectureSettings):
    """Shape of the network.

    Attributes:
        architecture: its name.
        graph: the recipe of its graphs; its cutoff is the reach of the absorber's readout.
        axis: where its outputs stand; see `ArchitectureSettings`.
        width: H, numbers that describe an atom.
        n_layers: how often atoms look at their neighbours.
        reach: how far they look, Angstrom; not beyond the cutoff of the graph.
        channels: densities of neighbours.
        products: pairs of densities whose angles are looked at, for each degree.
        degree: highest degree of the spherical harmonics.
        n_radial: radial functions.
        readout_channels: as `channels`, of the absorber's readout.
        readout_products: as `products`, likewise.
        readout_width: width of the perceptrons behind it.
        dropout: share of their hidden numbers dropped in training.
    """

    architecture: Literal["smooth"] = "smooth"
    graph: GraphSpec = field(default_factory=lambda: GRAPH)
    axis: Axis = "edge"
    fidelities: tuple[str, ...] = ("FEFF9", "FEFF10")
    width: _Width = 96
    n_layers: Annotated[int, Field(ge=0, le=16)] = 2
    reach: Annotated[float, Field(ge=1, le=16)] = 4.5
    channels: _Width = 64
    products: _Width = 48
    degree: Annotated[int, Field(ge=0, le=3)] = 3
    n_radial: Annotated[int, Field(ge=2, le=256)] = 14
    readout_channels: _Width = 96
    readout_products: _Width = 96
    readout_width: _Width = 384
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.graph.neighbours:
            raise ConfigError(
                f"{self.graph.path('neighbours')} = {self.graph.neighbours}; the smooth network "
                "takes all neighbours: 0"
            )
        if self.reach > self.graph.cutoff:
            raise ConfigError(
                f"{self.path('reach')} = {self.reach} is beyond {self.graph.path('cutoff')} = "
                f"{self.graph.cutoff}"
            )

    @property
    def facts(self) -> Mapping[str, str]:
        """What a person should know of the network: name of the fact -> a few words."""
        return {
            "network": f"{self.n_layers} layers of width {self.width} that see {self.reach:g} A "
            f"far, readout to {self.graph.cutoff:g} A, angles to degree {self.degree}, "
            f"{self.n_outputs} energies",
        }

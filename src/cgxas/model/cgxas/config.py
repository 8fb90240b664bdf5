"""What defines the paper's network: one frozen dataclass, stored in every model file."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from cgxas.errors import ConfigError
from cgxas.model.architecture import ArchitectureSettings, Sight

Activation = Literal["elu", "silu"]

_Width = Annotated[int, Field(ge=1, le=4096)]
_Depth = Annotated[int, Field(ge=1, le=32)]


@dataclass(frozen=True)
class CGXASConfig(ArchitectureSettings):
    """Shape and activations of the network (SPEC section 4).

    Attributes:
        architecture: its name.
        graph: the recipe of its graphs; one node per orbit only without plane waves, as those tell
            equivalent atoms apart.
        n_outputs: points of the energy grid.
        fidelities: the kinds of spectra the network tells apart.
        axis: where those points stand, in a fixed window or relative to the computed edge.
        hidden: width H of every layer.
        n_modules: number of graph modules.
        n_head_layers: layers of the perceptron that turns a site vector into a spectrum.
        n_gaussians: radial basis functions.
        wave_numbers: plane waves per reciprocal axis; 0 leaves the plane-wave branch out, and
            the network then sees distances only: equivalent sites agree exactly.
        message_activation: on the message branch of the convolution.
        module_activation: on the one-layer perceptron after each convolution.
        head_activation: on every layer of the head.
        dropout: share of the site vector dropped in training.
    """

    architecture: Literal["cgxas"] = "cgxas"
    hidden: _Width = 256
    n_modules: _Depth = 5
    n_head_layers: _Depth = 5
    n_gaussians: Annotated[int, Field(ge=1, le=1024)] = 64
    wave_numbers: Annotated[int, Field(ge=0, le=16)] = 4
    message_activation: Activation = "elu"
    module_activation: Activation = "elu"
    head_activation: Activation = "silu"
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.graph.neighbours:
            raise ConfigError(
                f"{self.graph.path('neighbours')} = 0; the network cgxas counts its neighbours: 12"
            )
        if self.graph.per_orbit and self.wave_numbers:
            raise ConfigError(
                f"{self.graph.path('per_orbit')} = true needs {self.path('wave_numbers')} = 0; "
                "plane waves tell equivalent atoms apart"
            )

    @property
    def n_waves(self) -> int:
        """Number of plane waves on an edge."""
        return self.wave_numbers**3

    @property
    def sees(self) -> Sight:
        """What of an edge the network looks at: its plane waves see directions."""
        return "fractional" if self.wave_numbers else "distance"

    @property
    def facts(self) -> Mapping[str, str]:
        """What a person should know of the network: name of the fact -> a few words."""
        acts = {self.message_activation, self.module_activation, self.head_activation}
        told = (
            self.head_activation
            if len(acts) == 1
            else f"{self.message_activation} in messages, {self.module_activation} in modules, "
            f"{self.head_activation} in the head"
        )
        return {
            "network": f"{self.n_modules} graph modules and {self.n_head_layers} head layers of "
            f"width {self.hidden}, {self.n_gaussians} Gaussians, {self.n_waves} plane waves, "
            f"{self.n_outputs} energies",
            "activation": told,
        }


PAPER = CGXASConfig()
"""The network as the paper prints it (arXiv:2512.23449): SiLU in the head."""

REFERENCE = CGXASConfig(head_activation="elu", dropout=0.3)
"""The network as the authors' scripts set it: ELU everywhere, dropout on the site vector."""

"""What defines the paper's network: one frozen dataclass, stored in every model file."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from cgxas.crystals.spec import GraphSpec
from cgxas.errors import ConfigError
from cgxas.model.architecture import ArchitectureSettings

Activation = Literal["elu", "silu"]


@dataclass(frozen=True)
class CGXASConfig(ArchitectureSettings):
    """Shape and activations of the network (SPEC section 4).

    Attributes:
        architecture: its name.
        graph: the recipe of its graphs; one node per orbit only without plane waves, as those tell
            equivalent atoms apart.
        n_outputs: points of the energy grid.
        fidelities: the kinds of spectra the network tells apart.
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
    hidden: int = 256
    n_modules: int = 5
    n_head_layers: int = 5
    n_gaussians: int = 64
    wave_numbers: int = 4
    message_activation: Activation = "elu"
    module_activation: Activation = "elu"
    head_activation: Activation = "silu"
    dropout: float = 0.0

    def __post_init__(self) -> None:
        if isinstance(self.graph, Mapping):  # as files hold it
            object.__setattr__(self, "graph", GraphSpec.from_dict(dict(self.graph)))
        object.__setattr__(self, "fidelities", tuple(self.fidelities))  # files hold lists
        if len(set(self.fidelities)) < len(self.fidelities):
            raise ConfigError(f"fidelities = {list(self.fidelities)} names one of them twice")
        for name in ("hidden", "n_modules", "n_head_layers", "n_outputs", "n_gaussians"):
            value = getattr(self, name)
            if not isinstance(value, int) or not 1 <= value <= 65536:
                raise ConfigError(f"{name} = {value!r}; it must be a whole number of at least 1")
        if self.wave_numbers not in range(17):
            raise ConfigError(f"wave_numbers = {self.wave_numbers!r}; it must be 0 to 16")
        if not 0 <= self.dropout < 1:
            raise ConfigError(f"dropout = {self.dropout!r}; it must be at least 0 and below 1")
        for name in ("message_activation", "module_activation", "head_activation"):
            if getattr(self, name) not in get_args(Activation):
                raise ConfigError(f"{name} = {getattr(self, name)!r}; it must be elu or silu")
        if self.graph.per_orbit and (self.wave_numbers or self.graph.cell == "as_given"):
            raise ConfigError(
                "graph.per_orbit = true needs wave_numbers = 0 and the canonical cell; plane waves "
                "tell equivalent atoms apart"
            )

    @property
    def n_waves(self) -> int:
        """Number of plane waves on an edge."""
        return self.wave_numbers**3

    @property
    def sees_directions(self) -> bool:
        """Whether the network looks at edge vectors: its plane waves do."""
        return bool(self.wave_numbers)

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

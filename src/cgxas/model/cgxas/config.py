"""What defines a network: one frozen dataclass, stored in every checkpoint."""

from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

from cgxas.errors import ConfigError
from cgxas.settings import CellConvention, Settings

Activation = Literal["elu", "silu"]


@dataclass(frozen=True)
class CGXASConfig(Settings):
    """Shape and activations of the network (SPEC section 4).

    Attributes:
        hidden: width H of every layer.
        n_modules: number of graph modules.
        n_head_layers: layers of the perceptron that turns a site vector into a spectrum.
        n_outputs: points of the energy grid.
        n_gaussians: radial basis functions.
        wave_numbers: plane waves per reciprocal axis; 0 leaves the plane-wave branch out, and
            the network then sees distances only: equivalent sites agree exactly.
        message_activation: on the message branch of the convolution.
        module_activation: on the one-layer perceptron after each convolution.
        head_activation: on every layer of the head.
        dropout: share of the site vector dropped in training.
        cell: cell the graph is built in.
        fidelities: the theories, such as FEFF9 and FEFF10, the network tells apart; none: it
            takes all spectra for one kind.
    """

    title: ClassVar[str] = "model"

    hidden: int = 256
    n_modules: int = 5
    n_head_layers: int = 5
    n_outputs: int = 100
    n_gaussians: int = 64
    wave_numbers: int = 4
    message_activation: Activation = "elu"
    module_activation: Activation = "elu"
    head_activation: Activation = "silu"
    dropout: float = 0.0
    cell: CellConvention = "canonical"
    fidelities: tuple[str, ...] = ()

    def __post_init__(self) -> None:
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
        if self.cell not in get_args(CellConvention):
            raise ConfigError(f"cell = {self.cell!r}; it must be canonical or as_given")

    def fidelity_index(self, fidelity: str) -> int:
        """Return the number of a theory; ConfigError if the network does not know it."""
        if fidelity not in self.fidelities:
            raise ConfigError(
                f"no fidelity {fidelity!r}; the model knows {', '.join(self.fidelities) or 'none'}"
            )
        return self.fidelities.index(fidelity)

    @property
    def n_waves(self) -> int:
        """Number of plane waves on an edge."""
        return self.wave_numbers**3


PAPER = CGXASConfig()
"""The network as the paper prints it (arXiv:2512.23449): SiLU in the head."""

REFERENCE = CGXASConfig(head_activation="elu", dropout=0.3)
"""The network as the authors' scripts set it: ELU everywhere, dropout on the site vector."""

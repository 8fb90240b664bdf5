"""What defines a network: one frozen dataclass, stored in every checkpoint."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from cgxas.errors import ConfigError
from cgxas.settings import CellConvention, Settings

Activation = Literal["elu", "silu"]
_MOST_FIDELITIES = 256  # data sets number them with a byte

_Width = Annotated[int, Field(ge=1, le=4096)]
_Depth = Annotated[int, Field(ge=1, le=32)]


def _distinct_names(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) < len(names) or not all(name and name.isprintable() for name in names):
        raise ValueError(names)
    return names


_Names = Annotated[
    tuple[str, ...],
    AfterValidator(_distinct_names),
    Field(
        max_length=_MOST_FIDELITIES,
        description=f"a list of at most {_MOST_FIDELITIES} different names, such as "
        '["FEFF9", "FEFF10"]',
    ),
]


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

    hidden: _Width = 256
    n_modules: _Depth = 5
    n_head_layers: _Depth = 5
    n_outputs: Annotated[int, Field(ge=2, le=4096)] = 100
    n_gaussians: Annotated[int, Field(ge=1, le=1024)] = 64
    wave_numbers: Annotated[int, Field(ge=0, le=16)] = 4
    message_activation: Activation = "elu"
    module_activation: Activation = "elu"
    head_activation: Activation = "silu"
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    cell: CellConvention = "canonical"
    fidelities: _Names = ()

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

"""What a network must be to be trained, saved, calibrated and asked: a class and its settings.

A new architecture is a subclass of `Architecture` with settings of its own, a subclass of
`ArchitectureSettings` that names it, and a line in `_HOMES`. Nothing else in the package knows the
inside of a network.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Annotated, Any, ClassVar, Literal, Self

import torch
from pydantic import AfterValidator, Field
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from cgxas.crystals.batch import GraphBatch
from cgxas.crystals.spec import GraphSpec
from cgxas.errors import ConfigError
from cgxas.settings import Settings
from cgxas.spectra.axis import FEFF_POINTS

Axis = Literal["window", "edge"]
"""What the outputs of a network are counted from; see `ArchitectureSettings`."""

Sight = Literal["distance", "fractional", "vector"]
"""What of an edge a network looks at; see `ArchitectureSettings.sees`."""

_MOST_FIDELITIES = 256  # data sets number them with a byte


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
class ArchitectureSettings(Settings):
    """What every network's settings hold; they are stored in every model file.

    Attributes:
        architecture: name of the architecture.
        graph: the recipe of its graphs.
        n_outputs: P, points of the energy grid.
        fidelities: the kinds of spectra, such as FEFF9 and FEFF10, the network tells apart; none:
            it takes all spectra for one kind.
        axis: where the outputs stand. "window": on even energies in a fixed window of 55 eV per
            absorber. "edge": on FEFF's own 100 points relative to the edge of each site, which is
            computed; edges differ between theories, so there must be fidelities.
    """

    title: ClassVar[str] = "model"

    architecture: str = ""
    graph: GraphSpec = field(default_factory=GraphSpec)
    n_outputs: Annotated[int, Field(ge=2, le=4096)] = 100
    fidelities: _Names = ()
    axis: Axis = "window"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.axis == "window":
            return
        if self.n_outputs != len(FEFF_POINTS):
            raise ConfigError(
                f'{self.path("n_outputs")} = {self.n_outputs}; {self.path("axis")} = "edge" needs '
                f"{len(FEFF_POINTS)}, as FEFF has"
            )
        if not self.fidelities:
            raise ConfigError(
                f'{self.path("fidelities")} is empty; {self.path("axis")} = "edge" needs the names '
                'of the theories, such as ["FEFF9", "FEFF10"], as their edges differ'
            )

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Build from plain values, which name the architecture; it is cgxas if they name none.

        Raises:
            ConfigError: there is no such architecture, an unknown key, or an impossible value.
        """
        if cls is not ArchitectureSettings:
            return super().from_dict(values)
        found: Any = architecture(values.get("architecture", "cgxas")).settings_class
        made: Self = found.from_dict(values)
        return made

    @classmethod
    def keys_inside(cls) -> tuple[str, ...]:
        """Return the names of the keys there may be: those of cgxas if none is named."""
        if cls is not ArchitectureSettings:
            return super().keys_inside()
        return architecture("cgxas").settings_class.keys_inside()

    def fidelity_index(self, fidelity: str) -> int:
        """Return the number of a fidelity; ConfigError if the network does not know it."""
        if fidelity not in self.fidelities:
            known = ", ".join(self.fidelities) or "none"
            raise ConfigError(f"no fidelity {fidelity!r:.60}; the model knows {known}")
        return self.fidelities.index(fidelity)

    @property
    def sees(self) -> Sight:
        """What of an edge the network looks at, and data sets hold.

        "distance" alone; "fractional", the vector in units of the cell vectors, too; or "vector".
        """
        if not self.graph.neighbours:
            return "vector"
        return "distance" if self.graph.per_orbit else "fractional"

    @property
    def facts(self) -> Mapping[str, str]:
        """What a person should know of the network: name of the fact -> a few words."""
        return {"network": self.architecture}


@dataclass(frozen=True, eq=False)
class Targets:
    """What is to be learnt, T spectra.

    Attributes:
        norm: (T, P) the spectra.
        weight: (T, P) weights of their points in the loss; 0 where they were not computed.
        absorber: (T,) int64 atomic numbers.
    """

    norm: Tensor
    weight: Tensor
    absorber: Tensor


class Architecture(nn.Module, ABC):
    """A network: `forward` is `head(embed(batch))`.

    A file is read into a network that was built without storage, so that its numbers are never
    drawn in vain. Constants that no file holds belong into buffers that are not persistent; these
    are noticed, and made. Tensors that are mere attributes would stay empty.

    Attributes:
        settings_class: the class of its settings.
        references: what a model with this network is to cite.
        config: its settings.
        head_layers: the head's layers, input side first: what fine-tuning and the paper's
            transfer move.
    """

    settings_class: ClassVar[type[ArchitectureSettings]]
    references: ClassVar[tuple[str, ...]] = ()
    config: ArchitectureSettings
    head_layers: Sequence[nn.Module]

    def __init__(self, config: ArchitectureSettings) -> None:
        super().__init__()
        self.config = config

    def forward(
        self, batch: GraphBatch, nodes: Tensor | None = None, fidelity: Tensor | None = None
    ) -> Tensor:
        """Return the spectra of the wanted nodes, all of them if None: (S, P).

        Args:
            batch: the graphs.
            nodes: (S,) the wanted nodes.
            fidelity: (S,) what each is wanted as, for a network that tells fidelities apart.
        """
        return self.head(self.embed(batch, nodes), fidelity)

    @abstractmethod
    def embed(self, batch: GraphBatch, nodes: Tensor | None = None) -> Tensor:
        """Return (S, H) site vectors of the wanted nodes, (N, H) of all if None."""

    @abstractmethod
    def head(self, vectors: Tensor, fidelity: Tensor | None = None) -> Tensor:
        """Return (S, P) spectra of (S, H) site vectors.

        Args:
            vectors: (S, H).
            fidelity: (S,), or one for all: numbers of the fidelities; the first one if None.
        """

    @property
    @abstractmethod
    def vector_size(self) -> int:
        """H, length of a site vector."""

    @torch.no_grad()
    def start_from(self, targets: Targets) -> None:
        """Let an untrained network answer with typical spectra, if it can.

        Args:
            targets: what is to be learnt.
        """

    def idle_parameters(self) -> Iterable[nn.Parameter]:
        """Return parameters whose gradients are rounding errors, and are to be left out."""
        return ()


_HOMES: dict[str, str] = {
    "cgxas": "cgxas.model.cgxas.network:CGXAS",
    "smooth": "cgxas.model.smooth.network:Smooth",
}
"""Name of an architecture -> module and class; a module is imported when it is asked for."""


def architectures() -> tuple[str, ...]:
    """Return the names of the architectures there are."""
    return tuple(_HOMES)


def register(name: str, home: str) -> None:
    """Make an architecture of another package known.

    Args:
        name: what settings call it.
        home: where it is: "package.module:Class".
    """
    _HOMES[name] = home


def architecture(name: object) -> type[Architecture]:
    """Return an architecture by name.

    Raises:
        ConfigError: there is none.
    """
    if not isinstance(name, str) or name not in _HOMES:
        raise ConfigError(
            f"there is no architecture {name!r:.60}; there are {', '.join(architectures())}"
        )
    module, _, attribute = _HOMES[name].partition(":")
    found: type[Architecture] = getattr(import_module(module), attribute)
    return found


def build(config: ArchitectureSettings) -> Architecture:
    """Return an untrained network."""
    return architecture(config.architecture)(config)


class Undrawn(TorchFunctionMode):
    """Weights are made without values, which a file brings: nothing is drawn, no memory filled.

    The meta device does that as well, and imports PyTorch's compiler, which takes longer than a
    prediction.
    """

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        told = dict(kwargs or {})
        if getattr(func, "__module__", "") == nn.init.__name__:
            return args[0] if args else told["tensor"]
        return func(*args, **told)

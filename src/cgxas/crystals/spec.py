"""What makes a graph of a crystal: settings that belong to a network, as its weights do."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from cgxas.errors import ConfigError
from cgxas.settings import Settings

CellConvention = Literal["canonical", "as_given", "equivalents"]
"""canonical: one primitive cell per crystal; as_given: the caller's cell, each site on its own;
equivalents: the caller's cell as it is, of which it is known which atoms are equivalent."""


@dataclass(frozen=True)
class GraphSpec(Settings):
    """How a crystal becomes a graph; another recipe gives a trained network other answers.

    Attributes:
        cutoff: largest distance of a neighbour, Angstrom.
        neighbours: most neighbours of an atom, the nearest ones; 0: all within the cutoff.
        cell: cell the graph is built in. A network that depends on neither the cell nor the count
            of neighbours takes "equivalents", in which no atom is moved.
        symprec: how far an atom may lie from where symmetry puts it, Angstrom.
        per_orbit: one node for each set of equivalent atoms instead of one for each atom; the same
            answer from a network that sees distances only, at a fraction of the cost.
    """

    title: ClassVar[str] = "model.graph"

    cutoff: Annotated[float, Field(ge=1, le=16)] = 8.0
    neighbours: Annotated[int, Field(ge=0, le=256)] = 12
    cell: CellConvention = "canonical"
    symprec: Annotated[float, Field(ge=1e-5, le=0.5)] = 0.01
    per_orbit: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.per_orbit and self.cell == "as_given":
            raise ConfigError(
                f'{self.path("per_orbit")} = true needs {self.path("cell")} = "canonical" or '
                '"equivalents"; as given, no atom is known to be equivalent to another'
            )

"""What makes a graph of a crystal: settings that belong to a network, as its weights do."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import Field

from cgxas.settings import CellConvention, Settings


@dataclass(frozen=True)
class GraphSpec(Settings):
    """How a crystal becomes a graph; another recipe gives a trained network other answers.

    Attributes:
        cutoff: largest distance of a neighbour, Angstrom.
        neighbours: most neighbours of an atom, the nearest ones.
        cell: cell the graph is built in.
        symprec: how far an atom may lie from where symmetry puts it, Angstrom.
    """

    title: ClassVar[str] = "model.graph"

    cutoff: Annotated[float, Field(ge=1, le=16)] = 8.0
    neighbours: Annotated[int, Field(ge=1, le=256)] = 12
    cell: CellConvention = "canonical"
    symprec: Annotated[float, Field(ge=1e-5, le=0.5)] = 0.01

"""The recipe of a crystal graph: part of every model file, since it changes every answer."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from cgxas.settings import Settings

CellConvention = Literal["canonical", "as_given"]
"""canonical: one primitive cell per crystal; as_given: the caller's cell, each site on its own."""


@dataclass(frozen=True)
class GraphSpec(Settings):
    """Which cell a graph is built in, and which neighbours it holds.

    Attributes:
        cutoff: largest neighbour distance, Angstrom.
        neighbours: how many of the nearest neighbours an atom has at most.
        cell: the cell the graph is built in.
        symprec: distance below which atoms count as symmetry-equivalent, Angstrom.
        per_orbit: one node for each set of equivalent atoms instead of one for each atom; the same
            answer from a network that sees distances only, at a fraction of the cost.
    """

    title: ClassVar[str] = "graph"

    cutoff: float = 8.0
    neighbours: int = 12
    cell: CellConvention = "canonical"
    symprec: float = 0.01
    per_orbit: bool = False

"""The edges that the outputs of a network on the edge axis are counted from."""

import numpy as np

from cgxas.crystals.canonical import Cell
from cgxas.elements import atomic_number
from cgxas.errors import ConfigError
from cgxas.model.description import AbsorberCard, EdgeAxis
from cgxas.physics.edges import THEORIES, edge_energies, knows_edge
from cgxas.typing import FloatArray, IntArray


def is_computed(theory: str, absorber: str) -> bool:
    """Return whether the edges of an absorber can be computed in a theory, such as "FEFF10"."""
    return theory in THEORIES and knows_edge(theory, atomic_number(absorber))


def site_edges(
    card: AbsorberCard, absorber: str, theory: str, cell: Cell, atoms: IntArray
) -> FloatArray:
    """Return (S,) edges of absorbing atoms as a model counts them, eV.

    They are computed from the crystal; where that cannot be done in a theory, such as VASP, all
    atoms of an absorber have one edge, which the model keeps. A theory that the model never met
    for this absorber is answered on the scale of the usual one.

    Args:
        card: what the model knows of the absorber.
        absorber: symbol of the element.
        theory: name of the fidelity.
        cell: the crystal.
        atoms: (S,) numbers of the atoms in the cell.

    Raises:
        ConfigError: the model has no edge for the absorber.
    """
    axis = axis_of(card, absorber)
    for each in (theory, card.fidelity):
        if each in axis.origins:
            return np.full(len(atoms), axis.origins[each])
        if each is not None and is_computed(each, absorber):
            return edge_energies(cell, atoms, each)
    raise ConfigError(f"the model keeps no edge of {absorber} in {theory}; train it anew")


def axis_of(card: AbsorberCard, absorber: str) -> EdgeAxis:
    """Return how the outputs for an absorber become energies; ConfigError if the card has none."""
    if card.edge_axis is None:
        raise ConfigError(f"the model does not say where its outputs for {absorber} stand")
    return card.edge_axis

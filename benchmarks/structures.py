"""Crystals of data sets as users hand them over."""

from pymatgen.core import Lattice, Structure

from cgxas.crystals.canonical import Cell
from cgxas.elements import SYMBOLS


def structure_of(cell: Cell) -> Structure:
    """Return a crystal of a data set as a pymatgen structure, its atoms in the same order."""
    return Structure(Lattice(cell.lattice), [SYMBOLS[z - 1] for z in cell.numbers], cell.frac)

"""Crystals as sources give them, made into cells, or the reason why they cannot be."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from cgxas.crystals.canonical import Cell
from cgxas.data.sources.item import Unusable
from cgxas.errors import CrystalError, DisorderedCrystal, InvalidCell, OverlappingAtoms


def cell_and_formula(structure: Any) -> tuple[Cell, str]:
    """Return the cell and reduced formula of a crystal in any form `standardise` takes.

    Raises:
        Unusable: it cannot be used.
    """
    from cgxas.crystals.spec import GraphSpec
    from cgxas.crystals.structure import standardise

    try:
        crystal = standardise(structure, GraphSpec(cell="as_given"))
    except CrystalError as error:
        raise Unusable(_reason(error)) from error
    return crystal.cell, crystal.formula


def _reason(error: CrystalError) -> str:
    """Return why a crystal cannot be used, in words that are the same for all alike."""
    reasons = {
        DisorderedCrystal: "crystal is disordered",
        OverlappingAtoms: "atoms of the crystal overlap",
        InvalidCell: "cell has no volume, or is not finite",
    }
    return reasons.get(type(error), "crystal is not readable")


def structure_of(value: Any) -> Any:
    """Return a pymatgen Structure of its dictionary, or of {lattice, species, frac_coords}.

    Raises:
        Unusable: it is neither.
    """
    from pymatgen.core.structure import Structure

    from cgxas.crystals.io.json import structure_of_dict

    if not isinstance(value, Mapping):
        raise Unusable("structure is missing")
    try:
        if "sites" in value:
            return structure_of_dict(value)
        lattice = np.array(value["lattice"], dtype=np.float64).reshape(3, 3)
        places = np.array(value["frac_coords"], dtype=np.float64).reshape(-1, 3)
        return Structure(lattice, value["species"], places)
    except Exception as error:  # a damaged dictionary fails anywhere in pymatgen, with any error
        raise Unusable("crystal is not readable") from error

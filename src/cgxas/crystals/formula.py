"""What a crystal is called by its composition."""

import numpy as np

from cgxas.elements import SYMBOLS
from cgxas.typing import IntArray


def formula_of(numbers: IntArray) -> str:
    """Return the reduced formula of atoms, as pymatgen writes it: ``Fe2O3``.

    Args:
        numbers: (N,) atomic numbers of all atoms of a cell.
    """
    # Here and not above: a machine that only trains has no pymatgen.
    from pymatgen.core.composition import Composition

    counts = np.bincount(numbers)
    amounts = {SYMBOLS[z - 1]: int(counts[z]) for z in np.flatnonzero(counts)}
    return str(Composition(amounts).reduced_formula)

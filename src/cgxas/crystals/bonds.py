"""The chemical state of an atom as its nearest shell tells it: valence and ligands.

A network that has seen simulated spectra alone knows of oxidation states only what they show;
measured edges move with them by electronvolts. These two numbers say it outright.
"""

import warnings
from functools import cache

import numpy as np
from numpy.typing import NDArray

from cgxas.crystals.graph import CUTOFF, CrystalGraph
from cgxas.elements import SYMBOLS

_SOFTNESS = 0.37  # Angstrom; the same for all bonds (Brown & Altermatt 1985)
_SHELL_ENDS, _SHELL_BLUR = 1.35, 0.03  # in units of the shortest bond
_IONIC = 0.5  # difference of electronegativities from which on a bond counts as ionic
_UNKNOWN_RADIUS, _UNKNOWN_C, _UNKNOWN_CHI = 1.5, 1.0, 1.2

FloatArray = NDArray[np.float64]


def chemical_state(graph: CrystalGraph) -> tuple[FloatArray, FloatArray]:
    """Return (N,) signed bond-valence sums and (N,) mean electronegativities of the neighbours.

    Each neighbour counts with its bond valence s = exp((R - d) / 0.37 Angstrom), faded out beyond
    1.35 times the shortest bond, so that Ba does not count in TiO6 of BaTiO3. In the sum, s counts
    positive towards more electronegative neighbours, negative towards less electronegative ones
    and less, down to nothing, where the two differ by less than 0.5. So it is about +6 for S in a
    sulfate, -2 in ZnS, 0 in a metal.

    Args:
        graph: atoms and their 12 nearest neighbours.

    Returns:
        Valence in units of the elementary charge, and Pauling electronegativity.

    Sources: R by O'Keeffe & Brese, doi:10.1021/ja00009a002; bond valence by Brown & Altermatt,
    doi:10.1107/S0108768185002063; electronegativities as in pymatgen.
    """
    radius, c, chi = (table[graph.numbers - 1] for table in _tables())
    r2, c2, chi2 = (each[graph.neighbour_index] for each in (radius, c, chi))
    r1, c1 = radius[:, None], c[:, None]
    length = r1 + r2 - r1 * r2 * (np.sqrt(c1) - np.sqrt(c2)) ** 2 / (c1 * r1 + c2 * r2)
    distance = graph.distance
    nearest = distance.min(axis=1, keepdims=True)
    fade = 1 / (1 + np.exp((distance / nearest - _SHELL_ENDS) / _SHELL_BLUR))
    bond = np.exp((length - distance) / _SOFTNESS) * fade * (distance < CUTOFF)
    sign = np.clip((chi2 - chi[:, None]) / _IONIC, -1, 1)
    total = bond.sum(axis=1)
    # An atom on its own has no ligands; its own electronegativity leaves it where metals are.
    ligands = np.where(total > 0, (bond * chi2).sum(axis=1) / np.maximum(total, 1e-300), chi)
    return (bond * sign).sum(axis=1), ligands


@cache
def _tables() -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return radius (Angstrom), c and electronegativity of the elements 1 to 103."""
    from pymatgen.core.bond_valence import BV_PARAMS
    from pymatgen.core.periodic_table import Element

    elements = [Element(symbol) for symbol in SYMBOLS]
    known = [BV_PARAMS.get(element, {}) for element in elements]
    radius = np.array([each.get("r", _UNKNOWN_RADIUS) for each in known])
    c = np.array([each.get("c", _UNKNOWN_C) for each in known])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # noble gases have none, and each would say so
        chi = np.array([element.X for element in elements])
    return radius, c, np.where(np.isfinite(chi), chi, _UNKNOWN_CHI)

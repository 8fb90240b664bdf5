"""The chemical state of an atom as its nearest shell tells it: valence and ligands.

A network that has seen simulated spectra alone knows of oxidation states only what they show;
measured edges move with them by electronvolts. These two numbers say it outright.
"""

import warnings
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import numpy as np

from cgxas.crystals.graph import CrystalGraph
from cgxas.elements import MAX_ATOMIC_NUMBER, SYMBOLS
from cgxas.errors import ConfigError
from cgxas.settings import Settings
from cgxas.typing import FloatArray

_UNKNOWN_RADIUS, _UNKNOWN_C, _UNKNOWN_CHI = 1.5, 1.0, 1.2
_TABLES = ("radius", "c", "electronegativity")


@dataclass(frozen=True)
class BondSpec(Settings):
    """The numbers that chemical states rest on: part of every model file.

    Attributes:
        softness: of a bond, Angstrom; the same for all bonds (Brown & Altermatt 1985).
        shell_end: where neighbours stop counting, in units of the shortest bond.
        shell_blur: over which width they fade out there, in the same units.
        ionic: difference of electronegativities from which on a bond counts as ionic.
        radius: (103,) of the elements, Angstrom, by atomic number from 1.
        c: (103,) their second parameter of O'Keeffe & Brese.
        electronegativity: (103,) of Pauling.
    """

    title: ClassVar[str] = "chemical state"

    softness: float
    shell_end: float
    shell_blur: float
    ionic: float
    radius: tuple[float, ...]
    c: tuple[float, ...]
    electronegativity: tuple[float, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in _TABLES:
            values = getattr(self, name)
            if len(values) != MAX_ATOMIC_NUMBER:
                raise ConfigError(
                    f"{name} tells of {len(values)} elements, not {MAX_ATOMIC_NUMBER}"
                )


@cache
def usual_bonds() -> BondSpec:
    """Return the numbers that new models take, with pymatgen's tables of the elements."""
    from pymatgen.core.bond_valence import BV_PARAMS
    from pymatgen.core.periodic_table import Element

    elements = [Element(symbol) for symbol in SYMBOLS]
    known = [BV_PARAMS.get(element, {}) for element in elements]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # noble gases have none, and each would say so
        chi = [float(element.X) for element in elements]
    return BondSpec(
        softness=0.37,
        shell_end=1.35,
        shell_blur=0.03,
        ionic=0.5,
        radius=tuple(float(each.get("r", _UNKNOWN_RADIUS)) for each in known),
        c=tuple(float(each.get("c", _UNKNOWN_C)) for each in known),
        electronegativity=tuple(x if np.isfinite(x) else _UNKNOWN_CHI for x in chi),
    )


def chemical_state(graph: CrystalGraph, spec: BondSpec) -> tuple[FloatArray, FloatArray]:
    """Return (N,) signed bond-valence sums and (N,) mean electronegativities of the neighbours.

    Each neighbour counts with its bond valence s = exp((R - d) / softness), faded out beyond
    1.35 times the shortest bond, so that Ba does not count in TiO6 of BaTiO3. In the sum, s counts
    positive towards more electronegative neighbours, negative towards less electronegative ones
    and less, down to nothing, where the two differ by less than 0.5. So it is about +6 for S in a
    sulfate, -2 in ZnS, 0 in a metal.

    Args:
        graph: atoms and their nearest neighbours.
        spec: the numbers they rest on.

    Returns:
        Valence in units of the elementary charge, and Pauling electronegativity.

    Sources: R by O'Keeffe & Brese, doi:10.1021/ja00009a002; bond valence by Brown & Altermatt,
    doi:10.1107/S0108768185002063; electronegativities as in pymatgen.
    """
    tables = (np.array(getattr(spec, name)) for name in _TABLES)
    radius, c, chi = (table[graph.numbers - 1] for table in tables)
    r2, c2, chi2 = (each[graph.neighbour_index] for each in (radius, c, chi))
    r1, c1 = radius[:, None], c[:, None]
    length = r1 + r2 - r1 * r2 * (np.sqrt(c1) - np.sqrt(c2)) ** 2 / (c1 * r1 + c2 * r2)
    distance = graph.distance
    nearest = distance.min(axis=1, keepdims=True)
    fade = 1 / (1 + np.exp((distance / nearest - spec.shell_end) / spec.shell_blur))
    bond = np.exp((length - distance) / spec.softness) * fade * (distance < graph.cutoff)
    sign = np.clip((chi2 - chi[:, None]) / spec.ionic, -1, 1)
    total = bond.sum(axis=1)
    # An atom on its own has no ligands; its own electronegativity leaves it where metals are.
    ligands = np.where(total > 0, (bond * chi2).sum(axis=1) / np.maximum(total, 1e-300), chi)
    return (bond * sign).sum(axis=1), ligands
